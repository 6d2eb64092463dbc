"""Timing of repeated calls, and tables of the result."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Timing:
    """Milliseconds of repeated calls."""

    name: str
    p50: float
    p95: float
    calls: int


def summarize(name: str, milliseconds: Sequence[float]) -> Timing:
    """Return the median and the 95th percentile."""
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    return Timing(name, cuts[49], cuts[94], len(milliseconds))


def time_calls(name: str, call: Callable[[int], object], *, calls: int, warm_up: int = 5) -> Timing:
    """Time `call(i)` for each i, after some calls that do not count."""
    for i in range(warm_up):
        call(-1 - i)
    taken = []
    for i in range(calls):
        start = time.perf_counter()
        call(i)
        taken.append((time.perf_counter() - start) * 1000)
    return summarize(name, taken)


def print_table(title: str, timings: Sequence[Timing], *, baseline: Timing) -> None:
    """Print the timings, each with its ratio to the baseline of the same run."""
    print(f"\n{title}\n")
    print(f"| {'what':42} | calls | p50 ms | p95 ms | p50 / baseline |")
    print(f"|{'-' * 44}|------:|-------:|-------:|---------------:|")
    for timing in (baseline, *timings):
        ratio = timing.p50 / baseline.p50
        print(f"| {timing.name:42} | {timing.calls:5} | {timing.p50:6.1f} | {timing.p95:6.1f} | {ratio:14.2f} |")
