"""Where the sentences of a passage are: spans, so that every quote is a slice of the passage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chatsphere.adapters.extractive.terms import word_set

MAX_SENTENCE_CHARS: Final = 600
"""What runs on for longer (a table without line ends, minified text) is cut at white space."""

MAX_HEADING_CHARS: Final = 90
MIN_WRAPPED_LINE_CHARS: Final = 40

CONTEXT_CHARS: Final = 80
"""How far to look around a mark: more than any abbreviation and the gap after it."""

DATE: Final = (
    r"\d{1,2}\.\s(?:jan|jän|feb|märz|mars|apr|mai|maj|jun|jul|aug|sep|okt|nov|dez|des|jahrhundert|"
    r"weltkrieg|auflage|klasse|"
    r"stock|platz|liga|kapitel|quartal|jh)"
)
"""An ordinal number as German and its neighbours write it: no list mark, and no end of a sentence."""

_BLOCK_BREAK: Final = re.compile(r"\n[ \t]*\n\s*")
_LIST_ITEM: Final = re.compile(
    rf"\s*(?:[-*+•‣◦▪–—]\s|\(?(?!(?i:{DATE}))\d{{1,3}}[.)]\s|\(?[a-zA-Z][.)]\s|#{{1,6}}\s|>\s)"
)
_TABLE_ROW: Final = re.compile(r"\s*\|.*\||.*\S\s\|\s\S.*|.*\S\t+\S.*")
_ENUMERATOR: Final = re.compile(r"(?:^|\n)\s*\(?(?:\d{1,3}|[a-zA-Z])\.$")
_CLOSERS: Final = "\"'”’»›)]}」』）】》〉"
# Tried only where a run of marks begins: from each of its marks anew, a long run would take quadratic time.
_END: Final = re.compile(rf"(?<![.!?…])[.!?…]+[{re.escape(_CLOSERS)}]*(?=\s)|[。！？｡؟।۔][{re.escape(_CLOSERS)}]*")
_LAST_WORD: Final = re.compile(r"[^\s(\[{\"'“‘«]+$")
_TERMINAL: Final = re.compile(rf"[.!?…。！？｡؟।۔;:,，、][{re.escape(_CLOSERS)}]*\s*$")

# After these a full stop ends no sentence, whatever follows.
_NEVER_LAST: Final = word_set(
    "mr mrs ms mx dr prof rev hon st sr jr gen col lt sgt capt cmdr adm gov sen rep pres messrs mme mlle "
    "fig figs eq eqs sec secs ch chap vol vols ed eds pp p para nos nr ref tab cf vs v viz approx ca "
    "e.g i.e al z.b d.h u.a o.ä u.u i.d.r bzw ggf evtl inkl exkl abs str bspw vgl usw mio mrd bd "
    "hrsg geb gest tel dipl ing "
    "hl sog p.ex av env mm sra srta ud uds pág núm aprox ee uu dott sig sig.ra avv dra exmo blz bijv "
    "nl.v jl u.s u.k u.n ph.d"
)
_BEFORE_NUMBER: Final = word_set("no art")
# What stands before a number makes an ordinal of it: am 3. Tag, im 19. Jahrhundert.
_ORDINAL: Final = re.compile(
    r"\b(?:am|im|vom|zum|zur|beim|der|die|das|dem|den|des|bis|ab|seit|jede[rnms]?|ihr|ihre[rnms]?|"
    r"sein|seine[rnms]?)\s\d{1,3}$",
    re.IGNORECASE,
)
_DATE: Final = re.compile(DATE, re.IGNORECASE)
# Initials (J. K. Rowling) and dotted abbreviations (p.m.).
_ABBREVIATION: Final = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]?$|^[A-Z]$")
# The first letter of z. B., d. h., u. a., p. ex.
_SPACED: Final = re.compile(r"\s[A-Za-zäö]{1,2}\.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A slice `[start:end]` of a passage; `block` counts the paragraphs, `row` marks a row of a table."""

    start: int
    end: int
    block: int
    heading: bool = False
    row: bool = False


def split_sentences(text: str) -> list[Sentence]:
    """Return the sentences of `text` in order, without the white space around them."""
    found: list[Sentence] = []
    for number, (start, end) in enumerate(_blocks(text)):
        lines = list(_lines(text, start, end))
        for line_start, line_end in lines:
            row = bool(_TABLE_ROW.fullmatch(text, line_start, line_end))
            spans = [(line_start, line_end)] if row else _sentences(text, line_start, line_end)
            heading = not row and len(lines) == 1 and _reads_as_heading(text[start:end])
            found += [Sentence(*part, number, heading, row) for span in spans for part in _short_enough(text, *span)]
    return found


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the paragraphs: what blank lines part."""
    position = 0
    for gap in _BLOCK_BREAK.finditer(text):
        yield from _trimmed(text, position, gap.start())
        position = gap.end()
    yield from _trimmed(text, position, len(text))


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a paragraph's logical lines: a line that was only wrapped goes on in the next."""
    bounds = [match.span() for match in re.compile(r"[^\n]+").finditer(text, start, end)]
    width = max((b - a for a, b in bounds), default=0)
    position = start
    for (line_start, line_end), (next_start, next_end) in pairwise(bounds):
        if _is_wrapped(text[line_start:line_end], text[next_start:next_end], width):
            continue
        yield from _trimmed(text, position, line_end)
        position = next_start
    yield from _trimmed(text, position, end)


def _is_wrapped(line: str, following: str, width: int) -> bool:
    """Return whether the line break between the two lines is only there because the line was full."""
    if _LIST_ITEM.match(following) or _TABLE_ROW.fullmatch(line) or _TABLE_ROW.fullmatch(following):
        return False
    following = following.strip()
    if following[:1].islower():
        return True
    # A writer's own line break comes before the line is full.
    first_word = following.split(maxsplit=1)[0] if following else ""
    return width >= MIN_WRAPPED_LINE_CHARS and len(line) + 1 + len(first_word) >= width


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a logical line after each mark that ends a sentence."""
    spans: list[tuple[int, int]] = []
    position = start
    for mark in _END.finditer(text, start, end):
        if _ends_sentence(text, position, mark, end):
            spans += _trimmed(text, position, mark.end())
            position = mark.end()
    spans += _trimmed(text, position, end)
    return spans


def _ends_sentence(text: str, start: int, mark: re.Match[str], end: int) -> bool:
    following = text[mark.end() : min(end, mark.end() + CONTEXT_CHARS)].lstrip()[:1]
    if not following:
        return False
    if mark[0][0] != "." or mark[0].startswith(".."):
        return not following.islower()
    before = text[max(start, mark.start() - CONTEXT_CHARS) : mark.start()]
    if _ENUMERATOR.search(before + "."):
        return False
    word = _LAST_WORD.search(before)
    last = word[0] if word else ""
    if last.casefold() in _NEVER_LAST or following.islower():
        return False
    if last.casefold() in _BEFORE_NUMBER and following.isdigit():
        return False
    if last.isdigit() and (_ORDINAL.search(before) or _DATE.match(text, mark.start() - len(last))):
        return False
    if len(last) == 1 and last.isalpha() and _SPACED.match(text, mark.end()):
        return False
    return not _ABBREVIATION.search(last)


def _short_enough(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_SENTENCE_CHARS:
        half = start + MAX_SENTENCE_CHARS // 2
        limit = start + MAX_SENTENCE_CHARS
        cut = max(text.rfind(mark, half, limit) for mark in ("; ", "\n", "，", ", "))
        cut = cut if cut >= 0 else text.rfind(" ", half, limit)
        cut = cut + 1 if cut >= 0 else limit
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span without white space around it, or nothing if nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _reads_as_heading(block: str) -> bool:
    return block.startswith("#") or (
        len(block) <= MAX_HEADING_CHARS and not _TERMINAL.search(block) and not _LIST_ITEM.match(block)
    )
