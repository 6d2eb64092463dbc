"""What the functions write while a test runs: log lines and metrics, as CloudWatch would take them in."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from chatsphere.observability import logger

NOT_OF_THE_PRODUCT = frozenset({"werkzeug", "httpx"})
"""Loggers of moto's server and of the test's client, which run in this process, too."""

Line = dict[str, Any]


@dataclass
class Logbook:
    """Everything that was written, as text; and its parts, as objects."""

    _logged: StringIO = field(default_factory=StringIO)
    _printed: StringIO = field(default_factory=StringIO)

    @property
    def text(self) -> str:
        """Every character that was written."""
        return self._logged.getvalue() + self._printed.getvalue()

    @property
    def lines(self) -> list[Line]:
        """The log's lines."""
        return [json.loads(line) for line in self._logged.getvalue().splitlines()]

    @property
    def metrics(self) -> list[Line]:
        """The metrics' lines, in CloudWatch's embedded metric format."""
        return [json.loads(line) for line in self._printed.getvalue().splitlines() if '"_aws"' in line]

    def said(self, message: str) -> list[Line]:
        """Return the lines with this message."""
        return [line for line in self.lines if line["message"] == message]

    def totals(self) -> Counter[str]:
        """Return the sum of each metric's values."""
        found: Counter[str] = Counter()
        for line in self.metrics:
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                found[metric["Name"]] += sum(line[metric["Name"]])
        return found


@contextmanager
def kept_log() -> Iterator[Logbook]:
    """Keep what this process logs, libraries included, and prints."""
    book = Logbook()
    handler = logging.StreamHandler(book._logged)
    handler.setFormatter(logger.registered_formatter)
    handler.addFilter(lambda record: record.name not in NOT_OF_THE_PRODUCT)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with redirect_stdout(book._printed):
            yield book
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
