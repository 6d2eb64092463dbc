"""Markdown: blocks of the source text itself, with the headings that each stands under."""

import re
from collections.abc import Callable, Iterator

from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Outline, Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.text import Block, BlockKind

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-*:?[ \t]*)*\|?[ \t]*$")
_BREAK = re.compile(r" {0,3}([-*_])[ \t]*(\1[ \t]*){2,}$")
_INLINE = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}|<[^>]{1,100}>")
_TITLE = re.compile(r"title[ \t]*[:=][ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.IGNORECASE)


def parse(path: Source, _limits: ExtractionLimits) -> Parsed:
    """Read a Markdown file; its front matter gives the title and is no part of the text."""
    with open_text(path) as stream:
        lines = stream.read().split("\n")
    start, title = _front_matter(lines)
    return Parsed(_Splitter(lines, start).blocks(), title=title)


def _front_matter(lines: list[str]) -> tuple[int, str | None]:
    """Where the text begins, and the title that the front matter gives."""
    mark = lines[0].strip()
    if mark not in ("---", "+++"):
        return 0, None
    for number, line in enumerate(lines[1:500], start=1):
        if line.strip() == mark or (mark == "---" and line.strip() == "..."):
            # A rule at the top of a text, with prose behind it, is no front matter.
            keyed = all(re.match(r"[\s#\-\]}]|[\w.\"' -]+[ \t]*[:=]|$", inner) for inner in lines[1:number])
            titles = (_TITLE.match(inner) for inner in lines[1:number])
            return (number + 1, next((match[1] for match in titles if match), None)) if keyed else (0, None)
    return 0, None


def heading_text(source: str) -> str:
    """The heading as it reads, without inline marks."""
    return " ".join(_INLINE.sub(lambda match: match[1] or "", source).split())


class _Splitter:
    """Walks the lines once; `_at` is the next line."""

    def __init__(self, lines: list[str], start: int) -> None:
        self._lines = lines
        self._at = start
        self._outline = Outline()

    def blocks(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or _BREAK.match(line):
                self._at += 1
            elif fence := _FENCE.match(line):
                yield self._take(BlockKind.CODE, self._fence_end(fence[1]))
            elif atx := _ATX.match(line):
                yield self._heading(len(atx[1]), atx[2] or "", 1)
            elif line.startswith(("    ", "\t")):
                yield self._take(BlockKind.CODE, self._indented_end())
            elif _ITEM.match(line):
                yield self._take(BlockKind.LIST, self._list_end())
            else:
                yield self._paragraph()

    def _take(self, kind: BlockKind, end: int) -> Block:
        text = "\n".join(self._lines[self._at : end]).rstrip()
        self._at = end
        return Block(text, kind, heading_path=self._outline.path)

    def _heading(self, level: int, source: str, lines: int) -> Block:
        title = heading_text(source)
        if title:
            self._outline.enter(level, title)
        return self._take(BlockKind.HEADING if title else BlockKind.PARAGRAPH, self._at + lines)

    def _paragraph(self) -> Block:
        end = self._at + 1
        if end < len(self._lines) and "|" in self._lines[self._at] and _is_rule(self._lines[end]):
            while end < len(self._lines) and self._lines[end].strip():
                end += 1
            return self._take(BlockKind.TABLE, end)
        while end < len(self._lines) and not self._interrupts(self._lines[end]):
            if setext := _SETEXT.match(self._lines[end]):
                source = " ".join(self._lines[self._at : end])
                return self._heading(1 if setext[1][0] == "=" else 2, source, end + 1 - self._at)
            end += 1
        return self._take(BlockKind.PARAGRAPH, end)

    def _interrupts(self, line: str) -> bool:
        if not line.strip():
            return True
        rule = _BREAK.match(line) and not _SETEXT.match(line)
        return bool(rule or _FENCE.match(line) or _ATX.match(line) or re.match(r" {0,3}(?:[-*+]|1[.)])[ \t]", line))

    def _fence_end(self, mark: str) -> int:
        for number in range(self._at + 1, len(self._lines)):
            closing = _FENCE.match(self._lines[number])
            if closing and closing[1].startswith(mark) and not closing[2].strip():
                return number + 1
        return len(self._lines)

    def _indented_end(self) -> int:
        return self._while(lambda line: line.startswith(("    ", "\t")))

    def _list_end(self) -> int:
        """A list goes on over blank lines as long as items or indented lines follow."""
        end = self._at + 1
        while end < len(self._lines):
            line = self._lines[end]
            if not line.strip():
                after = next((text for text in self._lines[end + 1 : end + 3] if text.strip()), "")
                if not (_ITEM.match(after) or after.startswith(("  ", "\t"))):
                    return end
            elif not line.startswith(("  ", "\t")) and (_ATX.match(line) or _FENCE.match(line) or _BREAK.match(line)):
                return end
            end += 1
        return end

    def _while(self, belongs: Callable[[str], bool]) -> int:
        end = last = self._at + 1
        while end < len(self._lines) and (not self._lines[end].strip() or belongs(self._lines[end])):
            end += 1
            if self._lines[end - 1].strip():
                last = end
        return last


def _is_rule(line: str) -> bool:
    return "-" in line and bool(_TABLE_RULE.match(line))
