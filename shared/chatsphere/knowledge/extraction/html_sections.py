"""Which pieces of a page are its main text, and the blocks that they make."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from chatsphere.knowledge.extraction.html_text import Piece
from chatsphere.knowledge.extraction.parsed import Outline
from chatsphere.knowledge.text import Block, BlockKind

_BLOCK_CHARS = 8_000
_ENOUGH_CHARS = 250
_ENOUGH_SHARE = 0.3
_PROSE_SHARE = 0.6
_LINK_SHARE = 0.8

# The first choice that holds enough text is the page's main text; a page that is nothing but a form or a menu
# is read as that.
_CHOICES: tuple[Callable[[Piece], bool], ...] = (
    lambda piece: piece.zone.main and not piece.zone.boilerplate,
    lambda piece: piece.zone.article and not piece.zone.boilerplate,
    lambda piece: not piece.zone.boilerplate,
)


def main_blocks(pieces: Sequence[Piece]) -> Iterator[Block]:
    """Yield the blocks of the page's main text."""
    return blocks_of(_main(pieces), Outline())


def blocks_of(pieces: Iterable[Piece], outline: Outline) -> Iterator[Block]:
    """Yield the blocks that the pieces make, under the headings of an outline that goes on."""
    for (group, kind, _), members in groupby(pieces, key=_merge_key):
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
    for wanted in _CHOICES:
        chosen = [piece for piece in pieces if wanted(piece)]
        if _is_enough(chosen, pieces):
            return _unsuspected(chosen)
    return pieces


def _is_enough(chosen: Sequence[Piece], pieces: Sequence[Piece]) -> bool:
    size, whole = (sum(len(piece.text) for piece in some) for some in (chosen, pieces))
    prose = _prose(chosen)  # a short notice among long menus
    return (
        size >= _ENOUGH_CHARS or size > whole * _ENOUGH_SHARE or (prose > 0 and prose >= _PROSE_SHARE * _prose(pieces))
    )


def _unsuspected(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Leave out what only its names call a menu; where that holds much of the page's prose, its links alone."""
    kept = [piece for piece in pieces if not piece.zone.suspect]
    if _prose(kept) < _PROSE_SHARE * _prose(pieces):
        kept = [piece for piece in pieces if not (piece.zone.suspect and _is_link(piece))]
    return kept or pieces


def _prose(pieces: Sequence[Piece]) -> int:
    """How many characters are no links."""
    return sum(len(piece.text) - piece.linked for piece in pieces if not _is_link(piece))


def _is_link(piece: Piece) -> bool:
    return piece.linked > _LINK_SHARE * len(piece.text)


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
