"""Search under change, for as long as one likes: `python -m tests.consistency --seconds 60 --seed 1`."""

import argparse
import logging
import os
import sys

from tests.consistency.run import run
from tests.postgres import fresh_database, running_server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readers", type=int, default=3)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    with running_server() as server, fresh_database(server) as urls:
        report = run(urls, seconds=options.seconds, seed=options.seed, readers=options.readers)
    sys.stdout.write(f"{report} (seed {options.seed}, {options.readers} readers, {options.seconds:g} s)\n")
    for example in report.examples[:5]:
        sys.stderr.write(f"{example}\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
