"""Every citation of an answer made of quotes is true, whatever the documents hold: told by the checker alone."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsphere.adapters.extractive import ExtractiveAnswerModel
from chatsphere.chat.citing import checked
from chatsphere.chat.events import Citation
from chatsphere.cli.evaluation.citations import DocumentText, faults, uncited
from chatsphere.knowledge.chunking import chunk_blocks
from chatsphere.knowledge.retrieval.embedding_text import HEADING_SEPARATOR, heading_line
from chatsphere.knowledge.retrieval.models import Hit, Scores
from chatsphere.knowledge.retrieval.passages import assemble
from chatsphere.knowledge.text import Block, BlockKind, Chunk
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerRequest, SourcePassage
from tests.fakes_chat import BagOfWordsEmbedder

SENTENCES = [
    "The Falcon plan costs 49 EUR.",
    "It is free.",
    "Refunds are not possible.",
    "Am 3. Mai 2024 beginnt der Falcon-Tarif, d. h. bald.",
    "料金は49ユーロです。返金はできません。",
    "Falcon  costs\tmore\xa0now 🦅!",
    "e\u0301tat du plan Falcon : combien ?",
    "* falcon",
]
SPACES = [" ", "\n", "  ", "\n  "]
paragraphs = st.lists(st.tuples(st.sampled_from(SENTENCES), st.sampled_from(SPACES)), min_size=1, max_size=8).map(
    lambda parts: "".join(sentence + space for sentence, space in parts).strip()
)
tables = st.lists(st.sampled_from(["Falcon | 49 EUR", "Eagle | 99 EUR", "Plan | Price"]), min_size=2, max_size=6).map(
    "\n".join
)


@st.composite
def documents(draw: st.DrawFn) -> list[Block]:
    """Return blocks on growing pages, under headings."""
    page = draw(st.sampled_from([None, 1]))
    path: tuple[str, ...] = ("Prices",)
    blocks: list[Block] = []
    for kind in draw(st.lists(st.sampled_from(["text", "text", "table", "heading", "page"]), min_size=1, max_size=12)):
        if kind == "page":
            page = page and page + 1
        elif kind == "heading":
            path = ("Prices", draw(st.sampled_from(["Falcon", "Eagle", "Refunds"])))
            blocks.append(Block(path[-1], BlockKind.HEADING, page, path))
        else:
            text = draw(tables if kind == "table" else paragraphs)
            blocks.append(Block(text, BlockKind.TABLE if kind == "table" else BlockKind.PARAGRAPH, page, path))
    return blocks


def answered(chunks: Sequence[Chunk], question: str) -> tuple[str, list[Citation], DocumentText]:
    """Return the answer from all of the chunks, its citations, and the document as its chunks show it."""
    document, ids = uuid4(), [uuid4() for _ in chunks]
    passages = assemble([_hit(chunk, document, key) for chunk, key in zip(chunks, ids, strict=True)], 10_000, len)
    sources = [SourcePassage(n, "plans.pdf", p.heading, p.content) for n, p in enumerate(passages, 1)]
    text, citations = "", []
    for event in ExtractiveAnswerModel(BagOfWordsEmbedder()).stream(AnswerRequest(question, sources)):
        if isinstance(event, AnswerDelta):
            text += event.text
        elif isinstance(event, AnswerCitation):
            found = checked(event, passages, len(text))
            assert found, event
            citations += found
    return text, citations, DocumentText.of([_row(chunk, key) for chunk, key in zip(chunks, ids, strict=True)])


def _hit(chunk: Chunk, document: UUID, key: UUID) -> Hit:
    place = (chunk.ordinal, chunk.page_start, chunk.page_end, chunk.char_start, chunk.char_end)
    return Hit(
        key, document, "plans.pdf", chunk.content, *place, heading_line(chunk.heading_path), 1.0, Scores(1, 1, 1)
    )


def _row(chunk: Chunk, key: UUID) -> dict[str, Any]:
    return {
        "id": str(key),
        "content": chunk.content,
        "heading_path": list(chunk.heading_path),
        "page_start": chunk.page_start,
        "page_end": chunk.page_end,
        "char_start": chunk.char_start,
        "char_end": chunk.char_end,
    }


def _body(citation: Citation) -> dict[str, Any]:
    names = ("heading", "page", "quote", "char_start", "char_end", "answer_start", "answer_end")
    return {name: getattr(citation, name) for name in names} | {"chunk_id": str(citation.chunk_id)}


@settings(max_examples=25)
@given(
    documents(),
    st.integers(8, 40),
    st.sampled_from(["What does the Falcon plan cost?", "返金はできますか", "Mai 2024?"]),
)
def test_every_quote_stands_at_its_place_on_its_page_and_all_of_the_answer_is_cited(
    blocks: list[Block], target: int, question: str
) -> None:
    chunks = list(
        chunk_blocks(blocks, count_tokens=lambda text: len(text.split()), target_tokens=target, max_tokens=60)
    )
    if not chunks:
        return
    text, citations, document = answered(chunks, question)
    bodies = [_body(citation) for citation in citations]
    assert [faults(body, text, document) for body in bodies] == [[]] * len(bodies)
    assert uncited(text, bodies) == []


CHUNKS = [
    {"id": "a", "content": "It is free.", "heading_path": ["A"], "page_start": 1, "page_end": 1, "char_start": 0}
    | {"char_end": 11},
    {"id": "b", "content": "It is not.", "heading_path": ["A", "B"], "page_start": 2, "page_end": 2, "char_start": 13}
    | {"char_end": 23},
]
TRUE = {"heading": HEADING_SEPARATOR.join(["A", "B"]), "page": 2, "quote": "not.", "char_start": 19, "char_end": 23}
TRUE |= {"answer_start": 0, "answer_end": 4, "chunk_id": "b"}


@pytest.mark.parametrize(
    "lie",
    [
        {},
        {"quote": "free"},
        {"char_start": 18},
        {"char_end": 24},
        {"char_start": 12, "char_end": 16},
        {"page": 1},
        {"page": None},
        {"chunk_id": "a"},
        {"heading": "C"},
        {"answer_end": 5},
        {"answer_start": 4},
        {"answer_start": -1},
    ],
)
def test_the_checker_finds_each_lie(lie: dict[str, Any]) -> None:
    assert bool(faults(TRUE | lie, "not.", DocumentText.of(CHUNKS))) == bool(lie)


def test_what_no_citation_covers_is_told() -> None:
    assert uncited(
        "One. Two. Three.", [{"answer_start": 0, "answer_end": 4}, {"answer_start": 10, "answer_end": 16}]
    ) == ["Two."]
