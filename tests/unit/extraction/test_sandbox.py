"""Whatever a parser does, the parent gets an error code, and the child is gone."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentError,
    EmptyDocumentError,
    ExtractionLimitError,
)
from chatsphere.knowledge.extraction import sandbox
from chatsphere.knowledge.extraction.extract import Extraction, start
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.protocol import Task, decode, error_of
from tests.unit.extraction.reading import memory_limit

LIMITS = ExtractionLimits(wall_seconds=60)
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are Linux's")


def run(parser: str, folder: Path, limits: ExtractionLimits = LIMITS, **more: object) -> Extraction:
    task = Task(f"tests.unit.extraction.hostile_parsers:{parser}", folder / "document", limits)
    return start(task, media_type="text/plain", **more)  # type: ignore[arg-type]


def read(parser: str, folder: Path, limits: ExtractionLimits = LIMITS) -> list[str]:
    with run(parser, folder, limits) as extraction:
        return [block.text for block in extraction.blocks]


@pytest.fixture(autouse=True)
def _no_child_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every child that a test started is reaped when the test ends."""
    started: list[subprocess.Popen[bytes]] = []
    spawn = sandbox._spawn

    def remember(task: Task) -> subprocess.Popen[bytes]:
        started.append(spawn(task))
        return started[-1]

    monkeypatch.setattr(sandbox, "_spawn", remember)
    yield
    for process in started:
        assert process.returncode is not None
        assert not exists(process.pid)


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_blocks_pages_and_title_come_through(tmp_path: Path) -> None:
    with run("well_behaved", tmp_path) as extraction:
        blocks = [block.text for block in extraction.blocks]

    assert (blocks, extraction.page_count, extraction.title) == (["one", "two"], 2, "A title")


@linux_only
def test_memory_is_limited(tmp_path: Path) -> None:
    with pytest.raises(ExtractionLimitError):
        read("eat_memory", tmp_path, memory_limit(300))


@linux_only
def test_cpu_time_is_limited(tmp_path: Path) -> None:
    with pytest.raises(ExtractionLimitError):
        read("spin", tmp_path, replace(LIMITS, cpu_seconds=1))


@pytest.mark.parametrize("parser", ["sleep", "spin", "spin_after_a_block"])
def test_wall_time_is_limited(parser: str, tmp_path: Path) -> None:
    with pytest.raises(ExtractionLimitError):
        read(parser, tmp_path, replace(LIMITS, wall_seconds=0.7))


@pytest.mark.parametrize("parser", ["flood", "flood_without_counting"])
def test_output_is_limited(parser: str, tmp_path: Path) -> None:
    with pytest.raises((ExtractionLimitError, CorruptDocumentError)) as caught:
        read(parser, tmp_path, replace(LIMITS, max_output_bytes=200_000))
    assert parser != "flood" or caught.type is ExtractionLimitError


@pytest.mark.parametrize("parser", ["crash", "leave", "fail"])
def test_a_parser_that_dies_is_a_corrupt_document(parser: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptDocumentError) as caught:
        read(parser, tmp_path)

    assert caught.value.detail == CorruptDocumentError.title


def test_a_parsers_bug_is_named_for_the_operator_without_the_documents_text(tmp_path: Path) -> None:
    with pytest.raises(CorruptDocumentError) as caught:
        read("fail", tmp_path)

    (note,) = caught.value.__notes__
    assert "ValueError at" in note
    assert "hostile_parsers.py" in note
    assert "SECRET" not in note


def test_what_a_library_prints_is_not_taken_for_blocks(tmp_path: Path) -> None:
    assert read("print_text", tmp_path) == ["fine"]


@linux_only
def test_the_child_cannot_write_files(tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        read("write_a_file", tmp_path)
    assert all(file.stat().st_size == 0 for file in tmp_path.iterdir())


def test_the_child_sees_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")

    (text,) = read("show_environment", tmp_path)

    assert set(text.split()[1:]) <= {"PYTHONPATH", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"}


def test_closing_early_ends_the_child(tmp_path: Path) -> None:
    with run("endless", tmp_path) as extraction:
        pid = int(next(extraction.blocks).text.split()[1])
        assert exists(pid)
    assert not exists(pid)


def test_an_abandoned_extraction_ends_the_child(tmp_path: Path) -> None:
    pid = int(next(run("endless", tmp_path).blocks).text.split()[1])

    assert not exists(pid)


def test_an_error_from_the_callers_progress_ends_the_child_and_comes_through(tmp_path: Path) -> None:
    class LeaseLostError(Exception):
        pass

    def lose_lease() -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        run("sleep", tmp_path, on_progress=lose_lease)


def test_progress_is_reported_while_waiting(tmp_path: Path) -> None:
    calls: list[int] = []

    with pytest.raises(ExtractionLimitError):
        run("sleep", tmp_path, replace(LIMITS, wall_seconds=2.5), on_progress=lambda: calls.append(1))

    assert len(calls) >= 2


def test_a_slow_reader_is_not_taken_for_a_slow_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("chatsphere.knowledge.extraction.sandbox.time.monotonic", lambda: now[0])

    with run("flood", tmp_path, replace(LIMITS, wall_seconds=5)) as extraction:
        for _ in range(100):
            assert next(extraction.blocks).text
            now[0] += 60


@linux_only
def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from tests.unit.extraction.test_sandbox import run\n"
        f"extraction = run('announce_and_spin', Path({str(tmp_path)!r}))\n"
        "print(next(extraction.blocks).text.split()[0], flush=True)\n"
        "list(extraction.blocks)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(timeout=30)

        ended, _, _ = select.select([child], [], [], 30)
        os.close(child)

    assert ended


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"3", b'"text"', b'{"text": ""}', b'{"text": 3, "kind": "paragraph", "page": 1, "path": []}',
     b'{"text": "x", "kind": "nonsense", "page": 1, "path": []}', b'{"end": 5, "note": ""}', b"\xff", b"[" * 100_000,
     b'{"page_count": "many", "title": null}'],
)  # fmt: skip
def test_a_line_that_is_not_the_protocol_is_a_corrupt_document(line: bytes) -> None:
    with pytest.raises(CorruptDocumentError):
        decode(line)


def test_a_reported_code_becomes_its_error_and_an_unknown_one_corrupt() -> None:
    assert isinstance(error_of("empty"), EmptyDocumentError)
    assert isinstance(error_of("internal_error"), CorruptDocumentError)
