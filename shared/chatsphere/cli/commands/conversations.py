"""`chatsphere conversations …`: list, search, show, users."""

import json
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import UsageError
from chatsphere.cli.formatting import moment, one_line, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
UserOption = Annotated[str | None, typer.Option(help="Only this end user's.")]
MetadataOption = Annotated[
    list[str] | None, typer.Option("--metadata", metavar="KEY=VALUE", help="Only with this value; may be repeated.")
]


class Mode(StrEnum):
    """What a search goes by."""

    FULLTEXT = "fulltext"
    SEMANTIC = "semantic"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What was said.")
    command(group, "list")(list_conversations)
    command(group, "search")(search)
    command(group, "show")(show)
    command(group, "users")(users)
    app.add_typer(group, name="conversations")


def list_conversations(
    session: Session,
    bot: BotOption = None,
    user: UserOption = None,
    metadata: MetadataOption = None,
    recent: Annotated[bool, typer.Option("--recent", help="The most recently used first.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away.")] = False,
    limit: LimitOption = 20,
) -> None:
    """List conversations, the newest first, with how many messages they have and how the last one begins."""
    query = {
        "user": user,
        "metadata": json.dumps(_metadata(metadata)) if metadata else None,
        "order": "recent" if recent else "newest",
        "archived": "true" if archived else "false",
    }
    path = f"/bots/{lookup.bot_id(session, bot)}/conversations"
    found = list(islice(session.client.items(path, query), limit))
    session.output.result({"data": found}, lambda console: _show_list(console, found))


def search(
    session: Session,
    query: Annotated[str, typer.Argument(help="Words, or what was meant.")],
    bot: BotOption = None,
    mode: Annotated[Mode, typer.Option(help="By words, by meaning, or both.")] = Mode.BOTH,
    user: UserOption = None,
    metadata: MetadataOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many at most.")] = 20,
) -> None:
    """Find messages."""
    body: dict[str, Any] = {"bot_id": lookup.bot_id(session, bot), "query": query, "mode": mode.value, "limit": limit}
    body |= {"user": user} if user else {}
    body |= {"metadata": _metadata(metadata)} if metadata else {}
    answer = session.client.post("/conversations/search", body, repeatable=True)
    session.output.result(answer, lambda console: _show_found(console, answer["data"]))


def show(session: Session, conversation: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show a conversation's messages, with what was said of the answers."""
    found = session.client.get(f"/conversations/{conversation}")
    messages = list(session.client.items(f"/conversations/{conversation}/messages"))
    session.output.result(found | {"messages": messages}, lambda console: _show_messages(console, found, messages))


def users(session: Session, bot: BotOption = None, user: UserOption = None, limit: LimitOption = 20) -> None:
    """List end users with statistics, the most recently active first."""
    path = f"/bots/{lookup.bot_id(session, bot)}/end-users"
    found = list(islice(session.client.items(path, {"user": user}), limit))
    session.output.result({"data": found}, lambda console: _show_users(console, found))


def _metadata(given: list[str]) -> dict[str, Any]:
    """Return the values by key: JSON where it is a number, true, false or null, else text."""
    found: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"{pair!r} is not KEY=VALUE.", code="bad_metadata")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        found[key] = value if isinstance(parsed, dict | list | str) else parsed
    return found


def _show_list(console: "Console", conversations: list[dict[str, Any]]) -> None:
    rows = Rows(["id", "user", "last used", "messages", "title", "last message"], right=["messages"], wrap=["title"])
    for one in conversations:
        rows.add(
            one["id"],
            one_line(one["user"] or "", 24),
            moment(one["updated_at"]),
            str(one["message_count"]),
            one_line(one["title"], 80),
            one_line(one["preview"] or "", 40),
        )
    console.print(rows.table)


def _show_found(console: "Console", found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("Nothing found.")
        return
    rows = Rows(["conversation", "when", "who", "message"], wrap=["message"])
    for hit in found:
        message = hit["message"]
        who = hit["conversation"]["user"] or "user" if message["role"] == "user" else message["role"]
        rows.add(
            hit["conversation"]["id"], moment(message["created_at"]), one_line(who, 24), one_line(hit["snippet"], 240)
        )
    console.print(rows.table)


def _show_messages(console: "Console", conversation: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    console.print(one_line(conversation["title"], 200), style="bold")
    for message in messages:
        console.print(f"\n{message['role']}  {moment(message['created_at'])}  {message['id']}", style="dim")
        console.print(plain(message["content"]))
        for said in message["feedback"]:
            name = f"{one_line(said['user'], 40)}: " if said["user"] else ""
            console.print(f"  {name}{said['rating']}/5 {one_line(said['text'] or '', 200)}".rstrip(), style="dim")


def _show_users(console: "Console", found: list[dict[str, Any]]) -> None:
    numbers = ["conversations", "questions", "answered", "tokens", "cost", "rating"]
    rows = Rows(["user", "last seen", *numbers], right=numbers)
    for one in found:
        rows.add(
            one_line(one["user"], 40),
            moment(one["last_seen_at"]),
            str(one["conversations"]),
            str(one["questions"]),
            "" if one["answered_share"] is None else f"{one['answered_share']:.0%}",
            f"{one['prompt_tokens'] + one['completion_tokens']:,}",
            f"${one['cost_microdollars'] / 1_000_000:.4f}",
            "" if one["mean_rating"] is None else f"{one['mean_rating']:.1f} ({one['ratings']})",
        )
    console.print(rows.table)
