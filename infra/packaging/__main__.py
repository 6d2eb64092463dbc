"""`python -m infra.packaging sizes | certificates <PEM file>…`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.packaging.certificates import write_bundle
from infra.packaging.errors import PackagingError
from infra.packaging.sizes import print_sizes
from infra.packaging.targets import lambda_arm64


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sizes", help="build everything, print every size; fails where a budget is exceeded")
    refresh = commands.add_parser("certificates", help="choose the databases' root certificates from PEM files anew")
    refresh.add_argument("sources", type=Path, nargs="+")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "sizes":
            return 0 if print_sizes(lambda_arm64()) else 1
        print(f"{write_bundle(chosen.sources)} certificates")
    except (PackagingError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
