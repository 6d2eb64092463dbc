"""What a run costs: S3's requests and the archive's storage, by list price."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

PUT_NANODOLLARS: Final = 5_000
"""Of a PUT, COPY, POST or LIST request; S3 Standard in us-east-1: 0.005 USD per thousand."""

GET_NANODOLLARS: Final = 400
"""Of a GET request: 0.0004 USD per thousand. Deletions cost nothing."""

MONTH_NANODOLLARS_PER_MIB: Final = 22_461
"""Of storage: 0.023 USD for each GiB and month."""

MIB: Final = 1024 * 1024

PACKED: Final = 0.4
"""Bytes in Parquet for each byte of a row, as `tests.bench.retention` measures it on texts that pack badly. What it was
is in a run's report.
"""

ROWS_PER_FILE: Final = 4_000
"""Rows of one batch, which writes its months' files once."""

DATASETS: Final = {"messages": 1, "conversation": 2}
"""Files that a batch writes for each month, at least: messages, and with conversations these."""


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate before the run: `put_requests` write, `get_requests` read again what was written."""

    rows: int
    bytes: int
    archive_bytes: int
    put_requests: int
    get_requests: int
    microdollars: int
    storage_microdollars_per_month: int

    def to_json(self) -> dict[str, int]:
        """Return it."""
        return asdict(self)


def cost_of(totals: Iterable[Mapping[str, Any]]) -> Cost:
    """Return what doing all that is listed costs; `totals` as of `run_queries.TOTALS`."""
    rows = size = archived = puts = gets = 0
    for each in totals:
        if each["action"] == "keep":
            continue
        rows += each["rows"] + (each["messages"] if each["kind"] == "conversation" else 0)
        size += each["bytes"]
        if each["action"] == "archive":
            archived += each["bytes"]
            writes = DATASETS[each["kind"]] * max(each["places"], math.ceil(each["messages"] / ROWS_PER_FILE))
            puts, gets = puts + writes, gets + writes
        if each["kind"] == "document":
            # Its versions are listed before and after.
            puts += 2 * each["items"]
    packed = int(archived * PACKED)
    return Cost(
        rows=rows,
        bytes=size,
        archive_bytes=packed,
        put_requests=puts,
        get_requests=gets,
        microdollars=math.ceil((puts * PUT_NANODOLLARS + gets * GET_NANODOLLARS) / 1000),
        storage_microdollars_per_month=math.ceil(packed * MONTH_NANODOLLARS_PER_MIB / MIB / 1000),
    )
