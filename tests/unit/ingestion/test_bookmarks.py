"""Reading that stops and goes on anywhere gives the chunks of reading in one go."""

import json
import random
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest

from chatsphere.billing.budgets import Spending
from chatsphere.billing.work import WorkOverBudgetError
from chatsphere.knowledge.chunking import Chunker, Pending, chunk_blocks
from chatsphere.knowledge.extraction import Position
from chatsphere.knowledge.ingestion.bookmarks import Bookmark, Passages, Progress
from chatsphere.knowledge.text import Block, BlockKind, Chunk

TARGET, CEILING = 20, 24


def count_words(text: str) -> int:
    return len(text.split())


def random_blocks(seed: int) -> list[Block]:
    """Headings, paragraphs, tables and lists of all lengths, with and without pages; some longer than a chunk."""
    chance = random.Random(seed)
    page = 1 if seed % 3 else None
    path: tuple[str, ...] = ()
    blocks = []
    for number in range(chance.randint(1, 40)):
        kind = chance.choice([*BlockKind, BlockKind.HEADING])
        if page is not None and chance.random() < 0.2:
            page += 1
        if kind is BlockKind.HEADING:
            path = (*path[: chance.randint(0, 2)], f"Title {number}")
        length = chance.choice([1, 2, 5, 15, 30, 120])
        text = "".join(f"w{number}é{word}" + chance.choice([" ", ". ", "\n"]) for word in range(length)).strip()
        blocks.append(Block(text, kind, page, path))
    return blocks


def extraction_from(blocks: list[Block], start: Position, affordable: int | None = None) -> Any:
    """Read the blocks from a position on, as a child process does; so many, before the next one costs too much."""
    extraction = SimpleNamespace(position=start, read=0)

    def read() -> Iterator[Block]:
        for number in range(start.blocks, len(blocks)):
            extraction.position = Position(None, number)
            if number - start.blocks == affordable:
                raise WorkOverBudgetError("There is no room.", Spending(0, 1))
            extraction.read += 1
            yield blocks[number]
        extraction.position = Position(None, len(blocks))

    extraction.blocks = read()
    return extraction


def make_cutter(pending: Pending) -> Chunker:
    return Chunker(count_words, target_tokens=TARGET, max_tokens=CEILING, pending=pending)


def read_in_parts(blocks: list[Block], size: int) -> list[Chunk]:
    """Read so many chunks at a time, each time from the stored bookmark on."""
    progress = Progress("etag", "sha256")
    chunks: list[Chunk] = []
    while True:
        passages = Passages(extraction_from(blocks, progress.bookmark.position), make_cutter, progress.bookmark)
        part = list(islice(passages, size))
        if not part:
            return chunks
        chunks += part
        progress = stored(passages.bookmark)


def stored(bookmark: Bookmark) -> Progress:
    """What the database gives back of it."""
    row = Progress("etag", "sha256", bookmark).to_row()
    return Progress.from_row(row | {"place": json.loads(json.dumps(row["place"].obj))})


@pytest.mark.parametrize("seed", range(24))
def test_any_part_size_gives_the_same_chunks(seed: int) -> None:
    # Given
    blocks = random_blocks(seed)
    whole = list(chunk_blocks(blocks, count_tokens=count_words, target_tokens=TARGET, max_tokens=CEILING))
    # When, Then
    for size in (1, 2, 7):
        assert read_in_parts(blocks, size) == whole


@pytest.mark.parametrize("seed", range(12))
def test_what_was_read_before_a_block_that_costs_too_much_is_not_read_again(seed: int) -> None:
    # Given
    blocks, chance = random_blocks(seed), random.Random(seed)
    whole = list(chunk_blocks(blocks, count_tokens=count_words, target_tokens=TARGET, max_tokens=CEILING))
    chunks: list[Chunk] = []
    bookmark, read = Bookmark(), 0
    # When
    while True:
        extraction = extraction_from(blocks, bookmark.position, chance.randint(0, 3))
        passages = Passages(extraction, make_cutter, bookmark)
        chunks += passages
        bookmark, read = stored(passages.bookmark).bookmark, read + extraction.read
        if passages.refusal is None:
            break
    # Then
    assert chunks == whole
    assert read == len(blocks)


@pytest.mark.parametrize("seed", range(12))
def test_a_refusal_within_a_block_that_is_begun_doubles_no_chunk(seed: int) -> None:
    blocks, chance = random_blocks(seed), random.Random(seed)
    whole = list(chunk_blocks(blocks, count_tokens=count_words, target_tokens=TARGET, max_tokens=CEILING))
    chunks: list[Chunk] = []
    bookmark = Bookmark()
    while len(chunks) < len(whole):
        extraction = extraction_from(blocks, bookmark.position, chance.choice([None, 0, 1, 2]))
        passages = Passages(extraction, make_cutter, bookmark)
        chunks += islice(passages, chance.randint(1, 3))
        bookmark = stored(passages.bookmark).bookmark
    assert chunks == whole


def test_memory_does_not_grow_with_the_document() -> None:
    # Given documents that exist nowhere as a whole
    def peak(paragraphs: int) -> int:
        extraction: Any = SimpleNamespace(position=Position())
        extraction.blocks = (Block(f"Paragraph {number} " + "word " * 60) for number in range(paragraphs))
        passages = Passages(extraction, make_cutter, Bookmark())
        tracemalloc.start()
        try:
            while list(islice(passages, 64)):
                passages.bookmark.to_json()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    # When, Then: ten times the text; what surrounds the measurement comes and goes by some kilobytes
    assert peak(1_000) < 2 * peak(100)


def test_a_bookmark_does_not_grow_with_the_document() -> None:
    # Given
    blocks = [Block(f"Paragraph {number} " + "word " * 30) for number in range(300)]
    passages = Passages(extraction_from(blocks, Position()), make_cutter, Bookmark())
    # When
    sizes = [len(json.dumps(passages.bookmark.to_json())) for _ in passages]
    # Then
    assert max(sizes) < 1_000
