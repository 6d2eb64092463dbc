"""`chatsphere env`: what a shell needs to reach a one-machine run with curl and the aws command line."""

import shlex

import typer

from chatsphere.cli.endpoints import candidates, find
from chatsphere.cli.errors import UsageError
from chatsphere.cli.options import command
from chatsphere.cli.session import Session


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "env")(env)


def env(session: Session) -> None:
    """Print the variables of the nearest one-machine run: eval "$(chatsphere env)" sets them."""
    environment = session.environment
    machine = find(environment.working_directory, environment.home)
    if machine is None:
        nearest = candidates(environment.working_directory, environment.home)[0]
        raise UsageError(f"No one-machine run: there is no {nearest}.", hint="Start one with `make up`.")
    lines = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in machine.variables.items())
    session.output.result(
        machine.variables, lambda console: console.print(lines, markup=False, soft_wrap=True, highlight=False)
    )
