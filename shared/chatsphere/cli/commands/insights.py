"""`chatsphere insights …`: what was used, what it cost, how fast and how good it was."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chatsphere.cli import lookup, plotting
from chatsphere.cli.errors import UsageError
from chatsphere.cli.insight_kinds import ERRORS, KINDS, SOURCES, UNANSWERED
from chatsphere.cli.insight_tables import Column, show_groups, show_list
from chatsphere.cli.options import command
from chatsphere.cli.session import Session

PAGE: Final = 100
"""Rows of a page of CSV."""

Query = Mapping[str, str | int | None]

SinceOption = Annotated[str | None, typer.Option(metavar="DATE", help="First day (UTC); without it 30 days.")]
UntilOption = Annotated[str | None, typer.Option(metavar="DATE", help="Last day (UTC); without it today.")]
OneBotOption = Annotated[str | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="Only this bot.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw a picture, too.")]
KeyOption = Annotated[str | None, typer.Option("--key", metavar="ID", help="Only what was asked with this API key.")]
UserOption = Annotated[str | None, typer.Option(help="Only this end user's.")]
ModelOption = Annotated[str | None, typer.Option(help="Only of this model.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]


class By(StrEnum):
    """What numbers are split by."""

    DAY = "day"
    BOT = "bot"
    API_KEY = "api_key"
    END_USER = "end_user"
    MODEL = "model"
    CHANNEL = "channel"


class Stage(StrEnum):
    """What is timed."""

    TOTAL = "total"
    FIRST_TOKEN = "first_token"  # noqa: S105
    RETRIEVE = "retrieve"


ByOption = Annotated[By, typer.Option("--by", help="What the numbers are split by.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="What was used, what it cost, how fast and how good it was.")
    command(group, "usage")(_measured("usage", "Count answers, searches, documents and tokens."))
    command(group, "cost")(_measured("cost", "Say what answers, searches and embedding cost."))
    command(group, "latency")(latency)
    command(group, "quality")(_measured("quality", "Say how much was refused, and what people thought of the answers."))
    command(group, "sources")(sources)
    command(group, "unanswered")(unanswered)
    command(group, "errors")(errors)
    app.add_typer(group, name="insights")


def _measured(name: str, said: str) -> Callable[..., None]:
    """Return the command of one kind of report: usage, cost and quality are asked for in the same words."""

    def show(
        session: Session,
        since: SinceOption = None,
        until: UntilOption = None,
        by: ByOption = By.DAY,
        bot: OneBotOption = None,
        key: KeyOption = None,
        user: UserOption = None,
        model: ModelOption = None,
        csv: CsvOption = False,
        plot: PlotOption = None,
    ) -> None:
        _report(session, name, by, _query(session, since, until, bot, key, user, model), csv, plot)

    show.__doc__ = said
    return show


def latency(
    session: Session,
    since: SinceOption = None,
    until: UntilOption = None,
    by: ByOption = By.DAY,
    bot: OneBotOption = None,
    key: KeyOption = None,
    model: ModelOption = None,
    stage: Annotated[Stage, typer.Option(help="Until the end, until the first word, or finding passages.")] = (
        Stage.TOTAL
    ),
    csv: CsvOption = False,
    plot: PlotOption = None,
) -> None:
    """Say how long answers took, in milliseconds."""
    if by is By.END_USER:
        raise UsageError("There are no times by end user.", code="bad_group")
    _report(session, "latency", by, _query(session, since, until, bot, key, None, model), csv, plot, stage)


def sources(
    session: Session,
    bot: OneBotOption = None,
    never: Annotated[bool, typer.Option("--never", help="Only documents that were never found.")] = False,
    limit: LimitOption = 20,
    csv: CsvOption = False,
) -> None:
    """List documents by how often they were found."""
    query = {"bot_id": _bot(session, bot), "found": "never" if never else None}
    _list(session, "sources", query, limit, csv, SOURCES)


def unanswered(
    session: Session,
    since: SinceOption = None,
    until: UntilOption = None,
    bot: OneBotOption = None,
    limit: LimitOption = 20,
    csv: CsvOption = False,
) -> None:
    """List questions that had no answer by how often they were asked."""
    query = {"since": since, "until": until, "bot_id": _bot(session, bot)}
    _list(session, "unanswered", query, limit, csv, UNANSWERED)


def errors(
    session: Session,
    since: SinceOption = None,
    until: UntilOption = None,
    bot: OneBotOption = None,
    limit: LimitOption = 20,
    csv: CsvOption = False,
) -> None:
    """List what went wrong, errors of one cause together."""
    query = {"since": since, "until": until, "bot_id": _bot(session, bot)}
    _list(session, "errors", query, limit, csv, ERRORS)


def _report(
    session: Session, name: str, by: By, query: Query, csv: bool, plot: Path | None, stage: Stage | None = None
) -> None:
    kind, path, asked = KINDS[name], f"/insights/{name}", {**query, "group_by": by.value}
    if csv:
        _print_csv(session, path, asked)
        return
    report = session.client.whole(path, asked)
    shown, total = report, report["total"]
    if stage is not None:
        shown = report | {"data": [row for row in report["data"] if row["stage"] == stage.value]}
        total = next((row for row in total if row["stage"] == stage.value), None)
    if plot is not None:
        plotting.plot(shown, kind.panels, kind.title, plot)
        session.output.note(f"Drawn: {plot}")
    session.output.result(
        report, lambda console: show_groups(console, by.value, shown, kind.columns, kind.charted, total)
    )


def _list(session: Session, name: str, query: Query, limit: int, csv: bool, columns: Sequence[Column]) -> None:
    if csv:
        _print_csv(session, f"/insights/{name}", {**query, "limit": PAGE})
        return
    rows = list(islice(session.client.items(f"/insights/{name}", query), limit))
    session.output.result({"data": rows}, lambda console: show_list(console, rows, columns))


def _print_csv(session: Session, path: str, query: Query) -> None:
    for place, page in enumerate(session.client.tables(path, query)):
        # The head is on every page.
        print(page if place == 0 else page.partition("\r\n")[2], end="")


def _query(
    session: Session,
    since: str | None,
    until: str | None,
    bot: str | None,
    key: str | None,
    user: str | None,
    model: str | None,
) -> Query:
    asked: dict[str, Any] = {"since": since, "until": until, "bot_id": _bot(session, bot)}
    return asked | {"api_key_id": key, "end_user": user, "model": model}


def _bot(session: Session, reference: str | None) -> str | None:
    """Return the bot that is named; without a name the numbers are of all."""
    return None if reference is None else lookup.bot_id(session, reference)
