"""Words for the person at the terminal."""

import sys


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Print an error."""
    print(f"error: {text}", file=sys.stderr, flush=True)
