"""Sets of follow-up questions: a conversation, the question that leans on it, and the same asked in full.

A set is a folder with corpus.jsonl (as in every set) and conversations.jsonl, one object a line: `id`, `turns` (a
list of `role`, user or assistant, and `content`, the oldest first), `question`, `full_question` and `relevant`
(grades by
document id). `kind`, `language` and `split` are optional and only group the report.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsphere.cli.errors import UsageError
from chatsphere.cli.evaluation.dataset import Passage, passages

CORPUS = "corpus.jsonl"
CONVERSATIONS = "conversations.jsonl"


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier message; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that leans on `turns`, the same question in full, and the grades of the relevant passages."""

    id: str
    turns: tuple[Said, ...]
    question: str
    full_question: str
    relevant: dict[str, int]
    kind: str = ""
    language: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpSet:
    """A set under its folder's name."""

    name: str
    passages: list[Passage]
    follow_ups: list[FollowUp]


def read_follow_ups(folder: Path) -> FollowUpSet:
    """Read corpus.jsonl and conversations.jsonl.

    Raises:
        UsageError: a file is missing or not in the form, or no follow-up has a relevant passage.
    """
    follow_ups = list(_follow_ups(folder / CONVERSATIONS))
    found = FollowUpSet(folder.resolve().name, passages(folder / CORPUS), follow_ups)
    known = {passage.id for passage in found.passages}
    for follow_up in follow_ups:
        if not any(grade > 0 and key in known for key, grade in follow_up.relevant.items()):
            raise UsageError(f"{folder}: {follow_up.id} has no relevant passage in {CORPUS}.")
    if not follow_ups:
        raise UsageError(f"{folder / CONVERSATIONS} holds no conversation.")
    return found


def _follow_ups(path: Path) -> Iterator[FollowUp]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read.") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _follow_up(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise UsageError(
                    f"{path}, line {number}: not an object with id, turns, question, full_question and relevant."
                ) from None


def _follow_up(row: dict[str, Any]) -> FollowUp:
    turns = tuple(Said(turn["role"], str(turn["content"])) for turn in row["turns"])
    if not all(turn.role in ("user", "assistant") for turn in turns):
        raise ValueError("a role is unknown")
    groups = {name: str(row.get(name) or "") for name in ("kind", "language", "split")}
    relevant = {str(key): int(grade) for key, grade in row["relevant"].items()}
    return FollowUp(str(row["id"]), turns, str(row["question"]), str(row["full_question"]), relevant, **groups)
