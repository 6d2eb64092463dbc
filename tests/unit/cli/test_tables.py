"""Tables in terminals that are too narrow for them: no number and no id is cut short."""

import io
from typing import Any

import pytest
from rich.console import Console

from chatsphere.cli.insight_kinds import KINDS
from chatsphere.cli.insight_tables import show_groups
from chatsphere.cli.output import Rows

ID = "01a2047b-ba45-7ff0-8bbe-bfde734e5bed"


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, markup=False, highlight=False)


def printed(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


@pytest.mark.parametrize("width", [10, 40, 80, 160])
def test_what_cannot_be_broken_is_printed_whole(width: int) -> None:
    rows = Rows(["id", "tries", "text", "名前"], right=["tries"], wrap=["text"])
    rows.add(ID, "1,234,567", "words " * 30, "日本語の名前")
    shown = console(width)
    shown.print(rows.table)
    text = printed(shown)
    assert all(whole in text for whole in (ID, "1,234,567", "日本語の名前", "tries"))
    assert text.count("words") == 30


def test_a_table_that_fits_is_no_wider_than_the_terminal() -> None:
    rows = Rows(["id", "text"], elide=["text"])
    rows.add(ID, "words " * 30)
    shown = console(80)
    shown.print(rows.table)
    assert max(map(len, printed(shown).splitlines())) == 80
    assert "…" in printed(shown)


LATENCY: dict[str, Any] = {
    "group": "2026-11-22",
    "stage": "total",
    "answers": 12_345,
    "mean_ms": 1268.1,
    "p50_ms": 348.0,
    "p90_ms": 4053.2,
    "p95_ms": 4053.2,
    "p99_ms": 14053.2,
}


@pytest.mark.parametrize(("width", "bars"), [(60, 0), (90, 28), (160, 30)])
def test_bars_take_what_numbers_leave(width: int, bars: int) -> None:
    shown, kind = console(width), KINDS["latency"]
    report = {"data": [LATENCY], "since": "2026-11-22", "until": "2026-11-22"}
    show_groups(shown, "day", report, kind.columns, kind.charted, LATENCY)
    text = printed(shown)
    assert text.count("█") == bars
    assert text.count("12,345") == text.count("1,268") == text.count("14,053") == 2
