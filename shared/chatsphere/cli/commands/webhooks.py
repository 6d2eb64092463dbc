"""`chatsphere webhooks …`: who is told of events, what was sent, and a receiver to try it with."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.confirmation import confirm
from chatsphere.cli.formatting import moment, one_line
from chatsphere.cli.options import command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session
from chatsphere.cli.webhook_receiver import receive

if TYPE_CHECKING:
    from rich.console import Console

WebhookArgument = Annotated[str, typer.Argument(metavar="ID", help="The webhook.")]
COLUMNS = ("id", "url", "state", "events", "bots")
DELIVERY_COLUMNS = ("id", "when", "type", "status", "tries", "answer", "ms", "next try")


class Status(StrEnum):
    """What came of a delivery."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="Have other systems told of events.")
    command(group, "types")(types)
    command(group, "add")(add)
    command(group, "list")(list_webhooks)
    command(group, "enable")(enable)
    command(group, "disable")(disable)
    command(group, "test")(test)
    command(group, "deliveries")(deliveries)
    command(group, "replay")(replay)
    command(group, "rotate")(rotate)
    command(group, "remove")(remove)
    command(group, "listen")(listen)
    app.add_typer(group, name="webhooks")


def types(session: Session) -> None:
    """List what a webhook may be told."""
    found = session.client.get("/webhook-event-types")
    session.output.result(found, lambda console: _show_types(console, found["data"]))


def add(
    session: Session,
    url: Annotated[str, typer.Argument(help="https, of a public host.")],
    event: Annotated[list[str] | None, typer.Option("--event", "-e", help="Only this type; may be repeated.")] = None,
    bot: Annotated[
        list[str] | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="Only of this bot; may be repeated.")
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Have events sent to a URL; the secret that signs them is shown this once."""
    bots = None if not bot else [lookup.bot_id(session, reference) for reference in bot]
    body = {"url": url, "event_types": event or [], "bot_ids": bots, "description": description}
    made = session.client.post("/webhooks", body)
    session.output.result(made, lambda console: _show_secret(console, made))


def list_webhooks(session: Session) -> None:
    """List the webhooks, the newest first."""
    found = list(session.client.items("/webhooks"))
    session.output.result({"data": found}, lambda console: _show(console, found))


def enable(session: Session, webhook: WebhookArgument) -> None:
    """Send events again; past failures are forgotten."""
    _change(session, webhook, is_enabled=True)


def disable(session: Session, webhook: WebhookArgument) -> None:
    """Send nothing, and keep nothing to be sent."""
    _change(session, webhook, is_enabled=False)


def test(session: Session, webhook: WebhookArgument) -> None:
    """Send a test event, at once."""
    made = session.client.post(f"/webhooks/{webhook}/test", {})
    session.output.result(made, lambda console: _show_deliveries(console, [made]))


def deliveries(
    session: Session,
    webhook: WebhookArgument,
    status: Annotated[Status | None, typer.Option(help="What came of them.")] = None,
    event: Annotated[str | None, typer.Option("--event", "-e", help="Only this type.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
) -> None:
    """List what was sent, the newest first."""
    query = {"status": status.value if status else None, "type": event}
    found = list(islice(session.client.items(f"/webhooks/{webhook}/deliveries", query), limit))
    session.output.result({"data": found}, lambda console: _show_deliveries(console, found))


def replay(
    session: Session,
    webhook: WebhookArgument,
    delivery: Annotated[str | None, typer.Argument(metavar="[DELIVERY]", help="Only this one.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="Without one: what failed in the last hours.")] = 24,
) -> None:
    """Send a delivery again, or all that failed lately."""
    if delivery is not None:
        again = session.client.post(f"/webhooks/{webhook}/deliveries/{delivery}/replay", {})
        session.output.result(again, lambda console: _show_deliveries(console, [again]))
        return
    since = datetime.now(UTC) - timedelta(hours=hours)
    count = session.client.post(f"/webhooks/{webhook}/replay", {"since": since.isoformat()})
    session.output.result(count, lambda console: console.print(f"{count['replayed']} are sent again."))


def rotate(
    session: Session,
    webhook: WebhookArgument,
    overlap: Annotated[int, typer.Option(min=0, max=168, help="Hours in which the former secret signs, too.")] = 24,
) -> None:
    """Sign with a new secret, which is shown this once."""
    made = session.client.post(f"/webhooks/{webhook}/rotate-secret", {"overlap_seconds": overlap * 3600})
    session.output.result(made, lambda console: _show_secret(console, made))


def remove(
    session: Session, webhook: WebhookArgument, yes: Annotated[bool, typer.Option("--yes", "-y")] = False
) -> None:
    """Delete a webhook with its deliveries."""
    confirm(session, "Delete the webhook and what is known of its deliveries?", yes=yes)
    session.client.delete(f"/webhooks/{webhook}")
    session.output.result({"id": webhook}, lambda console: console.print("Deleted."))


def listen(
    session: Session,
    secret: Annotated[str, typer.Option(envvar="CHATSPHERE_WEBHOOK_SECRET", help="The webhook's: whsec_….")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="On loopback; 0: any free one.")] = 9000,
    count: Annotated[int, typer.Option(min=0, help="End after so many; 0: with Ctrl-C.")] = 0,
) -> None:
    """Receive events on this machine, verify and print them: one JSON document a line."""

    def say(address: str) -> None:
        session.output.note(f"Listening at {address}")

    receive(secret, port, count, say=say, show=session.output.json_line)


def _change(session: Session, webhook: str, **changes: Any) -> None:
    changed = session.client.patch(f"/webhooks/{webhook}", changes)
    session.output.result(changed, lambda console: _show(console, [changed]))


def _show_secret(console: "Console", made: dict[str, Any]) -> None:
    _show(console, [made])
    console.print(f"Secret (shown this once): {made['secret']}")


def _show(console: "Console", webhooks: list[dict[str, Any]]) -> None:
    rows = Rows(list(COLUMNS), wrap=["url", "events"])
    for one in webhooks:
        state = "enabled" if one["is_enabled"] else f"disabled ({one['disabled_reason']})"
        if one["is_enabled"] and one["failing_since"]:
            state = f"failing since {moment(one['failing_since'])}"
        bots = "all" if one["bot_ids"] is None else str(len(one["bot_ids"]))
        rows.add(one["id"], one_line(one["url"]), state, ", ".join(one["event_types"]) or "all", bots)
    console.print(rows.table)


def _show_deliveries(console: "Console", found: list[dict[str, Any]]) -> None:
    rows = Rows(list(DELIVERY_COLUMNS), right=["tries", "ms"])
    for one in found:
        answer = one["last_error"] or "" if one["last_status"] is None else str(one["last_status"])
        milliseconds = "" if one["latency_ms"] is None else str(one["latency_ms"])
        again = moment(one["next_attempt_at"]) if one["next_attempt_at"] else ""
        when = moment(one["occurred_at"])
        rows.add(one["id"], when, one["type"], one["status"], str(one["attempts"]), answer, milliseconds, again)
    console.print(rows.table)


def _show_types(console: "Console", found: list[dict[str, Any]]) -> None:
    rows = Rows(["type", "when", "data"], wrap=["when", "data"])
    for one in found:
        rows.add(one["type"], one["description"], ", ".join(field["name"] for field in one["fields"]))
    console.print(rows.table)
