"""`chatsphere eval followups`: whether a question that leans on a conversation finds what it would find in full."""

from typing import TYPE_CHECKING, Any

from chatsphere.cli import lookup
from chatsphere.cli.commands.evaluations.options import (
    BotToReuse,
    DirArgument,
    FirstOption,
    KeepOption,
    RequireOption,
    TimeoutOption,
)
from chatsphere.cli.commands.evaluations.verdicts import Promise, exit_code, show_promises
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.output import Rows
from chatsphere.cli.progress import bars
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from chatsphere.cli.client import Client
    from chatsphere.cli.evaluation.conversations import FollowUp
    from chatsphere.cli.evaluation.loading import Loaded

MOST_LOST = 0.05
"""By how much nDCG@10 may fall short of the same question asked in full."""

DEPTH = 50


def evaluate(
    session: Session,
    folder: DirArgument,
    first: FirstOption = None,
    bot: BotToReuse = None,
    keep: KeepOption = False,
    timeout: TimeoutOption = 3600,
    require: RequireOption = False,
) -> ExitCode:
    """Search for each follow-up with its conversation, in full, and alone, and compare what is found."""
    from chatsphere.cli.evaluation import conversations, loading
    from chatsphere.cli.evaluation.dataset import Dataset

    read = conversations.read_follow_ups(folder)
    asked = read.follow_ups[:first]
    held = Dataset(read.name, read.passages, [])
    client = session.client.patient()
    bot_id = None if bot is None else lookup.bot_id(session, bot)
    with loading.bot_for(client, held, bot_id, keep=keep) as lent, bars(session.output) as shown:
        loaded = loading.loaded(client, lent, held, timeout=timeout, shown=shown)
        found = _found(client, loaded, asked, shown.add(f"{held.name}: asked", len(asked)))
    measured = _measured(found)
    promises = [Promise("follow-ups against questions in full", measured["loss"]["value"], -MOST_LOST)]
    report = {
        "set": read.name,
        "bot_id": lent if keep or bot_id else None,
        "questions": len(asked),
        "failed": loaded.failed,
        **measured,
        "kinds": _by_kind(asked, found),
        "promises": [promise.as_json() for promise in promises],
    }
    session.output.result(report, lambda console: _show(console, report, promises))
    return exit_code(promises, required=require, failed=bool(loaded.failed))


def _found(
    client: "Client", loaded: "Loaded", asked: "Sequence[FollowUp]", on_asked: "Callable[[int], None]"
) -> dict[str, list[float]]:
    """Return nDCG@10 of each follow-up: with its conversation, asked in full, and without the conversation."""
    found: dict[str, list[float]] = {"follow_up": [], "in_full": [], "alone": []}
    for number, one in enumerate(asked, 1):
        history = [{"role": said.role, "content": said.content} for said in one.turns]
        found["follow_up"].append(_ndcg(client, loaded, one, one.question, history))
        found["in_full"].append(_ndcg(client, loaded, one, one.full_question, []))
        found["alone"].append(_ndcg(client, loaded, one, one.question, []))
        on_asked(number)
    return found


def _ndcg(client: "Client", loaded: "Loaded", one: "FollowUp", query: str, history: "list[dict[str, str]]") -> float:
    from chatsphere.cli import metrics

    body = {"query": query, "limit": DEPTH, **({"history": history} if history else {})}
    hits = client.post(f"/bots/{loaded.bot_id}/search", body, repeatable=True)["data"]
    ranking = metrics.fold(loaded.passages.get(hit["document_id"], hit["document_id"]) for hit in hits)
    return metrics.ndcg(ranking, one.relevant, 10)


def _measured(found: dict[str, list[float]]) -> dict[str, Any]:
    from chatsphere.cli.evaluation.intervals import difference_of, mean_of

    loss = difference_of(found["follow_up"], found["in_full"]).as_json()
    return {name: mean_of(values).as_json() for name, values in found.items()} | {"loss": loss}


def _by_kind(asked: "Sequence[FollowUp]", found: dict[str, list[float]]) -> dict[str, Any]:
    kinds: dict[str, list[int]] = {}
    for place, one in enumerate(asked):
        kinds.setdefault(" ".join(filter(None, (one.kind, one.language, one.split))) or "all", []).append(place)
    return {
        kind: {"questions": len(places)}
        | _measured({name: [values[p] for p in places] for name, values in found.items()})
        for kind, places in sorted(kinds.items())
    }


def _show(console: "Console", report: dict[str, Any], promises: "Sequence[Promise]") -> None:
    numbers = ["questions", "follow-up", "in full", "alone", "difference", "95%"]
    rows = Rows(["kind", *numbers], right=numbers)
    for kind, found in [*report["kinds"].items(), ("all", report)]:
        values = (f"{found[name]['value']:.4f}" for name in ("follow_up", "in_full", "alone"))
        loss = found["loss"]
        rows.add(
            kind,
            str(found["questions"]),
            *values,
            f"{loss['value']:+.4f}",
            f"[{loss['low']:+.4f}, {loss['high']:+.4f}]",
            style="bold" if found is report else None,
        )
    console.print(rows.table)
    show_promises(console, promises)
