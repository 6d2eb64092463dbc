"""`chatsphere feedback …` and `chatsphere unanswered …`: what people thought of answers, and what had none."""

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.formatting import moment, one_line
from chatsphere.cli.options import BotOption, command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
QuestionArgument = Annotated[str, typer.Argument(metavar="ID")]
NoteOption = Annotated[str | None, typer.Option(help="What was done about it.")]


class Status(StrEnum):
    """What came of a question."""

    OPEN = "open"
    RESOLVED = "resolved"
    IGNORED = "ignored"


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    feedback = typer.Typer(no_args_is_help=True, help="What people thought of answers.")
    command(feedback, "list")(list_feedback)
    command(feedback, "give")(give)
    app.add_typer(feedback, name="feedback")
    unanswered = typer.Typer(no_args_is_help=True, help="Questions that had no answer.")
    command(unanswered, "list")(list_unanswered)
    command(unanswered, "resolve")(resolve)
    command(unanswered, "ignore")(ignore)
    command(unanswered, "reopen")(reopen)
    app.add_typer(unanswered, name="unanswered")


def list_feedback(
    session: Session,
    bot: BotOption = None,
    worst: Annotated[int, typer.Option("--min", min=1, max=5, help="Only this rating or a better one.")] = 1,
    best: Annotated[int, typer.Option("--max", min=1, max=5, help="Only this rating or a worse one.")] = 5,
    limit: LimitOption = 20,
) -> None:
    """List ratings with question and answer, the newest first."""
    path = f"/bots/{lookup.bot_id(session, bot)}/feedback"
    found = list(islice(session.client.items(path, {"min_rating": worst, "max_rating": best}), limit))
    session.output.result({"data": found}, lambda console: _show_feedback(console, found))


def give(
    session: Session,
    message: Annotated[str, typer.Argument(metavar="MESSAGE-ID", help="The answer.")],
    rating: Annotated[int, typer.Argument(min=1, max=5, help="1 (worst) to 5 (best).")],
    text: Annotated[str | None, typer.Option(help="In their own words.")] = None,
    user: Annotated[str | None, typer.Option(help="Which end user says it.")] = None,
) -> None:
    """Rate an answer; the same end user's earlier rating is replaced."""
    given = session.client.put(f"/messages/{message}/feedback", {"rating": rating, "text": text, "user": user})
    session.output.result(given, lambda console: console.print(f"Rated {given['rating']} of 5."))


def list_unanswered(
    session: Session,
    bot: BotOption = None,
    status: Annotated[Status, typer.Option(help="What came of them.")] = Status.OPEN,
    limit: LimitOption = 20,
) -> None:
    """List questions that the bot had no answer to, the last asked first."""
    path = f"/bots/{lookup.bot_id(session, bot)}/unanswered-questions"
    found = list(islice(session.client.items(path, {"status": status.value}), limit))
    session.output.result({"data": found}, lambda console: _show_unanswered(console, found))


def resolve(session: Session, question: QuestionArgument, bot: BotOption = None, note: NoteOption = None) -> None:
    """Say that a question has an answer now; asked again in vain, it is open again."""
    _review(session, question, bot, Status.RESOLVED, note)


def ignore(session: Session, question: QuestionArgument, bot: BotOption = None, note: NoteOption = None) -> None:
    """Say that a question needs no answer."""
    _review(session, question, bot, Status.IGNORED, note)


def reopen(session: Session, question: QuestionArgument, bot: BotOption = None, note: NoteOption = None) -> None:
    """Say that a question still needs an answer."""
    _review(session, question, bot, Status.OPEN, note)


def _review(session: Session, question: str, bot: str | None, status: Status, note: str | None) -> None:
    body = {"status": status.value} | ({} if note is None else {"note": note})
    path = f"/bots/{lookup.bot_id(session, bot)}/unanswered-questions/{question}"
    found = session.client.patch(path, body)
    session.output.result(found, lambda console: _show_unanswered(console, [found]))


def _show_feedback(console: "Console", found: list[dict[str, Any]]) -> None:
    rows = Rows(["when", "rating", "user", "question", "answer", "said"], right=["rating"], wrap=["question", "answer"])
    for one in found:
        rows.add(
            moment(one["created_at"]),
            str(one["rating"]),
            one_line(one["user"] or "", 24),
            one_line(one["question"] or "", 160),
            one_line(one["answer"] or "", 160),
            one_line(one["text"] or "", 60),
        )
    console.print(rows.table)


def _show_unanswered(console: "Console", found: list[dict[str, Any]]) -> None:
    rows = Rows(["id", "asked", "last", "why", "status", "question"], right=["asked"], wrap=["question"])
    for one in found:
        rows.add(
            one["id"],
            str(one["asked_count"]),
            moment(one["last_asked_at"]),
            one["reason"],
            one["status"],
            one_line(one["question"] or "", 200),
        )
    console.print(rows.table)
