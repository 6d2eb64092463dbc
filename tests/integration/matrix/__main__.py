"""`python -m tests.integration.matrix`: tries every cell and prints what came of it."""

import sys

from tests.integration.matrix.borrowing import run_loans
from tests.integration.matrix.cells import run
from tests.integration.matrix.unguarded import run_unguarded, run_without_policies
from tests.integration.matrix.world import running_world
from tests.postgres import fresh_database, running_server


def main() -> int:
    """Print how many cells each outcome has, and each fault; return how many faults."""
    with running_server() as server, fresh_database(server) as urls, running_world(urls) as world:
        reports = {
            "matrix": run(world),
            "bodies that name a stranger's object": run_loans(world),
            "without the application's filters": run_unguarded(world),
            "without the database's policies": run_without_policies(world),
        }
    for outcome, count in sorted(reports["matrix"].tried.items(), key=str):
        print(f"{count:6}  {outcome}")
    for name, report in reports.items():
        print(*report.faults, f"{name}: {report}", sep="\n")
    return sum(len(report.faults) for report in reports.values())


if __name__ == "__main__":
    sys.exit(min(main(), 1))
