"""Random sequences for as long as one likes: `python -m tests.integration.access_model --steps 20000 --seed 1`."""

import argparse
import sys
from collections import Counter
from random import Random

from tests.integration.access_model.run import DisagreementError
from tests.integration.access_model.sequences import NAMES, api_of_sequences, run_sequence
from tests.integration.access_model.steps import random_steps
from tests.postgres import fresh_database, running_server

LENGTH = 200
"""Steps of one sequence; the next begins in an empty world beside it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="Show how often each operation got each status.")
    options = parser.parse_args()
    random, answers, disagreements = Random(options.seed), Counter[tuple[str, int]](), 0
    with running_server() as server, fresh_database(server) as urls, api_of_sequences(urls) as api:
        for sequence in range(options.steps // LENGTH):
            try:
                answers += run_sequence(api, random_steps(random, NAMES, LENGTH))
            except DisagreementError as error:
                disagreements += 1
                sys.stderr.write(f"sequence {sequence}: {error}\n")
    statuses = Counter[int]()
    for (_, status), count in answers.items():
        statuses[status] += count
    shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    sys.stdout.write(
        f"{options.steps // LENGTH * LENGTH} steps (seed {options.seed}), {answers.total()} requests compared with the"
        f" model ({shown}), {disagreements} disagreements\n"
    )
    if options.coverage:
        for operation in sorted({operation for operation, _ in answers}):
            of = ", ".join(f"{s}: {n}" for (o, s), n in sorted(answers.items()) if o == operation)
            sys.stdout.write(f"  {operation}: {of}\n")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
