"""`chatsphere status`: is it there, is it well, and who am I to it?"""

from typing import TYPE_CHECKING, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ApiError, CliError, ExitCode
from chatsphere.cli.formatting import plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

STATUSES = ("registered", "extracting", "embedding", "ready", "failed", "deleting")


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "status")(status)


def status(session: Session, bot: BotOption = None) -> ExitCode:
    """Show the API's health, who you are to it, and what a bot holds."""
    report: dict[str, Any] = {"api": session.target.api, "api_from": session.target.source, **_health(session)}
    report |= _identity(session)
    if report["identity"] is not None:
        report["bots"] = sum(1 for _ in session.client.items("/bots"))
        if bot is not None or report["bots"] == 1 or session.target.default_bot_id:
            report["bot"] = _bot(session, bot)
    session.output.result(report, lambda console: _show(console, report))
    if report["identity"] is None:
        return ExitCode.UNAUTHENTICATED
    return ExitCode.OK if report["ready"] else ExitCode.FAILED


def _health(session: Session) -> dict[str, Any]:
    """Return whether the API lives and is ready; what is not ready is in `checks`."""
    health = session.anonymous.impatient()
    live = health.get("/health/live")
    try:
        ready, details = True, health.get("/health/ready")
    except ApiError as error:
        ready, details = False, {"detail": error.detail}
    version = live.get("version") or details.get("version")
    return {"live": True, "ready": ready, "version": version, "checks": details.get("checks") or details}


def _identity(session: Session) -> dict[str, Any]:
    """Return who is asking, or None and why there is nobody."""
    try:
        me = session.client.get("/me")
    except CliError as error:
        if error.exit_code is not ExitCode.UNAUTHENTICATED:
            raise
        return {"identity": None, "identity_from": None, "problem": error.as_json()}
    identity = session.target.identity
    return {"identity": me, "identity_from": identity.source if identity else None}


def _bot(session: Session, reference: str | None) -> dict[str, Any]:
    bot = session.client.get(f"/bots/{lookup.bot_id(session, reference)}")
    counts = dict.fromkeys(STATUSES, 0)
    for document in session.client.items(f"/bots/{bot['id']}/documents"):
        counts[document["status"]] = counts.get(document["status"], 0) + 1
    return {"id": bot["id"], "name": bot["name"], "documents": counts}


def _show(console: "Console", report: dict[str, Any]) -> None:
    version = f", version {report['version']}" if report["version"] else ""
    console.print(f"{report['api']} ({report['api_from']}) is {'ready' if report['ready'] else 'NOT ready'}{version}")
    if not report["ready"]:
        console.print(f"  {plain(report['checks'])}", style="red", soft_wrap=True)
    if report["identity"] is None:
        console.print(f"Not logged in: {report['problem']['detail']}", style="red", soft_wrap=True)
        return
    bots = "1 bot" if report["bots"] == 1 else f"{report['bots']} bots"
    console.print(f"You are {who(report['identity'])} (by {report['identity_from']}); {bots}", soft_wrap=True)
    if bot := report.get("bot"):
        counts = {name: count for name, count in bot["documents"].items() if count}
        console.print(f"Documents of {plain(bot['name'])} ({bot['id']}):" + ("" if counts else " none"))
        rows = Rows(["status", "documents"], right=["documents"])
        for name, count in counts.items():
            rows.add(name, str(count))
        if counts:
            console.print(rows.table)


def who(me: dict[str, Any]) -> str:
    """Return a person's mail address and organization as `GET /me` gives them."""
    user = me.get("user") or me
    organization = me.get("organization") or {}
    email = user.get("email") or user.get("id") or "somebody"
    return plain(f"{email} of {organization['name']}" if organization.get("name") else email)
