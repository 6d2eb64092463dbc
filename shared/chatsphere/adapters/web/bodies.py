"""A response's body, read within bounds."""

import zlib
from typing import Final

from urllib3.response import BaseHTTPResponse

from chatsphere.errors import UrlTooLargeError, UrlUnreachableError

_PIECE_BYTES: Final = 64 * 1024
_ANY_ZLIB: Final = 32 + zlib.MAX_WBITS
_PACKED: Final = ("gzip", "x-gzip", "deflate")


def read_body(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    """Return the body, unpacked.

    Raises:
        UrlTooLargeError: it holds more than `max_bytes`, packed or unpacked.
        UrlUnreachableError: it is packed in a way that was not asked for, or damaged.
    """
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise UrlTooLargeError
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _read(response, max_bytes)
    if encoding not in _PACKED:
        raise UrlUnreachableError("The URL's host answers in an encoding that was not asked for.")
    return unpacked(_read(response, max_bytes), max_bytes)


def unpacked(packed: bytes, max_bytes: int) -> bytes:
    """Return what gzip or zlib packed; never more than `max_bytes` are unpacked. Raises as `read_body`."""
    unpacker = zlib.decompressobj(_ANY_ZLIB)
    try:
        body = unpacker.decompress(packed, max_bytes + 1)
    except zlib.error:
        raise UrlUnreachableError("What the URL's host sent is damaged.") from None
    if len(body) > max_bytes:
        raise UrlTooLargeError
    if not unpacker.eof:
        raise UrlUnreachableError("What the URL's host sent is damaged.")
    return body


def _read(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := response.read(_PIECE_BYTES, decode_content=False):
        body += piece
        if len(body) > max_bytes:
            raise UrlTooLargeError
    return bytes(body)
