"""The chunker's promises, over any blocks."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsphere.knowledge.chunking import chunk_blocks
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.knowledge.text import Block, BlockKind, Chunk

_TOKEN = re.compile(r"\w+|[^\w\s]")


def count_words(text: str) -> int:
    return len(_TOKEN.findall(text))


def count_bytes(text: str) -> int:
    """A tokenizer whose parts do not add up to the whole: separators count, too."""
    return (len(text.encode("utf-8", "replace")) + 2) // 3


def canonical(blocks: Sequence[Block]) -> str:
    return "\n\n".join(block.text for block in blocks)


def cut(blocks: Sequence[Block], target: int = 220, ceiling: int = 256) -> list[Chunk]:
    return list(chunk_blocks(blocks, count_tokens=count_words, target_tokens=target, max_tokens=ceiling))


def paragraph(words: int, word: str = "word") -> str:
    return " ".join([word] * (words - 1)) + " end."


_texts = st.one_of(
    st.text(min_size=1, max_size=400),
    st.lists(st.text("ab .!?。、\n", min_size=1, max_size=60), min_size=1, max_size=20).map(" ".join),
    st.text("漢字かな。！？", min_size=1, max_size=300),
)
_blocks = st.lists(
    st.builds(
        Block,
        text=_texts,
        kind=st.sampled_from(list(BlockKind)),
        page=st.one_of(st.none(), st.integers(1, 5)),
        heading_path=st.lists(st.sampled_from(["A", "B b", "C" * 40]), max_size=3).map(tuple),
    ),
    max_size=12,
)
_counters: st.SearchStrategy[Callable[[str], int]] = st.sampled_from([count_words, count_bytes, len])


@settings(max_examples=300)
@given(blocks=_blocks, counter=_counters, ceiling=st.integers(8, 60), share=st.floats(0.3, 1.0))
def test_any_blocks_keep_the_promises(
    blocks: list[Block], counter: Callable[[str], int], ceiling: int, share: float
) -> None:
    text = canonical(blocks)
    target = max(1, int(ceiling * share))

    chunks = list(chunk_blocks(blocks, count_tokens=counter, target_tokens=target, max_tokens=ceiling))

    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    covered = [False] * len(text)
    assert all(above.char_end <= below.char_start for above, below in pairwise(chunks))
    for chunk in chunks:
        assert chunk.content == text[chunk.char_start : chunk.char_end]
        assert chunk.content.strip()
        assert chunk.content == chunk.content.strip()
        assert chunk.token_count == counter(chunk.content)
        assert chunk.token_count <= ceiling or len(chunk.content) == 1
        covered[chunk.char_start : chunk.char_end] = [True] * len(chunk.content)
    assert all(done or char.isspace() for char, done in zip(text, covered, strict=True))


@settings(max_examples=200)
@given(blocks=_blocks)
def test_pages_and_headings_are_those_of_the_blocks_inside(blocks: list[Block]) -> None:
    starts, position = [], 0
    for block in blocks:
        starts.append(position)
        position += len(block.text) + 2

    for chunk in cut(blocks, 20, 30):
        inside = [
            block
            for block, start in zip(blocks, starts, strict=True)
            if start < chunk.char_end
            and chunk.char_start < start + len(block.text)
            and block.text[max(0, chunk.char_start - start) : chunk.char_end - start].strip()
        ]
        assert {block.page for block in inside} == {chunk.page_start}
        assert chunk.page_end == chunk.page_start
        assert all(block.heading_path[: len(chunk.heading_path)] == chunk.heading_path for block in inside)


def test_small_blocks_under_one_heading_are_merged() -> None:
    blocks = [Block(paragraph(40)) for _ in range(10)]

    sizes = [chunk.token_count for chunk in cut(blocks)]

    assert len(sizes) == 2
    assert all(200 <= size <= 256 for size in sizes)


def test_a_passage_ends_with_its_page() -> None:
    first = Block("Opening hours", BlockKind.HEADING, page=1, heading_path=("Opening hours",))
    chunks = cut([Block("One.", page=1), first, Block("Two.", page=2, heading_path=("Opening hours",))])
    assert [(chunk.content, chunk.page_start) for chunk in chunks] == [("One.\n\nOpening hours", 1), ("Two.", 2)]
    assert chunks[1].heading_path == ("Opening hours",)


def test_heading_begins_a_chunk_when_the_one_before_is_big_enough() -> None:
    blocks = [
        Block("One", BlockKind.HEADING, heading_path=("One",)),
        Block(paragraph(100), heading_path=("One",)),
        Block("Two", BlockKind.HEADING, heading_path=("Two",)),
        Block(paragraph(30), heading_path=("Two",)),
    ]

    first, second = cut(blocks)

    assert first.heading_path == ("One",)
    assert second.content.startswith("Two\n\n")
    assert second.heading_path == ("Two",)


def test_tiny_sections_share_a_chunk_and_keep_the_common_heading() -> None:
    blocks = [
        Block(text, kind, heading_path=("FAQ", name))
        for name in ("a", "b")
        for text, kind in ((name, BlockKind.HEADING), ("Short answer.", BlockKind.PARAGRAPH))
    ]

    (chunk,) = cut(blocks)

    assert chunk.heading_path == ("FAQ",)


@pytest.mark.parametrize("words", [245, 256, 300, 2000])
def test_heading_stays_with_the_text_that_follows(words: int) -> None:
    path = ("A heading of some words",)
    blocks = [
        Block(paragraph(30), heading_path=()),
        Block(path[0], BlockKind.HEADING, heading_path=path),
        Block(paragraph(words), heading_path=path),
    ]

    chunks = cut(blocks)

    assert not any(chunk.content.endswith(path[0]) for chunk in chunks)


def test_table_is_cut_between_rows_only() -> None:
    rows = [f"name: item {number}; price: {number}.50; note: it is. Really so" for number in range(200)]

    chunks = cut([Block("\n".join(rows), BlockKind.TABLE)])

    assert len(chunks) > 1
    assert [row for chunk in chunks for row in chunk.content.split("\n")] == rows


def test_long_paragraph_is_cut_between_sentences() -> None:
    sentences = [f"Sentence number {number} costs 3.5 euros at example.org today." for number in range(100)]

    chunks = cut([Block(" ".join(sentences))])

    assert all(chunk.content.endswith("today.") for chunk in chunks)


def test_chinese_paragraph_is_cut_at_its_own_marks() -> None:
    chunks = list(chunk_blocks([Block("这是一个测试句子。" * 100)], count_tokens=len, max_tokens=256))

    assert all(chunk.content.endswith("。") for chunk in chunks)
    assert all(chunk.token_count <= 256 for chunk in chunks)


def test_text_without_spaces_is_cut_between_characters() -> None:
    chunks = list(chunk_blocks([Block("x" * 10_000)], count_tokens=len))

    assert "".join(chunk.content for chunk in chunks) == "x" * 10_000
    assert len(chunks) < 60


def test_blocks_are_read_only_as_chunks_are_taken() -> None:
    taken = 0

    def blocks() -> Iterator[Block]:
        nonlocal taken
        while True:
            taken += 1
            yield Block(paragraph(100))

    next(chunk_blocks(blocks(), count_tokens=count_words))

    assert taken <= 4


def test_tokens_are_counted_a_bounded_number_of_times() -> None:
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return count_words(text)

    blocks = [Block(paragraph(60), heading_path=("H",)) for _ in range(100)] + [Block("a. " * 10_000)] * 3
    list(chunk_blocks(blocks, count_tokens=count))

    assert counted < 4 * len(canonical(blocks))


def test_headings_leave_room_for_themselves_where_the_chunk_is_embedded() -> None:
    path = ("A chapter with a title", "A section with a long and winding title of many words")
    blocks = [Block(paragraph(60), heading_path=path) for _ in range(20)]

    for chunk in cut(blocks):
        text = embedding_text("a.txt", chunk.heading_path, chunk.content)
        assert text.startswith("A chapter with a title › A section")
        assert count_words(text) <= 256


def test_of_endless_headings_the_innermost_are_embedded() -> None:
    text = embedding_text("a.txt", ["outer " * 1000, "inner"], "content")

    assert text.endswith("› inner\ncontent")
    assert len(text) < 300


@pytest.mark.parametrize(("target", "ceiling"), [(0, 10), (11, 10)])
def test_sizes_that_make_no_sense_are_refused(target: int, ceiling: int) -> None:
    with pytest.raises(ValueError, match="target_tokens"):
        cut([Block("x")], target, ceiling)
