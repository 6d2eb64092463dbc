"""Which files are dropped, and their names."""

import os
import sys
from pathlib import Path

import pytest

from chatsphere.cli.errors import UsageError
from chatsphere.cli.files import LocalFile, collect


def names(*paths: Path) -> list[str]:
    return [file.name for file in collect(paths)]


def test_a_folder_gives_what_is_in_it_but_not_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", ".hidden", ".git/config", "a/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    assert names(tmp_path) == ["b.txt", "a/c.txt"]
    assert names(tmp_path / ".hidden") == [".hidden"]


def test_a_file_named_twice_is_dropped_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert names(tmp_path, tmp_path / "a.txt") == ["a.txt"]


def test_letters_are_composed(tmp_path: Path) -> None:
    (tmp_path / "u\u0308ber.txt").write_text("x")
    assert names(tmp_path) == ["über.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_a_name_that_is_no_text_is_made_one(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt")).write_text("x")
    assert names(tmp_path) == ["a\ufffd.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_what_is_no_file_is_left_out_or_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text("x")

    assert names(tmp_path) == ["a.txt"]
    with pytest.raises(UsageError, match="neither"):
        collect([tmp_path / "pipe"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", "application/pdf"),
        ("a.MD", "text/markdown"),
        ("a.csv", "text/csv"),
        ("a.html", "text/html"),
        ("a.txt", "text/plain"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.csv.gz", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_types_do_not_depend_on_the_machine(name: str, expected: str) -> None:
    assert LocalFile(Path(name), name).content_type == expected
