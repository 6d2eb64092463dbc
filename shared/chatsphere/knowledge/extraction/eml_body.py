"""Which parts of a mail are its text, and which came with it."""

from collections.abc import Iterator
from email.message import Message
from typing import Final

from chatsphere.errors import EncryptedDocumentError, UnsupportedFormatError
from chatsphere.knowledge.extraction.eml_headers import attachment_name
from chatsphere.knowledge.extraction.html import read_page
from chatsphere.knowledge.extraction.source import MemoryFile

_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_SMIME: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PGP: Final = b"-----BEGIN PGP MESSAGE-----"
_MAX_DEPTH: Final = 50


def parts_of(message: Message, depth: int = 0) -> Iterator[Message]:
    """Yield the parts that are to be read, in order; of alternatives the richest one, of related ones the root.

    Raises:
        EncryptedDocumentError: the text is encrypted (S/MIME, PGP).
        UnsupportedFormatError: the text stands inside its signature (opaque S/MIME).
    """
    kind = message.get_content_type()
    if kind == "multipart/encrypted":
        raise EncryptedDocumentError
    if kind in _SMIME:
        signed = str(message.get_param("smime-type") or "").lower() in ("signed-data", "certs-only")
        raise UnsupportedFormatError if signed else EncryptedDocumentError
    if kind == "message/rfc822" or not message.is_multipart() or depth > _MAX_DEPTH:
        if kind not in _SIGNATURES:
            yield message
        return
    inner = [part for part in message.get_payload() if isinstance(part, Message)]
    if kind == "multipart/alternative":
        inner = [_richest(inner)] if inner else []
    elif kind == "multipart/related":
        # The root comes first; what it shows, such as pictures, has no name of its own to a reader.
        inner = [part for number, part in enumerate(inner) if not number or _is_attached(part)]
    for part in inner:
        yield from parts_of(part, depth + 1)


def content_of(message: Message) -> bytes:
    """A part's bytes, out of their transfer encoding."""
    data = message.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def is_text(message: Message) -> bool:
    """Whether a part is text of the mail itself."""
    return message.get_content_type() in ("text/plain", "text/html") and not _is_attached(message)


def is_decoration(message: Message) -> bool:
    """Whether a part is a picture that the text shows, such as a logo."""
    return message.get_content_maintype() == "image" and not _is_attached(message)


def is_pgp(data: bytes) -> bool:
    """Whether a text is nothing but an encrypted message."""
    return data.lstrip().startswith(_PGP)


def _is_attached(message: Message) -> bool:
    disposition = message.get_content_disposition()
    return disposition == "attachment" or (disposition != "inline" and attachment_name(message) is not None)


def _richest(parts: list[Message]) -> Message:
    """The last is the best (RFC 2046, 5.1.4), but a calendar's entry is no text to read."""
    for wanted in ("text/html", "multipart/", "text/plain", "text/"):
        for part in reversed(parts):
            if part.get_content_type().startswith(wanted) and _has_content(part):
                return part
    return parts[-1]


def _has_content(part: Message) -> bool:
    """Whether there is anything to read: a page may be one picture, with the text beside it as plain text."""
    if part.is_multipart():
        return any(_has_content(inner) for inner in part.get_payload() if isinstance(inner, Message))
    data = content_of(part)
    if part.get_content_type() == "text/html":
        return bool(read_page(MemoryFile(data)).text.pieces)
    return part.get_content_maintype() == "text" and bool(data.strip())
