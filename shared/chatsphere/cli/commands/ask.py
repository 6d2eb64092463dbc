"""`chatsphere ask`: an answer as it is written, then what it rests on."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ApiError, CliError, ExitCode
from chatsphere.cli.formatting import one_line, pages, plain
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from chatsphere.cli.sse import Event


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "ask")(ask)


def ask(
    session: Session,
    question: Annotated[str, typer.Argument(help="The question.")],
    bot: BotOption = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", "-c", metavar="ID", help="Go on with this conversation.")
    ] = None,
) -> ExitCode:
    """Ask a bot. Exit code 0: answered; 3: the documents do not hold the answer."""
    path = f"/bots/{lookup.bot_id(session, bot)}/chat"
    body = {"message": question, **({"conversation_id": conversation} if conversation else {})}
    if session.output.as_json:
        answer = session.client.post(path, {**body, "stream": False})
        session.output.json(answer)
        return ExitCode.OK if answer["answerable"] else ExitCode.REFUSED
    with session.client.stream(path, {**body, "stream": True}) as events:
        turn = _write(events)
    _show_sources(session.output.console(), turn)
    return ExitCode.OK if turn.answerable else ExitCode.REFUSED


@dataclass(slots=True)
class Turn:
    """What a stream has told, besides the text."""

    conversation_id: str | None = None
    citations: list[dict[str, Any]] = field(default_factory=list)
    answerable: bool = True
    reason: str | None = None


def _write(events: Iterable["Event"]) -> Turn:
    """Write the answer to stdout as it comes.

    Raises:
        CliError: the stream reports an error, or ends without saying that it is done.
    """
    turn = Turn()
    for event in events:
        if event.name == "meta":
            turn.conversation_id = event.data.get("conversation_id")
        elif event.name == "delta":
            sys.stdout.write(plain(event.data.get("text", "")))
            sys.stdout.flush()
        elif event.name == "citation":
            turn.citations.append(event.data)
        elif event.name == "error":
            sys.stdout.write("\n")
            raise ApiError(int(event.data.get("status", 500)), event.data)
        elif event.name == "done":
            turn.answerable = bool(event.data.get("answerable", True))
            turn.reason = event.data.get("reason")
            sys.stdout.write("\n")
            return turn
    sys.stdout.write("\n")
    raise CliError("The stream ended before the answer was complete.", hint="Ask again.", code="broken_stream")


def _show_sources(console: "Console", turn: Turn) -> None:
    if not turn.answerable:
        console.print(f"Not in the documents{f' ({plain(turn.reason)})' if turn.reason else ''}.", style="yellow")
    if turn.citations:
        console.print()
    for number, citation in enumerate(turn.citations, 1):
        console.print(source_line(citation.get("number", number), citation), soft_wrap=True)
    if turn.conversation_id:
        console.print(f"\nGo on: chatsphere ask --conversation {turn.conversation_id} …", style="dim", soft_wrap=True)


def source_line(number: int, citation: dict[str, Any]) -> str:
    """Return a citation as `[1] name, p. 3 «quote»`."""
    page = pages(citation.get("page"))
    place = ", ".join(part for part in (one_line(citation.get("document_name", ""), 80), page) if part)
    return f"[{number}] {place} «{one_line(citation.get('quote', ''), 240)}»"
