"""A bot's evaluation sets, by id or by name, and their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatsphere.cli.client import Client
from chatsphere.cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and what is expected: answers, documents by id or name with grades, or a refusal."""

    id: str
    question: str
    history: Sequence[dict[str, str]] = ()
    expected_answers: Sequence[str] = ()
    relevant: frozenset[str] = frozenset()
    expect_refusal: bool = False


def set_id(client: Client, bot_id: str, reference: str, *, make: bool = False) -> str:
    """Return the id of the set that is meant; `make` one of this name where there is none.

    Raises:
        UsageError: there is no such set.
    """
    path = f"/bots/{bot_id}/evaluation-sets"
    for found in client.items(path):
        if reference in (found["id"], found["name"]):
            return str(found["id"])
    if make:
        return str(client.post(path, {"name": reference})["id"])
    raise UsageError(f"The bot has no evaluation set {reference!r}.", code="no_such_evaluation_set")


def cases(client: Client, bot_id: str, reference: str) -> list[Case]:
    """Return the cases of a set that expect something; those that somebody has to look at first are left out.

    Raises:
        UsageError: there is no such set, or no such case in it.
    """
    path = f"/bots/{bot_id}/evaluation-sets/{set_id(client, bot_id, reference)}/cases"
    found = [_case(row) for row in client.items(path) if not row["needs_review"]]
    if not found:
        raise UsageError(f"The evaluation set {reference!r} holds no case that expects something.")
    return found


def _case(row: dict[str, Any]) -> Case:
    # A name outlives the document: one that was loaded again has another id.
    named = [one["document_name"] or one["document_id"] for one in row["relevant_documents"]]
    return Case(
        id=str(row["id"]),
        question=row["question"],
        history=row["history"],
        expected_answers=row["expected_answers"],
        relevant=frozenset(named),
        expect_refusal=row["expect_refusal"],
    )
