"""What parent and child say to each other: a task as an argument, then JSON lines.

The child is not trusted: the parent checks the shape of each message and takes only error codes from it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chatsphere.errors import CorruptDocumentError, DocumentError
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.text import Block, BlockKind

MAX_LINE_BYTES = 1024 * 1024
"""Far above a block of the largest size with its headings; a longer line is not the protocol."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to do. `parser` is `module:function`: (path, limits) → Parsed."""

    parser: str
    path: Path
    limits: ExtractionLimits

    def to_argument(self, parent: int) -> str:
        """Encode for the child's command line."""
        limits = asdict(self.limits)
        return json.dumps({"parser": self.parser, "path": str(self.path), "limits": limits, "parent": parent})

    @classmethod
    def from_argument(cls, argument: str) -> tuple["Task", int]:
        """Decode in the child: the task and the parent's process id."""
        data = json.loads(argument)
        return cls(data["parser"], Path(data["path"]), ExtractionLimits(**data["limits"])), data["parent"]


@dataclass(frozen=True, slots=True)
class Header:
    """The document is open."""

    page_count: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class End:
    """The document was read to its end."""


Message = Header | Block | End


def encode_header(header: Header) -> bytes:
    """Encode the first line."""
    return _line({"page_count": header.page_count, "title": header.title})


def encode_block(block: Block) -> bytes:
    """Encode one block."""
    return _line({"text": block.text, "kind": block.kind, "page": block.page, "path": block.heading_path})


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
