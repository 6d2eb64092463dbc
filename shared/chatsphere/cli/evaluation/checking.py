"""Every citation of a run, held against the documents: as the API shows them, and as they were loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatsphere.cli.client import Client
from chatsphere.cli.evaluation.asking import Answer
from chatsphere.cli.evaluation.citations import DocumentText, faults


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the citation at this place of an answer's list."""

    citation: int
    problem: str


@dataclass(frozen=True, slots=True)
class CitationChecker:
    """Checks the answers of one bot. `loaded`: the text of each document that was loaded as plain text, by its id."""

    client: Client
    bot_id: str
    loaded: Mapping[str, str] = field(default_factory=dict)
    _texts: dict[str, DocumentText] = field(default_factory=dict)

    def faults(self, answer: Answer) -> list[Fault]:
        """Return all that is wrong with an answer's citations; nothing if each is true."""
        return [
            Fault(place, problem)
            for place, citation in enumerate(answer.citations)
            for problem in self._problems(citation, answer.text)
        ]

    def _problems(self, citation: Mapping[str, Any], answer: str) -> list[str]:
        document = str(citation["document_id"])
        problems = faults(citation, answer, self._text(document))
        source = self.loaded.get(document)
        if source is not None and source[citation["char_start"] : citation["char_end"]] != citation["quote"]:
            problems.append("the quote does not stand at its place in what was loaded")
        return problems

    def _text(self, document: str) -> DocumentText:
        if document not in self._texts:
            path = f"/bots/{self.bot_id}/documents/{document}/chunks"
            self._texts[document] = DocumentText.of(self.client.items(path))
        return self._texts[document]
