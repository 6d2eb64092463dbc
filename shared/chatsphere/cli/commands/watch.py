"""`chatsphere watch`: how far a bot's ingestion is, as it goes on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.formatting import one_line, plain
from chatsphere.cli.options import command
from chatsphere.cli.progress import Bars, bars
from chatsphere.cli.session import Session
from chatsphere.cli.stages import doing, problem

if TYPE_CHECKING:
    from chatsphere.cli.sse import Event

BotArgument = Annotated[str | None, typer.Argument(metavar="ID|NAME", help="May be left out where there is one bot.")]
UNDER_WAY = ("registered", "extracting", "embedding")


def register(app: typer.Typer) -> None:
    """Put the command into the application."""
    command(app, "watch")(watch)


def watch(
    session: Session,
    bot: BotArgument = None,
    forever: Annotated[bool, typer.Option("--forever", "-f", help="Go on when nothing is under way.")] = False,
) -> ExitCode:
    """Follow a bot's documents until none is under way. Exit code 1 if any failed. --json: a line for each event."""
    from chatsphere.cli.following import follow

    bot_id = lookup.bot_id(session, bot)
    events = (event for event in follow(session.client.patient(), bot_id, until_idle=not forever) if event is not None)
    with bars(session.output) as shown:
        view = View(shown)
        for event in events:
            if session.output.as_json:
                session.output.json_line({"event": event.name, "id": event.id, "data": event.data})
            view.take(event, silent=session.output.as_json)
    return ExitCode.FAILED if view.failed else ExitCode.OK


class View:
    """What a person sees: a bar with what is being done, and above it a line for each document that has ended."""

    def __init__(self, shown: Bars) -> None:
        self.done = 0
        self.failed = 0
        self._shown = shown
        self._show = shown.add("Ingesting", 1)
        self._under_way: dict[str, dict[str, Any]] = {}
        self._unlisted = 0

    @property
    def under_way(self) -> int:
        """How many documents have not ended."""
        return len(self._under_way) + self._unlisted

    def take(self, event: "Event", *, silent: bool = False) -> None:
        """Take the next event; `silent`: it is only counted."""
        for line, failed in self._lines(event):
            if not silent:
                self._shown.say(line, failed=failed)
        self._show(self.done, doing(self._under_way.values()), self.done + self.under_way)

    def _lines(self, event: "Event") -> Iterator[tuple[str, bool]]:
        if event.name == "snapshot":
            self._under_way = {str(state["id"]): state for state in event.data["under_way"]}
            counted = sum(event.data["totals"][status] for status in UNDER_WAY)
            self._unlisted = max(0, counted - len(self._under_way))
        elif event.name == "document":
            yield from self._document(event.data)
        elif event.name == "idle":
            self._under_way, self._unlisted = {}, 0
            failed = f", {self.failed} failed" if self.failed else ""
            yield f"Nothing is under way: {self.done} ended meanwhile{failed}.", False

    def _document(self, state: dict[str, Any]) -> Iterator[tuple[str, bool]]:
        known = self._under_way.pop(str(state["id"]), None)
        if state["status"] in UNDER_WAY:
            self._under_way[str(state["id"])] = state
        # One that the snapshot only counted is known by now.
        if known is None and self._unlisted:
            self._unlisted -= 1
        if state["status"] in UNDER_WAY:
            return
        self.done += 1
        failed = state["status"] == "failed"
        self.failed += failed
        yield _line(state), failed


def _line(state: dict[str, Any]) -> str:
    name = one_line(state.get("name") or state["id"], 80)
    if state["status"] != "failed":
        chunks = state.get("chunk_count")
        return f"{plain(state['status'])}  {name}" + (f"  ({chunks} passages)" if chunks else "")
    return f"failed  {name}  {problem(state, 200)}"
