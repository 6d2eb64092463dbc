"""Masking: each character of what is personal becomes one `█`, so that every offset stays true."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from chatsphere.errors import ConfigurationError
from chatsphere.knowledge.text import Block
from chatsphere.ports.personal_data import PersonalDataFinder, PersonalDataKind

MASK: Final = "█"

Mask = Callable[[str], str]
MakeFinder = Callable[[], PersonalDataFinder]


def no_finder() -> PersonalDataFinder:
    """Refuse: what is to be masked must not pass because nobody can.

    Raises:
        ConfigurationError: always.
    """
    raise ConfigurationError("Personal data is to be masked, and nothing here can find it.")


def nothing_masked(text: str) -> str:
    """Return the text as it is."""
    return text


def masking(kinds: Collection[PersonalDataKind], finder: MakeFinder) -> Mask:
    """Return a function that masks these kinds. The finder is made when there are any: it takes time to load."""
    if not kinds:
        return nothing_masked
    found = finder()
    return lambda text: masked(text, kinds, found)


def masked(text: str, kinds: Collection[PersonalDataKind], finder: PersonalDataFinder) -> str:
    """Return a text of the same length, and of the same lines, without what is personal in it."""
    parts, at = [], 0
    for span in sorted(finder.find(text, kinds), key=lambda span: span.start):
        start = max(at, span.start)
        if start < span.end:
            parts += [text[at:start], "".join(each if each in "\r\n" else MASK for each in text[start : span.end])]
            at = span.end
    return "".join([*parts, text[at:]])


def masked_blocks(blocks: Iterable[Block], mask: Mask) -> Iterator[Block]:
    """Yield the blocks of a document with their texts and headings masked."""
    for block in blocks:
        headings = tuple(map(mask, block.heading_path))
        yield replace(block, text=mask(block.text), heading_path=headings)
