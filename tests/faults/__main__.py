"""Runs once and prints the report; ends with 1 if a count that must be zero is not."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.run import Report, fault_run
from tests.faults.verify import WRONG


def main() -> int:
    """Read the command line, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="kept after the run; by default a temporary folder")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="chatsphere-faults-") as folder:
        home = arguments.home or Path(folder) / "home"
        report = fault_run(home, documents=arguments.documents, seed=arguments.seed)
    print(written(report))
    return 1 if wrong(report) else 0


def wrong(report: Report) -> dict[str, int]:
    """Return what should be zero and is not."""
    return {what: report.counts[what] for what in WRONG if report.counts[what]}


def written(report: Report) -> str:
    """Return the report as text."""
    lines = [f"{report.documents} documents, seed {report.seed}"]
    lines += [f"  {what}: {seconds:.0f} s" for what, seconds in report.seconds.items()]
    lines += ["events: " + ", ".join(f"{number} {what}" for what, number in report.events.items())]
    lines += [
        f"workers killed with SIGKILL: {report.kills.total()}, at {len(report.kills)} places before or after a call"
    ]
    lines += [f"  {number:>3} {place}" for place, number in sorted(report.kills.items())]
    lines += [f"{what}: {number}" for what, number in sorted(report.faults.items())]
    lines += [f"found and repaired by reconciliation: {dict(report.reconciled) or 'nothing'}"]
    lines += [f"redriven: {report.redriven}; dead letters: {report.dead_letters or 'none'}"]
    lines += [f"{what}: {number}" for what, number in sorted(report.counts.items()) if what not in WRONG]
    lines += [f"{what}: {report.counts[what]}" for what in WRONG]
    lines += ["FAILED" if wrong(report) else "PASSED"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
