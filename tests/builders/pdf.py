"""Small PDFs, written by hand: text pages, drawings without text, encrypted files."""

import hashlib
import zlib
from collections.abc import Sequence
from functools import reduce

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_ID = b"0123456789abcdef"
_NO_COPYING = -3904 & 0xFFFFFFFF


def make_pdf(
    pages: Sequence[str],
    *,
    title: str | None = None,
    user_password: str | None = None,
    owner_password: str | None = None,
) -> bytes:
    """Return a PDF with one page per text (characters of cp1252), lines as they are.

    A line that begins with `# ` is set larger, one with `** ` bold. With a `user_password` the file cannot be
    opened without it; with an `owner_password` alone it opens, and forbids copying (RC4, 40 bit).
    """
    return make_raw_pdf([_text_stream(page) for page in pages], title, user_password, owner_password)


def make_drawing_pdf(pages: int = 1) -> bytes:
    """Return a PDF whose pages hold a filled rectangle and no text, as a scan does."""
    return make_raw_pdf([b"0.5 g 100 100 300 300 re f"] * pages)


def make_placed_pdf(texts: Sequence[tuple[float, float, str]]) -> bytes:
    """Return a PDF of one page with texts at places, in the order given: (points from the left, from below, text)."""
    shown = (b"BT /F1 10 Tf %.1f %.1f Td (%s) Tj ET" % (x, y, _escape(text)) for x, y, text in texts)
    return make_raw_pdf([b"\n".join(shown)])


def make_scan_pdf(pages: Sequence[str]) -> bytes:
    """Return a PDF whose pages are covered by a picture each, with a stamp of text at the foot (none where empty)."""
    picture = b"q 612 0 0 792 0 0 cm BI /W 2 /H 2 /CS /G /BPC 8 ID \x40\xff\xff\x40 EI Q"
    return make_raw_pdf(
        [picture + (b" BT /F1 11 Tf 72 20 Td (" + _escape(stamp) + b") Tj ET" if stamp else b"") for stamp in pages]
    )


def make_raw_pdf(
    streams: Sequence[bytes],
    title: str | None = None,
    user_password: str | None = None,
    owner_password: str | None = None,
    *,
    filters: str = "",
) -> bytes:
    """Return a PDF with one page per content stream; `filters` describes how the streams are encoded."""
    first = 5 if title is None else 6
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    if title is not None:
        objects.append(b"<< /Title (" + _escape(title) + b") >>")
    cipher = _Cipher(user_password or "", owner_password) if user_password or owner_password else None
    for stream in streams:
        number = len(objects) + 2
        data = cipher.encrypt(number, stream) if cipher else stream
        page = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number} 0 R"
        objects.append(f"<< /Type /Page {page} /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode())
        objects.append(f"<< /Length {len(data)} {filters} >>\nstream\n".encode() + data + b"\nendstream")
    if cipher:
        objects.append(cipher.dictionary())
    return _assemble(objects, info=title is not None, encrypted=cipher is not None)


def make_flate_bomb(unpacked: int) -> bytes:
    """Return a PDF whose only page inflates to this many bytes."""
    packer, block, blocks = zlib.compressobj(9), b" " * (1 << 20), unpacked >> 20
    first, further = [packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    # After a full flush each block packs to the same bytes; only the sum at the end is of all of them.
    total = reduce(lambda so_far, _: zlib.adler32(block, so_far), range(blocks), 1)
    data = first + further * (blocks - 1) + packer.flush()[:-4] + total.to_bytes(4, "big")
    return make_raw_pdf([zlib.compress(data)], filters="/Filter [/FlateDecode /FlateDecode]")


def _assemble(objects: Sequence[bytes], *, info: bool, encrypted: bool) -> bytes:
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    extra = b" /Info 5 0 R" if info else b""
    if encrypted:
        extra += b" /Encrypt %d 0 R /ID [<%s> <%s>]" % (len(objects), _ID.hex().encode(), _ID.hex().encode())
    body += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, extra, start)
    return bytes(body)


def _text_stream(text: str) -> bytes:
    parts = [b"BT 1 0 0 1 72 750 Tm"]
    for line in text.split("\n"):
        font, size, shown = b"F1", 11, line
        if line.startswith("# "):
            font, size, shown = b"F2", 18, line[2:]
        elif line.startswith("** "):
            font, shown = b"F2", line[3:]
        parts.append(b"/%s %d Tf 0 -%d Td (%s) Tj" % (font, size, size + 3, _escape(shown)))
    return b"\n".join([*parts, b"ET"])


def _escape(text: str) -> bytes:
    data = text.encode("cp1252")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


class _Cipher:
    """The standard security handler, revision 2 (PDF 32000-1, 7.6.3)."""

    def __init__(self, user_password: str, owner_password: str | None) -> None:
        user, owner = _padded(user_password), _padded(owner_password or user_password)
        self._owner_entry = _rc4(hashlib.md5(owner).digest()[:5], user)
        permissions = _NO_COPYING.to_bytes(4, "little")
        self._key = hashlib.md5(user + self._owner_entry + permissions + _ID).digest()[:5]
        self._user_entry = _rc4(self._key, _PADDING)

    def dictionary(self) -> bytes:
        owner, user = self._owner_entry.hex().encode(), self._user_entry.hex().encode()
        return b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P %d >>" % (owner, user, _NO_COPYING - (1 << 32))

    def encrypt(self, number: int, data: bytes) -> bytes:
        return _rc4(hashlib.md5(self._key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], data)


def _padded(password: str) -> bytes:
    return (password.encode("latin-1") + _PADDING)[:32]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
