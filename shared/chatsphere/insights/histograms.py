"""How long answers took, as counts of logarithmic buckets: those of many days, bots or models can be added up, and a
percentile of the sum is within a known relative error of the exact one.
"""

import math
from collections.abc import Mapping
from typing import Final

GAMMA: Final = 1.02
"""How much wider each bucket is than the one before."""

RELATIVE_ERROR: Final = (GAMMA - 1) / (GAMMA + 1)
"""How far a percentile may be from the exact one, as a share of it: below one percent."""

ZERO: Final = -1
"""The bucket of no time at all."""

BUCKET: Final = f"CASE WHEN ms <= 0 THEN {ZERO} ELSE ceil(ln(ms::double precision) / ln({GAMMA}))::integer END"
"""In SQL: the number of the bucket of `ms` milliseconds. Bucket i holds what is more than GAMMA^(i-1) and at most
GAMMA^i."""


def midpoint(bucket: int) -> float:
    """Return the milliseconds that stand for a bucket: no value in it is further away than `RELATIVE_ERROR`."""
    return 0.0 if bucket == ZERO else 2 * math.pow(GAMMA, bucket) / (GAMMA + 1)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the milliseconds that `share` (0 to 1) of all values do not exceed; None where there are none.

    It stands for the value at place ceil(share * n) of the n values in order (the first for 0): "nearest rank".
    """
    total = sum(counts.values())
    rank = max(1, math.ceil(share * total))
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return midpoint(bucket)
    return None
