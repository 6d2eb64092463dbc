"""`TesseractOcr`: with a program that plays Tesseract, and with the real one where it is installed."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest

from chatsphere.adapters.ocr_tesseract import TesseractOcr
from chatsphere.errors import ConfigurationError, CorruptDocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction.pdf_scans import render_png
from chatsphere.settings import OcrSettings
from tests.builders.pdf import make_pdf
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program that plays Tesseract is a shell script")

LIST = 'if [ "$1" = --list-langs ]; then printf "List of available languages (2):\\neng\\nosd\\n"; exit; fi'


def playing(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, **chosen: object) -> TesseractOcr:
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{LIST}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return TesseractOcr(OcrSettings.model_validate({"ocr": "tesseract", **chosen}))


def test_the_picture_goes_in_and_the_text_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ocr = playing(tmp_path, monkeypatch, 'echo "$@"; cat; pwd', ocr_languages="eng+deu")

    arguments, image, folder = ocr.read(b"<image>\n").splitlines()

    assert arguments == "stdin stdout -l eng+deu --dpi 300"
    assert image == "<image>"
    assert "chatsphere-ocr-" in folder
    assert not Path(folder).exists()


def test_it_sees_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")

    assert "secret" not in playing(tmp_path, monkeypatch, "cat > /dev/null; env").read(b"x")


def test_a_page_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $! > {pids}; echo $$ >> {pids}; wait"
    ocr = playing(tmp_path, monkeypatch, script, ocr_page_seconds=0.5)

    with pytest.raises(ExtractionLimitError):
        ocr.read(b"x")

    for pid in pids.read_text().split():
        wait_for(partial(_is_gone, int(pid)), what="the end of the program's group")


def test_a_picture_that_it_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorruptDocumentError):
        playing(tmp_path, monkeypatch, "echo text; exit 1").read(b"x")


def test_a_program_that_takes_no_picture_is_no_broken_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert playing(tmp_path, monkeypatch, "echo early").read(b"x" * 1_000_000) == "early\n"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="tesseract-ocr-chi-sim tesseract-ocr-deu"):
        playing(tmp_path, monkeypatch, "", ocr_languages="eng+deu+chi_sim").check()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ConfigurationError, match="no program tesseract"):
        TesseractOcr(OcrSettings(ocr="tesseract")).check()


@pytest.mark.parametrize("languages", ["--psm", "eng;rm", "../eng", "e", ""])
def test_languages_are_names(languages: str) -> None:
    with pytest.raises(ValueError, match="ocr_languages"):
        OcrSettings(ocr_languages=languages)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_the_real_program_reads_a_page() -> None:
    page = pypdfium2.PdfDocument(make_pdf(["# The harvest of 1987 was large"]))

    assert TesseractOcr(OcrSettings(ocr="tesseract")).read(render_png(page, 0, 150)).strip() == (
        "The harvest of 1987 was large"
    )


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
