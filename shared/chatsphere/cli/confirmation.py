"""Asking before what cannot be taken back."""

import sys

import typer

from chatsphere.cli.errors import CliError, UsageError
from chatsphere.cli.session import Session


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Go on if the user agrees.

    Raises:
        UsageError: nobody is there to ask, and --yes was not given.
        CliError: the user declined.
    """
    if yes:
        return
    if session.output.as_json or not sys.stdin.isatty():
        raise UsageError("This cannot be taken back, and there is nobody to ask.", hint="Give --yes.")
    if not typer.confirm(question, err=True):
        raise CliError("Nothing was deleted.", code="declined")
