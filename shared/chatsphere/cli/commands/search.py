"""`chatsphere search`: the passages that chat would answer from."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.formatting import one_line, pages
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


class Mode(StrEnum):
    """How passages are ranked."""

    LEXICAL = "lexical"
    DENSE = "dense"
    FUSED = "fused"


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "search")(search)


def search(
    session: Session,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    bot: BotOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="How many passages.")] = 10,
    mode: Annotated[Mode, typer.Option(help="By words, by meaning, or both.")] = Mode.FUSED,
) -> None:
    """Show the passages that match a question best."""
    path = f"/bots/{lookup.bot_id(session, bot)}/search"
    answer = session.client.post(path, {"query": query, "limit": limit, "mode": mode.value}, repeatable=True)
    session.output.result(answer, lambda console: _show(console, answer))


def _show(console: "Console", answer: dict[str, Any]) -> None:
    if not answer["data"]:
        console.print("Nothing found.")
        return
    rows = Rows(["#", "score", "document", "page", "passage"], right=["#", "score"], wrap=["passage"])
    for rank, hit in enumerate(answer["data"], 1):
        rows.add(
            str(rank),
            f"{hit['score']:.3f}",
            one_line(hit["document_name"], 32),
            pages(hit.get("page_start"), hit.get("page_end")),
            one_line(hit["content"], 240),
        )
    console.print(rows.table)
    if answer.get("confidence") is not None:
        console.print(f"Confidence that the answer is here: {answer['confidence']:.2f}", style="dim")
