"""EML: a mail's headers, its text, and what is attached to it, each attachment by the parser of its format.

A passage of an attachment stands under the attachment's name, and its page is the attachment's. An attachment that
cannot be read is named with the reason; the mail is read all the same.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_binary_file, message_from_bytes
from email.message import Message
from typing import Final, cast

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    ExtractionLimitError,
    TypeMismatchError,
)
from chatsphere.knowledge.extraction import html, plain_text
from chatsphere.knowledge.extraction.detection import Format, detect
from chatsphere.knowledge.extraction.eml_body import content_of, is_decoration, is_pgp, is_text, parts_of
from chatsphere.knowledge.extraction.eml_headers import attachment_name, header_lines, header_text
from chatsphere.knowledge.extraction.extract import PARSERS
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import MAX_OUTLINE_DEPTH, Parsed, Scan
from chatsphere.knowledge.extraction.source import MemoryFile, Source
from chatsphere.knowledge.text import Block, BlockKind

_MAX_ATTACHMENTS: Final = 200
_MAX_MAILS_DEEP: Final = 5
_FLOWED: Final = re.compile(rb"^(?!>|-- \r?\n)(.*) \r?\n(?!>|-- \r?\n)", re.MULTILINE)
"""Lines that go on, but for quoted ones and for what parts off the signature."""


def parse(source: Source, limits: ExtractionLimits) -> Parsed:
    """Read a mail."""
    with source.open("rb") as stream:
        message = message_from_binary_file(stream)
    if not message.keys():
        raise TypeMismatchError
    return Parsed(_Reader(limits).blocks(message, (), 0), title=header_text(message, "Subject"))


class _Reader:
    """Reads one mail and the mails inside it, within one budget."""

    def __init__(self, limits: ExtractionLimits) -> None:
        self._limits = limits
        self._bytes_left = limits.max_unpacked_bytes
        self._attachments_left = _MAX_ATTACHMENTS

    def blocks(self, message: Message, path: tuple[str, ...], depth: int) -> Iterator[Block | Scan]:
        yield Block(header_lines(message), heading_path=path)
        unread: list[str] = []
        for part in parts_of(message):
            if is_text(part):
                yield from _under(path, self._text(part))
            elif not is_decoration(part):
                yield from self._attached(part, path, depth, unread)
        if unread:
            lines = "\n".join(["Attachments that were not read:", *unread])
            yield Block(lines, BlockKind.LIST, heading_path=path)

    def _text(self, part: Message) -> Iterator[Block | Scan]:
        data = content_of(part)
        if is_pgp(data):
            raise EncryptedDocumentError
        charset = part.get_content_charset()
        if part.get_content_type() == "text/html":
            yield from html.parse(MemoryFile(data), self._limits, charset).blocks
            return
        if str(part.get_param("format") or "").lower() == "flowed":  # RFC 3676: a space at a line's end joins it
            data = _FLOWED.sub(rb"\1" if str(part.get_param("delsp") or "").lower() == "yes" else rb"\1 ", data)
        yield from plain_text.parse(MemoryFile(data), self._limits, charset).blocks

    def _attached(self, part: Message, path: tuple[str, ...], depth: int, unread: list[str]) -> Iterator[Block | Scan]:
        """Read an attachment under its name; what is wrong with it ends this attachment only."""
        mail = _mail_in(part)
        name = attachment_name(part) or (mail and header_text(mail, "Subject")) or part.get_content_type()
        inner = (*path, name)
        begun = False
        error: DocumentError | None = None
        try:
            for block in self._opened(part, mail, name, inner, depth):
                if not begun and (isinstance(block, Block) or self._limits.ocr_pages):
                    yield Block(name, BlockKind.HEADING, heading_path=inner)
                    begun = True
                yield block
        except DocumentError as failure:
            error = failure
        except (MemoryError, RecursionError):
            error = ExtractionLimitError()
        except Exception:  # a parser's bug must end this attachment only
            error = CorruptDocumentError()
        if error:
            unread.append(f"- {name}: {error.title}" + (" (it was read in part)" if begun else ""))

    def _opened(
        self, part: Message, mail: Message | None, name: str, path: tuple[str, ...], depth: int
    ) -> Iterator[Block | Scan]:
        self._attachments_left -= 1
        data = b"" if mail else content_of(part)
        self._bytes_left -= len(data)
        if min(self._attachments_left, self._bytes_left) < 0 or depth >= _MAX_MAILS_DEEP:
            raise DocumentTooLargeError
        if mail is None:
            found = detect(MemoryFile(data), name=name, declared_type=None if "." in name else part.get_content_type())
            if found is not Format.EML:
                yield from _under(path, self._counted(_parser(found)(MemoryFile(data), self._limits).blocks))
                return
            mail = message_from_bytes(data)
        yield from self.blocks(mail, path, depth + 1)

    def _counted(self, blocks: Iterator[Block | Scan]) -> Iterator[Block | Scan]:
        """Pages that are sent as pictures count for the whole mail."""
        for block in blocks:
            yield block
            if isinstance(block, Scan) and self._limits.ocr_pages:
                self._limits = replace(self._limits, ocr_pages=self._limits.ocr_pages - 1)


def _mail_in(part: Message) -> Message | None:
    """The mail that a part is."""
    inner = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(inner, list) and inner:
        return cast(Message, inner[0])
    return None


def _parser(found: Format) -> Callable[[Source, ExtractionLimits], Parsed]:
    module, _, function = PARSERS[found].partition(":")
    return cast(Callable[[Source, ExtractionLimits], Parsed], getattr(importlib.import_module(module), function))


def _under(path: tuple[str, ...], blocks: Iterator[Block | Scan]) -> Iterator[Block | Scan]:
    for block in blocks:
        yield replace(block, heading_path=(*path, *block.heading_path)[:MAX_OUTLINE_DEPTH]) if path else block
