"""`python -m tests.fuzz`: at least 5,000 generated requests to the running product."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from infra.local.instance import running
from tests.fuzz.generating import generate
from tests.fuzz.subject import make_subject

LEAST_CASES: Final = 5000
WORKERS: Final = "1"
"""With more, Python 3.11's compiler loses count of its own depth now and then ("AST constructor recursion depth
mismatch"), in a helper of the generator's; the run then has an error that is nobody's.
"""


def main() -> int:
    """Start an instance, try all of its operations, print what was found; 0 where nothing was."""
    arguments = _arguments()
    began = time.monotonic()
    home = tempfile.TemporaryDirectory(prefix="chatsphere-fuzz-", ignore_cleanup_errors=True)
    with home, running(Path(home.name)) as endpoints:
        outcome = generate(
            make_subject(endpoints.api),
            phases="examples,coverage,fuzzing",
            examples=arguments.examples,
            seed=arguments.seed,
            options=("--workers", WORKERS),
        )
    if outcome.faults:
        print(outcome.output)
    print(f"fuzz: {outcome}, seed {arguments.seed}, {time.monotonic() - began:.0f} s")
    if outcome.cases < arguments.least:
        print(f"fuzz: fewer than {arguments.least} cases")
    return int(bool(outcome.faults or outcome.cases < arguments.least))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=40, help="generated requests of the last phase, an operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=int, default=LEAST_CASES, help="fail with fewer cases than this")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
