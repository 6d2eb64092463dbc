"""`chatsphere login` and `chatsphere logout`."""

import sys
from typing import Annotated

import typer

from chatsphere.cli.authorization import login_from
from chatsphere.cli.errors import CliError, UsageError
from chatsphere.cli.options import command
from chatsphere.cli.session import Session


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "login")(login)
    command(app, "logout")(logout)


def login(
    session: Session,
    email: Annotated[str | None, typer.Option(help="Mail address; asked for if left out.")] = None,
    password: Annotated[str | None, typer.Option(help="Password; better typed when asked for.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    code: Annotated[
        str | None, typer.Option(help="Code of the second factor, or a recovery code; asked for where it is needed.")
    ] = None,
    register_: Annotated[bool, typer.Option("--register", help="Make a new account.")] = False,
    first_name: Annotated[str | None, typer.Option(help="With --register.")] = None,
    last_name: Annotated[str | None, typer.Option(help="With --register.")] = None,
) -> None:
    """Log in and keep the login for later commands."""
    email = email or _ask("Email")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    password = password or _ask("Password", hide=True, confirm=register_)
    body = {"email": email, "password": password}
    if register_:
        body |= {
            "first_name": _optional(first_name, "First name"),
            "last_name": _optional(last_name, "Last name"),
        }
    answer = session.anonymous.post("/auth/register" if register_ else "/auth/login", body)
    if answer.get("mfa_required"):
        given = {"mfa_token": answer["mfa_token"], "code": code or _ask("Code")}
        answer = session.anonymous.post("/auth/mfa/verify", given)
    session.store.put(session.target.api, login_from(answer, email))
    session.output.result(
        {"api": session.target.api, "email": email, "stored_in": str(session.store.path)},
        lambda console: console.print(f"Logged in to {session.target.api} as {email}."),
    )


def logout(session: Session) -> None:
    """End the stored login, at the server and here."""
    api = session.target.api
    stored = session.store.get(api)
    if stored is not None:
        session.store.remove(api)
        try:
            session.anonymous.post("/auth/logout", {"refresh_token": stored.refresh_token})
        except CliError as error:
            # Forgotten here in any case; the server forgets it when it expires.
            session.output.note(f"The server could not be told: {error.detail}")
    session.output.result(
        {"api": api, "logged_out": stored is not None},
        lambda console: console.print(f"Logged out of {api}." if stored else f"There was no login at {api}."),
    )


def _optional(given: str | None, label: str) -> str:
    """Return a name; it may stay empty, so it is asked for only where somebody can answer."""
    if given is not None or not sys.stdin.isatty():
        return given or ""
    return str(typer.prompt(label, default="", show_default=False, err=True))


def _ask(label: str, *, hide: bool = False, confirm: bool = False) -> str:
    if not sys.stdin.isatty():
        option = "--" + label.lower().replace(" ", "-")
        raise UsageError(f"{label} is missing and there is no terminal to ask at.", hint=f"Give it with {option}.")
    return str(typer.prompt(label, hide_input=hide, confirmation_prompt=confirm, err=True))
