"""`chatsphere retention …`: policies, runs and legal holds."""

import time
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ExitCode, UsageError
from chatsphere.cli.formatting import moment, one_line, plain, size
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

PAUSE_SECONDS: Final = 1.0

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
HoldArgument = Annotated[str, typer.Argument(metavar="ID", help="A hold, as `retention holds list` shows it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: a case's number, for instance.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What goes when: policies, runs, legal holds.")
    policy = typer.Typer(no_args_is_help=True, help="For how long what is kept.")
    command(policy, "show")(show_policy)
    command(policy, "set")(set_policy)
    holds = typer.Typer(no_args_is_help=True, help="What must not be deleted.")
    command(holds, "add")(add_hold)
    command(holds, "list")(list_holds)
    command(holds, "release")(release_hold)
    command(group, "dry-run")(dry_run)
    command(group, "run")(run)
    command(group, "runs")(list_runs)
    group.add_typer(policy, name="policy")
    group.add_typer(holds, name="holds")
    app.add_typer(group, name="retention")


def show_policy(session: Session, bot: BotOption = None) -> None:
    """Show the organization's policy, or a bot's as it applies."""
    found = session.client.get(_policy_path(session, bot))
    session.output.result(found, lambda console: _show_policy(console, found))


def set_policy(
    session: Session,
    rules: Annotated[
        list[str] | None,
        typer.Argument(metavar="FIELD=VALUE…", help="Days, `never`, `archive` or `delete`; others stay as they are."),
    ] = None,
    bot: BotOption = None,
    reset: Annotated[bool, typer.Option(help="Forget first what was decided before.")] = False,
) -> None:
    """Decide for how long what is kept: `retention policy set message_days=30 message_action=delete`."""
    path = _policy_path(session, bot)
    present = session.client.get(path)
    body = {} if reset else {name: present[name] for name in present["named"]}
    body |= dict(_rule(rule) for rule in rules or ())
    if bot and not body:
        session.client.delete(path)
        found = session.client.get(path)
    else:
        found = session.client.put(path, body)
    session.output.result(found, lambda console: _show_policy(console, found))


def dry_run(session: Session, bot: BotOption = None, limit: LimitOption = 50) -> ExitCode:
    """List what a run would do now, and what it would cost."""
    return _run(session, bot, dry=True, limit=limit, wait=True)


def run(
    session: Session,
    bot: BotOption = None,
    limit: LimitOption = 20,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> ExitCode:
    """Run retention now, for one bot or for all. It also runs by itself, every day."""
    return _run(session, bot, dry=False, limit=limit, wait=wait)


def list_runs(session: Session, limit: LimitOption = 20) -> None:
    """List the runs, newest first."""
    found = list(islice(session.client.items("/retention/runs", {}), limit))
    session.output.result({"data": found}, lambda console: _show_runs(console, found))


def add_hold(
    session: Session,
    reason: ReasonOption,
    bot: Annotated[str | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="A bot with all of it.")] = None,
    conversation: Annotated[str | None, typer.Option(metavar="ID", help="A conversation.")] = None,
    user: Annotated[str | None, typer.Option(help="With --bot: what this end user said.")] = None,
) -> None:
    """Hold the organization, a bot, a conversation or an end user: nothing of it is deleted until it is released."""
    if user and not bot:
        raise UsageError("Name the bot of the end user with --bot.")
    body = {"conversation_id": conversation, "end_user_id": user}
    body["bot_id"] = lookup.bot_id(session, bot) if bot else None
    named = {name: value for name, value in body.items() if value}
    found = session.client.post("/legal-holds", {"reason": reason, **named})
    session.output.result(found, lambda console: _show_holds(console, [found]))


def list_holds(
    session: Session,
    released: Annotated[bool, typer.Option("--all", help="Released ones, too.")] = False,
    limit: LimitOption = 20,
) -> None:
    """List the legal holds, newest first."""
    query = {} if released else {"active": "true"}
    found = list(islice(session.client.items("/legal-holds", query), limit))
    session.output.result({"data": found}, lambda console: _show_holds(console, found))


def release_hold(session: Session, hold: HoldArgument) -> None:
    """Release a hold. Its record stays, with who and when."""
    session.client.delete(f"/legal-holds/{hold}")
    found = session.client.get(f"/legal-holds/{hold}")
    session.output.result(found, lambda console: _show_holds(console, [found]))


def _policy_path(session: Session, bot: str | None) -> str:
    return f"/bots/{lookup.bot_id(session, bot)}/retention-policy" if bot else "/retention/policy"


def _rule(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found:
        raise UsageError(f"{text}: write FIELD=VALUE, as message_days=30.")
    if value == "never":
        return name, None
    return name, int(value) if value.isdecimal() else value


def _run(session: Session, bot: str | None, *, dry: bool, limit: int, wait: bool) -> ExitCode:
    body: dict[str, Any] = {"dry_run": dry}
    if bot:
        body["bot_id"] = lookup.bot_id(session, bot)
    found: Any = session.client.post("/retention/runs", body)["run"]
    while wait and found["status"] == "running":
        time.sleep(PAUSE_SECONDS)
        found = session.client.get(f"/retention/runs/{found['id']}")
    items = list(islice(session.client.items(f"/retention/runs/{found['id']}/items", {}), limit)) if wait else []
    session.output.result({**found, "data": items}, lambda console: _show_run(console, found, items))
    return ExitCode.FAILED if found["status"] == "failed" else ExitCode.OK


def _show_policy(console: "Console", policy: dict[str, Any]) -> None:
    table = Rows(["field", "value", ""])
    for name, value in policy.items():
        if name.endswith(("_days", "_action")):
            table.add(name, "never" if value is None else str(value), "decided" if name in policy["named"] else "")
    console.print(table.table)


def _show_run(console: "Console", run: dict[str, Any], items: list[dict[str, Any]]) -> None:
    numbers = ["rows", "messages", "size"]
    table = Rows(["what", "of", "action", "by", *numbers, "status"], right=numbers)
    for item in items:
        about = item["conversation_id"] or item["document_id"] or item["day"] or item["bot_id"] or ""
        counts = (str(item["rows"]), str(item["messages"]), size(item["bytes"]))
        table.add(item["kind"], about, item["action"], item["reason"], *counts, item["status"])
    console.print(table.table)
    kind = "Dry run" if run["dry_run"] else "Run"
    console.print(f"{kind} {run['id']}: {run['status']}, {run['listed']} items.")
    if report := run["report"]:
        estimate, kept = report["estimate"], report["kept_by_holds"]
        removed = ", ".join(f"{number} {name}" for name, number in report["removed"].items())
        console.print(f"Removed: {removed or 'nothing'}. Files of the archive: {report['archived_files']}.")
        console.print(f"Kept by legal holds: {kept['rows']} rows, {size(kept['bytes'])}.")
        console.print(
            f"Estimate: {estimate['rows']} rows, {size(estimate['bytes'])}, archive {size(estimate['archive_bytes'])}, "
            f"{estimate['put_requests'] + estimate['get_requests']} requests, {estimate['microdollars']} micro-dollars."
        )
    if run["error_code"]:
        console.print(f"Error: {plain(run['error_code'])}")


def _show_runs(console: "Console", runs: list[dict[str, Any]]) -> None:
    table = Rows(["id", "kind", "status", "items", "removed", "began"], right=["items", "removed"])
    for each in runs:
        removed = sum((each["report"] or {"removed": {}})["removed"].values())
        kind = "dry run" if each["dry_run"] else "run" if each["requested_by"] else "daily run"
        table.add(each["id"], kind, each["status"], str(each["listed"]), str(removed), moment(each["started_at"]))
    console.print(table.table)


def _show_holds(console: "Console", holds: list[dict[str, Any]]) -> None:
    table = Rows(["id", "subject", "of", "reason", "since", "released"])
    for hold in holds:
        about = hold["conversation_id"] or hold["end_user_id"] or hold["bot_id"] or ""
        released = moment(hold["released_at"]) if hold["released_at"] else ""
        table.add(hold["id"], hold["subject"], about, one_line(hold["reason"], 40), moment(hold["made_at"]), released)
    console.print(table.table)
