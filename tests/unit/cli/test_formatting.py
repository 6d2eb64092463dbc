"""Values as people read them."""

import re

import pytest

from chatsphere.cli.formatting import moment, one_line, pages, plain, size


def test_text_cannot_steer_a_terminal() -> None:
    assert plain("a\x1b[31m\rb\x9bc\u202ed\te\nf") == "a[31mbcd\te\nf"


def test_long_text_is_elided_on_one_line() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("x" * 10, 5) == "xxxx…"
    assert one_line("x" * 5, 5) == "xxxxx"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 KB"),
        (25_000, "25 KB"),
        (3_200_000, "3.2 MB"),
        (4e9, "4.0 GB"),
    ],
)
def test_sizes(count: int | None, expected: str) -> None:
    assert size(count) == expected


def test_pages() -> None:
    assert (pages(None), pages(3), pages(3, 3), pages(3, 4)) == ("", "p. 3", "p. 3", "pp. 3-4")


def test_moments_are_local_and_short() -> None:
    assert re.fullmatch(r"2026-01-0[123] \d\d:\d\d", moment("2026-01-02T03:04:05.678Z"))
    assert moment(None) == moment("yesterday") == ""
