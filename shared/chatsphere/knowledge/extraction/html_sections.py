"""Which pieces of a page are its main text, and the blocks that they make."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from chatsphere.knowledge.extraction.html_text import Piece
from chatsphere.knowledge.extraction.parsed import Outline
from chatsphere.knowledge.text import Block, BlockKind

_BLOCK_CHARS = 8_000
_ENOUGH_CHARS = 250
_ENOUGH_SHARE = 0.3

# The first choice that holds enough text is the page's main text; a page that is nothing but a form or a menu
# is read as that.
_CHOICES: tuple[Callable[[Piece], bool], ...] = (
    lambda piece: piece.zone.main and not piece.zone.boilerplate,
    lambda piece: piece.zone.article and not piece.zone.boilerplate,
    lambda piece: not piece.zone.boilerplate,
)


def main_blocks(pieces: Sequence[Piece]) -> Iterator[Block]:
    """Yield the blocks of the page's main text."""
    outline = Outline()
    for (group, kind, _), members in groupby(_main(pieces), key=_merge_key):
        if kind is BlockKind.HEADING:
            for piece in members:
                path = outline.enter(piece.level, piece.text)
                yield Block(piece.text, kind, heading_path=path)
        elif group:
            yield from _joined(members, kind, outline.path)
        else:
            yield from (Block(piece.text, kind, heading_path=outline.path) for piece in members)


def _merge_key(piece: Piece) -> tuple[int, BlockKind, int]:
    return piece.group, piece.kind, piece.level


def _main(pieces: Sequence[Piece]) -> Sequence[Piece]:
    whole = sum(len(piece.text) for piece in pieces)
    for wanted in _CHOICES:
        chosen = [piece for piece in pieces if wanted(piece)]
        size = sum(len(piece.text) for piece in chosen)
        if size >= _ENOUGH_CHARS or size > whole * _ENOUGH_SHARE:
            return chosen
    return pieces


def _joined(members: Iterator[Piece], kind: BlockKind, path: tuple[str, ...]) -> Iterator[Block]:
    lines: list[str] = []
    size = 0
    for piece in members:
        if size > _BLOCK_CHARS:
            yield Block("\n".join(lines), kind, heading_path=path)
            lines, size = [], 0
        lines.append(piece.text)
        size += len(piece.text)
    yield Block("\n".join(lines), kind, heading_path=path)
