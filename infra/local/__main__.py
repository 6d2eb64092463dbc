"""`python -m infra.local up|measure`."""

import argparse
import os
import sys
from pathlib import Path

from infra.local.chatsphere_product import chatsphere
from infra.local.console import complain
from infra.local.errors import ProviderSettingsError
from infra.local.home import Home
from infra.local.providers import provider_values
from infra.local.up import up


def main() -> int:
    """Run the command named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="run an instance until Ctrl-C")
    start.add_argument("--home", type=Path, default=Path(os.environ.get("CHATSPHERE_HOME") or ".chatsphere"))
    start.add_argument("--port", type=_port, default=os.environ.get("PORT") or "8000")
    commands.add_parser("measure", help="start an instance in a temporary home; print its time, memory and CPU")
    arguments = parser.parse_args()
    if arguments.command == "measure":
        from infra.local.measure import measure  # needs psutil and rich, which `up` does not

        return measure()
    try:
        product = chatsphere(provider_values(os.environ))
    except ProviderSettingsError as error:
        complain(str(error))
        return 1
    return up(product, Home(arguments.home.resolve()), arguments.port)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: PORT is a number from 0 (any free one) to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
