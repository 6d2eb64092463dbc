"""The fault run, small: `python -m tests.faults` runs it large."""

from pathlib import Path

import pytest

from tests.faults.__main__ import written, wrong
from tests.faults.run import fault_run

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults")]


def test_under_fire_every_document_ends_as_it_should(home: Path) -> None:
    report = fault_run(home, documents=24, seed=1, organizations=2, bots_each=1)

    assert not wrong(report), written(report)
    assert report.counts["ready as they should"] + report.counts["failed as they should"] > 15
    # It was no calm day: a run in which nothing failed shows nothing.
    assert report.kills.total() >= 8, written(report)
    assert report.events["delivered"] > report.events["taken"] - report.events["dropped"]
