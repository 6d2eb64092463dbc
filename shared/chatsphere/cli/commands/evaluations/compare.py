"""`chatsphere eval compare` and `chatsphere publish`: whether a version of a bot is better than another, or worse."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.evaluations.options import FirstOption
from chatsphere.cli.errors import ExitCode, UsageError
from chatsphere.cli.formatting import plain
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

BotArgument = Annotated[str, typer.Argument(metavar="BOT", help="The bot, by id or name.")]
RetrievalOnly = Annotated[
    bool, typer.Option("--retrieval-only", help="Only search: no answer is made, and none is paid for.")
]
WORSE = "worse"


def evaluate(
    session: Session,
    bot: BotArgument,
    reference: Annotated[
        str, typer.Option("--set", metavar="NAME|DIR", help="An evaluation set of the bot, or a folder that it holds.")
    ],
    version: Annotated[
        list[int] | None,
        typer.Option("--version", min=1, help="The version before and the one after; left out: the last two."),
    ] = None,
    first: FirstOption = None,
    retrieval_only: RetrievalOnly = False,
    publish_it: Annotated[bool, typer.Option("--publish", help="Publish the bot unless it got worse.")] = False,
) -> ExitCode:
    """Ask two versions of a bot the same questions. Exit code 1: the second got worse."""
    bot_id = lookup.bot_id(session, bot)
    versions = _versions(session, bot_id, version or [])
    if publish_it and versions[1] != session.client.get(f"/bots/{bot_id}")["version"]:
        raise UsageError("--publish publishes the bot as it is: the second version must be its present one.")
    report = _compared(session, bot_id, versions, reference, first=first, retrieval_only=retrieval_only)
    report["published"] = publish_it and _published(session, bot_id, report)
    session.output.result(report, lambda console: _show(console, report))
    return ExitCode.FAILED if report["verdict"] == WORSE else ExitCode.OK


def publish(
    session: Session,
    bot: BotArgument,
    unless_worse: Annotated[
        bool, typer.Option("--unless-worse", help="Compare first, and do not publish what got worse (exit code 1).")
    ] = False,
    reference: Annotated[
        str | None, typer.Option("--set", metavar="NAME|DIR", help="With --unless-worse: what is asked.")
    ] = None,
    than: Annotated[
        int | None, typer.Option(min=1, metavar="VERSION", help="With --unless-worse: than this one, not the last.")
    ] = None,
    retrieval_only: RetrievalOnly = False,
) -> ExitCode:
    """Let anybody ask a bot."""
    bot_id = lookup.bot_id(session, bot)
    if not unless_worse:
        published = session.client.post(f"/bots/{bot_id}/publish", {})
        session.output.result(published, lambda console: console.print(f"{plain(published['name'])} is public."))
        return ExitCode.OK
    if reference is None:
        raise UsageError("--unless-worse compares on a set.", hint="Say which: --set NAME|DIR")
    versions = _versions(session, bot_id, [than] if than else [])
    report = _compared(session, bot_id, versions, reference, first=None, retrieval_only=retrieval_only)
    report["published"] = _published(session, bot_id, report)
    session.output.result(report, lambda console: _show(console, report))
    return ExitCode.OK if report["published"] else ExitCode.FAILED


def _published(session: Session, bot_id: str, report: dict[str, Any]) -> bool:
    """Publish the bot unless it got worse, or was changed while it was compared."""
    present = session.client.get(f"/bots/{bot_id}")["version"]
    if report["verdict"] == WORSE or present != report["versions"][1]:
        return False
    session.client.post(f"/bots/{bot_id}/publish", {})
    return True


def _versions(session: Session, bot_id: str, given: list[int]) -> tuple[int, int]:
    """Return the version before and the one after; what is not given are the bot's last ones."""
    if len(given) > 2:
        raise UsageError("Two versions are compared, not more.")
    if len(given) == 2:
        return given[0], given[1]
    present = int(session.client.get(f"/bots/{bot_id}")["version"])
    before = given[0] if given else present - 1
    if before < 1 or before == present:
        raise UsageError("The bot has no version before its present one.", hint="Say which: --version A --version B")
    return before, present


def _compared(
    session: Session,
    bot_id: str,
    versions: tuple[int, int],
    reference: str,
    *,
    first: int | None,
    retrieval_only: bool,
) -> dict[str, Any]:
    from chatsphere.cli.evaluation import comparing

    client = session.client.patient()
    asked = comparing.cases_of(client, bot_id, reference, first)
    if retrieval_only:
        asked = [case for case in asked if case.relevant]
    if not asked:
        raise UsageError("No question of the set has relevant documents.")
    with bars(session.output) as shown:
        on_asked = shown.add(f"versions {versions[0]} and {versions[1]}", len(asked))
        found = comparing.run(client, bot_id, asked, versions, answers=not retrieval_only, on_asked=on_asked)
    return {
        "bot_id": bot_id,
        "set": reference,
        "versions": list(versions),
        "questions": len(asked),
        "measures": {name: measure.as_json() for name, measure in found.items()},
        "verdict": found["score"].difference.verdict,
    }


def _show(console: "Console", report: dict[str, Any]) -> None:
    before, after = report["versions"]
    numbers = ["questions", f"version {before}", f"version {after}", "difference", "95%"]
    rows = Rows(["measure", *numbers, "verdict"], right=numbers)
    for name, found in report["measures"].items():
        difference = found["difference"]
        rows.add(
            name,
            str(found["questions"]),
            f"{found['first']['value']:.4f}",
            f"{found['second']['value']:.4f}",
            f"{difference['value']:+.4f}",
            f"[{difference['low']:+.4f}, {difference['high']:+.4f}]",
            found["verdict"],
        )
    console.print(rows.table)
    console.print(f"Version {after} against {before}: {report['verdict']}.", style="bold")
    if report["published"]:
        console.print("The bot is public.")
