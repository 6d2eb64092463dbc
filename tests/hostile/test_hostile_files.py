"""The table of hostile files, the quick ones of each kind; `python -m tests.hostile` reads all of them."""

from pathlib import Path

import pytest

from tests.hostile.__main__ import LIMITS, judge
from tests.hostile.files import FILES
from tests.hostile.measuring import read

QUICK = (
    "nul.txt", "program.pdf", "packed.gz", "deep.json", "tables.html", "encrypted.pdf", "scan.pdf",
    "laughs.docx", "sizes.docx", "sparse.xlsx", "laughs.pptx", "outside.epub", "nested.eml", "noise.doc",
)  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_it_ends_as_it_should(tmp_path: Path, name: str) -> None:
    [file] = [file for file in FILES if file.name == name]
    file.write(tmp_path / "file")

    assert judge(file, read(tmp_path / "file", name, LIMITS)) is None


def test_names_are_unique() -> None:
    assert len({file.name for file in FILES}) == len(FILES)


def test_the_judge_notices_a_wrong_end(tmp_path: Path) -> None:
    [file] = [file for file in FILES if file.name == "encrypted.pdf"]
    (tmp_path / "file").write_bytes(b"readable")

    assert judge(file, read(tmp_path / "file", "file.txt", LIMITS)) == "encrypted.pdf: read, not encrypted"
