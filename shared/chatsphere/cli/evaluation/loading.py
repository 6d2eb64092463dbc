"""A set's passages as documents of a bot: a temporary one, or one that holds them already."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from chatsphere.cli.client import Client
from chatsphere.cli.errors import CliError
from chatsphere.cli.evaluation.dataset import Dataset, Passage
from chatsphere.cli.ingestion import Ingestion, Sent
from chatsphere.cli.progress import Bars, SetCount
from chatsphere.cli.watch import Watch

CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the passages are, which of them is which document, and how many could not be loaded."""

    bot_id: str
    passages: dict[str, str]
    """The passage's id by the document's."""
    failed: dict[str, str]
    """The error code by the passage's id."""


@contextmanager
def bot_for(client: Client, dataset: Dataset, bot_id: str | None, *, keep: bool) -> Iterator[str]:
    """Lend a bot: the given one, or one that is deleted afterwards, however the evaluation ends."""
    if bot_id is not None:
        yield bot_id
        return
    made = client.post("/bots", {"name": f"eval {dataset.name}"[:200]})
    try:
        yield str(made["id"])
    finally:
        if not keep:
            client.delete(f"/bots/{made['id']}")


def load(
    client: Client,
    bot_id: str,
    dataset: Dataset,
    *,
    timeout: float,
    on_sent: Callable[[int], None],
    on_ready: SetCount,
) -> Loaded:
    """Load what the bot does not hold yet and wait until all of it is ready.

    Raises:
        CliError: no passage could be loaded.
    """
    passages = _held(client, bot_id, dataset)
    missing = [passage for passage in dataset.loadable if passage.id not in set(passages.values())]
    sent = 0

    def count() -> None:
        nonlocal sent
        sent += 1
        on_sent(sent)

    ingestion = Ingestion[Passage](Watch(client, bot_id), CONCURRENCY, timeout, on_sent=count, on_settled=on_ready)
    outcomes = ingestion.run({passage: partial(_send, client, bot_id, passage) for passage in missing})
    failed: dict[str, str] = {}
    for passage, outcome in outcomes.items():
        if outcome.document is not None and outcome.status == "ready":
            passages[str(outcome.document["id"])] = passage.id
        else:
            failed[passage.id] = outcome.error_code or f"still {outcome.status}"
    if not passages:
        example = next(iter(outcomes.values()))
        raise example.error or CliError(f"No passage could be loaded: {example.error_code or example.status}.")
    return Loaded(bot_id, passages, failed)


def loaded(client: Client, bot_id: str, dataset: Dataset, *, timeout: float, shown: Bars) -> Loaded:
    """Load a set and show how far that is. See `load`."""
    total = len(dataset.loadable)
    return load(
        client,
        bot_id,
        dataset,
        timeout=timeout,
        on_sent=shown.add(f"{dataset.name}: loading", total),
        on_ready=shown.add(f"{dataset.name}: ready", total),
    )


def _held(client: Client, bot_id: str, dataset: Dataset) -> dict[str, str]:
    """Return the passages that are ready in the bot, by the document's id."""
    ids = {passage.name: passage.id for passage in dataset.loadable}
    return {
        str(document["id"]): ids[document["name"]]
        for document in client.items(f"/bots/{bot_id}/documents")
        if document["status"] == "ready" and document["name"] in ids
    }


def _send(client: Client, bot_id: str, passage: Passage) -> Sent:
    body = {"name": passage.name, "text": passage.text}
    return Sent(client.post(f"/bots/{bot_id}/documents", body, repeatable=True)["document"])
