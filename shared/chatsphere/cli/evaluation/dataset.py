"""Sets of passages, questions and judgements, in BEIR's form."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chatsphere.cli.errors import UsageError

_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage, as it is loaded: a document named by its encoded id."""

    id: str
    text: str

    @property
    def name(self) -> str:
        """The id in characters that no part of the product gives a meaning to, such as slashes and dots."""
        encoded = quote(self.id, safe="").replace(".", "%2E")
        return encoded if len(encoded) <= _NAME_LENGTH else hashlib.sha256(self.id.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """One query, the grades of the passages that were judged for it, and the strings that answer it."""

    id: str
    text: str
    grades: dict[str, int]
    answers: tuple[str, ...] = ()

    @property
    def relevant(self) -> set[str]:
        """The passages that hold an answer."""
        return {passage for passage, grade in self.grades.items() if grade > 0}


@dataclass(frozen=True)
class Dataset:
    """A set under its folder's name; `questions` are those with at least one relevant passage."""

    name: str
    passages: list[Passage]
    questions: list[Question]

    def first(self, questions: int | None) -> "Dataset":
        """Return the set with only its first questions, None: with all."""
        return self if questions is None else Dataset(self.name, self.passages, self.questions[:questions])

    def without(self, passages: set[str]) -> "Dataset":
        """Return the set with these passages left out."""
        return Dataset(self.name, [one for one in self.passages if one.id not in passages], self.questions)

    @cached_property
    def loadable(self) -> list[Passage]:
        """The passages that hold any text: nothing can be found in the others."""
        return [passage for passage in self.passages if passage.text.strip()]


def read(folder: Path) -> Dataset:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv.

    Raises:
        UsageError: a file is missing or not in the form.
    """
    grades: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(folder / "qrels.tsv"):
        grades.setdefault(query, {})[document] = grade
    held = passages(folder / "corpus.jsonl")
    questions = [
        Question(_id(row), str(row["text"]), grades[_id(row)], tuple(map(str, row.get("answers") or ())))
        for row in _rows(folder / "queries.jsonl")
        if any(grade > 0 for grade in grades.get(_id(row), {}).values())
    ]
    if not questions or not held:
        raise UsageError(f"{folder} holds no passage, or no query with a relevant passage.")
    return Dataset(folder.resolve().name, held, questions)


def passages(path: Path) -> list[Passage]:
    """Read a corpus.jsonl.

    Raises:
        UsageError: it is missing or not in the form.
    """
    return [Passage(_id(row), _text(row.get("title") or "", row.get("text") or "")) for row in _rows(path)]


def _text(title: str, text: str) -> str:
    """Return the title, a blank line and the text; some sets begin the text with the title already."""
    return f"{title}\n\n{text}" if title.strip() and not text.startswith(title) else text


def _id(row: dict[str, Any]) -> str:
    # BEIR's own files say _id.
    return str(row["id"] if "id" in row else row["_id"])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            _id(row), row["text"]
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path}, line {number}: not a JSON object with id and text.") from None
        yield row


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    for number, line in _lines(path):
        fields = line.split("\t")
        try:
            query, document, grade = fields
            judged = int(grade)
        except ValueError:
            if number == 1:  # a header
                continue
            raise UsageError(f"{path}, line {number}: not a query, a document and a grade.") from None
        yield query, document, judged


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"{path} cannot be read.", hint="A set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv."
        ) from None
