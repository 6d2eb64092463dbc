"""What parent and child say to each other: a task as an argument, then JSON lines.

The child is not trusted: the parent checks the shape of each message and takes only error codes from it.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chatsphere.errors import CorruptDocumentError, DocumentError
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Place
from chatsphere.knowledge.text import Block, BlockKind

MAX_LINE_BYTES = 1024 * 1024
"""Far above a block of the largest size with its headings; a longer line is not the protocol."""

_PIECE_BYTES = 384 * 1024

MAX_IMAGE_BYTES = 8 * 1024 * 1024
"""The largest picture of a page; Textract takes 10 MB."""

MAX_IMAGE_PIXELS = 40_000_000
"""Twice what a page is drawn with."""

MAX_PLACE_CHARS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a document reading has come to: so many blocks after a place of its parser's, opaque to everyone
    else (None: the beginning). `chars` is the length of the text before it.
    """

    place: str | None = None
    blocks: int = 0
    chars: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to do. `parser` is `module:function`: (path, limits) → Parsed; blocks before `position` are
    not wanted.
    """

    parser: str
    path: Path
    limits: ExtractionLimits
    position: Position = Position()

    def to_argument(self, parent: int) -> str:
        """Encode for the child's command line."""
        data = {"parser": self.parser, "path": str(self.path), "limits": asdict(self.limits), "parent": parent}
        return json.dumps(data | {"position": asdict(self.position)})

    @classmethod
    def from_argument(cls, argument: str) -> tuple["Task", int]:
        """Decode in the child: the task and the parent's process id."""
        data = json.loads(argument)
        limits, position = ExtractionLimits(**data["limits"]), Position(**data["position"])
        return cls(data["parser"], Path(data["path"]), limits, position), data["parent"]


@dataclass(frozen=True, slots=True)
class Header:
    """The document is open."""

    page_count: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class PlaceReached:
    """The blocks that follow come after this place of the parser's."""

    place: str


@dataclass(frozen=True, slots=True)
class ImagePiece:
    """A part of the picture of the next `ScannedPage`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page without text, in its place among the blocks; its picture, if it was sent, came in the pieces before."""

    page: int
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """The document was read to its end."""


Message = Header | Block | PlaceReached | ImagePiece | ScannedPage | End


def encode_header(header: Header) -> bytes:
    """Encode the first line."""
    return _line({"page_count": header.page_count, "title": header.title})


def encode_block(block: Block) -> bytes:
    """Encode one block."""
    return _line({"text": block.text, "kind": block.kind, "page": block.page, "path": block.heading_path})


def encode_place(place: Place) -> bytes:
    """Encode a place. It is text inside of the line, in ASCII: what it holds goes through any store unchanged."""
    return _line({"place": json.dumps(place, separators=(",", ":"))})


def decode_place(place: str) -> Place:
    """Decode in the child what `encode_place` encoded."""
    decoded: Place = json.loads(place)
    return decoded


def encode_scan(page: int, path: tuple[str, ...], image: bytes) -> Iterator[bytes]:
    """Encode a page without text and its picture, which may be empty."""
    for start in range(0, len(image), _PIECE_BYTES):
        yield _line({"piece": b64encode(image[start : start + _PIECE_BYTES]).decode("ascii")})
    yield _line({"scan": page, "path": path})


def encode_end(error: str | None = None, note: str = "") -> bytes:
    """Encode the last line; `error` is a `DocumentError.code`, `note` is for the operator's log."""
    return _line({"end": error, "note": note})


def decode(line: bytes) -> Message:
    """Decode a line.

    Raises:
        DocumentError: the child reports one, or its line is not the protocol (`CorruptDocumentError`).
    """
    try:
        data = json.loads(line)
        if "text" in data:
            return _block(data)
        if "place" in data:
            return _place(data["place"])
        if "piece" in data:
            return ImagePiece(b64decode(data["piece"], validate=True))
        if "scan" in data:
            return _scanned_page(data)
        if "end" not in data:
            return Header(_optional_int(data["page_count"]), _optional_str(data["title"]))
        code, note = _optional_str(data["end"]), str(data["note"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CorruptDocumentError from None
    if code is not None:
        raise error_of(code, note)
    return End()


def error_of(code: str, note: str = "") -> DocumentError:
    """Make the error of a code; the note goes to the log with the traceback, never to the caller."""
    # Only what a file can have wrong with it: other stages have errors of their own.
    kinds = {k.code: k for k in DocumentError.__subclasses__() if k.__module__ == DocumentError.__module__}
    error = kinds.get(code, CorruptDocumentError)()
    if note:
        error.add_note(note[:500])
    return error


def _block(data: dict[str, Any]) -> Block:
    path = tuple(str(heading) for heading in data["path"])
    text = data["text"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(text)
    return Block(text, BlockKind(data["kind"]), _optional_int(data["page"]), path)


def _place(place: object) -> PlaceReached:
    if not isinstance(place, str) or not place.isascii() or len(place) > MAX_PLACE_CHARS:
        raise ValueError(place)
    return PlaceReached(place)


def _scanned_page(data: dict[str, Any]) -> ScannedPage:
    page = _optional_int(data["scan"])
    if page is None:
        raise ValueError(page)
    return ScannedPage(page, tuple(str(heading) for heading in data["path"]))


def _optional_int(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    raise TypeError(value)


def _optional_str(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
