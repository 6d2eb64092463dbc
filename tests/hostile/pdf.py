"""PDF files that loop, explode, lie about themselves, or hold no text."""

import zlib
from collections.abc import Mapping
from typing import Final

from tests.builders.pdf import make_pdf
from tests.hostile.hostile_file import READ, HostileFile, hostile

MIB: Final = 1024 * 1024
_PAGE: Final = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources {resources} >>"
_CATALOG: Final = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES: Final = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def assembled(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects with a right cross-reference table."""
    out, offsets = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(objects) + 1
    table = b"".join(
        b"%010d 00000 n \n" % offsets[n] if n in offsets else b"0000000000 65535 f \n" for n in range(size)
    )
    return out + b"xref\n0 %d\n%strailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size, table, size, trailer, start,
    )  # fmt: skip


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def one_page(content: bytes, resources: str = "<< >>", **more: bytes) -> bytes:
    """Return a PDF of one page; `more` are further objects, named `o5`, `o6`, …"""
    page = _PAGE.format(resources=resources).encode()
    objects = {1: _CATALOG, 2: _PAGES, 3: page, 4: content}
    return assembled(objects | {int(name[1:]): body for name, body in more.items()})


def bomb() -> bytes:
    """A page whose content is a gigabyte of spaces, packed twice."""
    inner = zlib.compress(b" " * (1024 * MIB), 9)
    return one_page(stream(zlib.compress(inner, 9), b"/Filter [/FlateDecode /FlateDecode]"))


def nested_forms() -> bytes:
    """Thirty forms, each of which draws the next ten times."""
    forms = {}
    for n in range(30):
        again = f"/Resources << /XObject << /F {6 + n} 0 R >> >>" if n < 29 else ""
        forms[f"o{5 + n}"] = stream(b"/F Do " * 10, f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] {again}".encode())
    return one_page(stream(b"/F Do"), "<< /XObject << /F 5 0 R >> >>", **forms)


def scan() -> bytes:
    """A page with an image and no text."""
    image = stream(bytes(100), b"/Type /XObject /Subtype /Image /Width 10 /Height 10 /ColorSpace /DeviceGray "
                               b"/BitsPerComponent 8")  # fmt: skip
    return one_page(stream(b"612 0 0 792 0 0 cm /I Do"), "<< /XObject << /I 5 0 R >> >>", o5=image)


def encrypted() -> bytes:
    """A document that opens with a password only."""
    words = b"<" + b"5a" * 32 + b">"
    encrypt = b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O %s /U %s >>" % (words, words)
    objects = {1: _CATALOG, 2: _PAGES, 3: _PAGE.format(resources="<< >>").encode(), 4: stream(b""), 5: encrypt}
    return assembled(objects, b"/Encrypt 5 0 R /ID [<00> <00>]")


def looped_pages() -> bytes:
    """A page tree that is its own child."""
    return assembled({1: _CATALOG, 2: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000 >>"})


def counted_pages() -> bytes:
    """One page that says it is two thousand million."""
    lie = b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>"
    return assembled({1: _CATALOG, 2: lie, 3: _PAGE.format(resources="<< >>").encode(), 4: stream(b"")})


FILES: Final[tuple[HostileFile, ...]] = (
    hostile("bomb.pdf", "a page of 1 GB, packed twice", bomb, "extraction_limit", "corrupt", "no_text_layer"),
    hostile("forms.pdf", "10³⁰ drawings by nested forms", nested_forms, "extraction_limit", "no_text_layer", "corrupt"),
    hostile("scan.pdf", "an image of a page", scan, "no_text_layer"),
    hostile("encrypted.pdf", "behind a password", encrypted, "encrypted"),
    hostile("loop.pdf", "a page tree that holds itself", looped_pages, "corrupt", "too_large", "extraction_limit"),
    hostile("count.pdf", "one page that says it is 2,000 million", counted_pages, "corrupt", "empty", "too_large",
            "extraction_limit"),
    hostile("cut.pdf", "the first half of a document", lambda: (d := make_pdf(["one", "two"]))[: len(d) // 2],
            "corrupt", READ),
    hostile("head.pdf", "a PDF's first line, then noise", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 4000, "corrupt"),
    hostile("brackets.pdf", "a million nested lists in an object",
            lambda: assembled({1: _CATALOG, 2: b"[" * MIB}), "corrupt"),
    hostile("huge-page.pdf", "a page of 10⁹ points",
            lambda: one_page(stream(b"")).replace(b"[0 0 612 792]", b"[0 0 1e9 1e9]"), "empty", "corrupt"),
)  # fmt: skip
