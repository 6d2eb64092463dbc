"""How a text file is encoded: BOM → declared → strict UTF-8 → UTF-16 by its shape → the detector → cp1252.

Only the first bytes decide in the parent (`looks_like_text`); the child checks the whole file.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from chatsphere.knowledge.extraction.charsets import guess_charset, is_common
from chatsphere.knowledge.extraction.source import Source

_SAMPLE_BYTES = 256 * 1024
_READ_BYTES = 1024 * 1024

_BOMS = (  # UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The WHATWG encoding standard: these labels mean the superset that is really used.
_WEB_LABELS = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
_UNSAFE_CODECS = frozenset({"utf-7", "idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]|[\x0b\x0c][^\r\n]")
_COMMON_SHARE = 0.95
_ESCAPED = (b"\x1b$B", b"\x1b$@")  # ISO-2022-JP, all ASCII bytes
_PARTED = re.compile("[ \n\u3000-\u3002\uff0c]")
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b\x1a\x00")


def looks_like_text(head: bytes) -> bool:
    """Whether a file that begins with `head` can be text in any encoding."""
    if _bom(head) or _wide_shape(head):
        return True
    controls = sum(head.count(code) for code in range(32) if code not in _TEXT_CONTROLS)
    # A few NULs are padding that is dropped; many are binary.
    return controls <= len(head) // 1000 + 1 and head.count(0) <= len(head) // 100


def find_encoding(path: Source, declared: str | None = None) -> str:
    """Return the codec that decodes the file; what it cannot decode is to be replaced."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if bom := _bom(sample):
        return bom
    label = _codec(declared)
    if label and _decodes(path, label) and (sample.isascii() or not _decodes(path, "utf-8")):
        return label
    shape = _wide_shape(sample)
    if shape:
        return shape
    if any(mark in sample for mark in _ESCAPED) and _decodes(path, "iso2022_jp"):
        return "iso2022_jp"
    return "utf-8" if _decodes(path, "utf-8") else guess_charset(_telling_sample(path))


@contextmanager
def open_text(path: Source, declared: str | None = None) -> Iterator[TextIO]:
    """Open a text file in its encoding, with any line end read as a newline."""
    encoding = find_encoding(path, declared)
    with path.open("r", encoding=encoding, errors="replace", newline=None) as stream:
        yield stream


def _telling_sample(path: Source) -> bytes:
    """The first part of the file that holds more than ASCII, from a line's begin where there is one."""
    with path.open("rb") as file:
        while (part := file.read(_SAMPLE_BYTES)).isascii() and part:
            file.seek(part.rfind(b"\n") + 1 - len(part) if b"\n" in part else 0, 1)
            if len(part) < _SAMPLE_BYTES:
                break
    return part


def _bom(head: bytes) -> str | None:
    return next((codec for mark, codec in _BOMS if head.startswith(mark)), None)


def _wide_shape(sample: bytes) -> str | None:
    """UTF-32 or UTF-16 without a mark: its bytes are controls that no other text has."""
    sample = sample[: len(sample) // 2 * 2][:4096]
    if len(sample) < 4 or not _CONTROLS.search(sample):
        return None
    return _utf32_shape(sample) or _utf16_shape(sample) or _utf16_words(sample)


def _utf32_shape(sample: bytes) -> str | None:
    whole = sample[: len(sample) // 4 * 4]
    for codec, highest in (("utf-32-le", whole[3::4]), ("utf-32-be", whole[0::4])):
        if len(whole) == len(sample) and not highest.strip(b"\0"):
            try:
                text = whole.decode(codec)
            except UnicodeDecodeError:
                continue
            if sum(map(is_common, text)) >= _COMMON_SHARE * len(text):
                return codec
    return None


def _utf16_words(sample: bytes) -> str | None:
    """UTF-16 of a script whose characters have no zero bytes: in the wrong order they are rare ones."""
    shares = {}
    for codec in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        if _PARTED.search(text):
            shares[codec] = sum(map(is_common, text)) / len(text)
    best = max(shares, key=lambda codec: shares[codec], default="")
    return best if best and shares.pop(best) >= max(_COMMON_SHARE, *shares.values(), 0) else None


def _utf16_shape(sample: bytes) -> str | None:
    """UTF-16: text has most of its zero bytes, or of its spaces and line ends, on one side."""
    if 0 not in sample:
        return None
    high_first, low_first = sample[0::2].count(0), sample[1::2].count(0)
    pairs = len(sample) // 2
    codec, zeros, others = (
        ("utf-16-be", high_first, low_first) if high_first > low_first else ("utf-16-le", low_first, high_first)
    )
    if zeros < max(pairs // 20, 1) or others > max(pairs // 50, 1):
        return None
    try:
        text = codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None
    odd = sum(not (char.isprintable() or char in "\t\n\r\f\ufeff") for char in text)
    return codec if odd <= len(text) // 100 else None


def _codec(declared: str | None) -> str | None:
    try:
        name = codecs.lookup((declared or "").strip()).name
    except (LookupError, ValueError):  # unknown, or not a name at all
        return None
    is_text = getattr(codecs.lookup(name), "_is_text_encoding", True)
    # A file that says UTF-16 in single bytes is not UTF-16.
    if name in _UNSAFE_CODECS or not is_text or name.startswith(("utf-16", "utf-32")):
        return None
    return _WEB_LABELS.get(name, name)


def _decodes(path: Source, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    with path.open("rb") as file:
        try:
            while data := file.read(_READ_BYTES):
                decoder.decode(data)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
