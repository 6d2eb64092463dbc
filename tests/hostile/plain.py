"""Text that is none, or too much of it: text, JSON, CSV, HTML, Markdown, and files under a wrong name."""

import gzip
import random
from typing import Final

from tests.hostile.hostile_file import READ, HostileFile, hostile

MIB: Final = 1024 * 1024


def _random(size: int) -> bytes:
    return random.Random(1).randbytes(size)


FILES: Final[tuple[HostileFile, ...]] = (
    hostile("empty.txt", "zero bytes", lambda: b"", "empty"),
    hostile("empty.pdf", "zero bytes", lambda: b"", "empty"),
    hostile("blank.txt", "10 MB of white space", lambda: b" \t\n" * (10 * MIB // 3), "empty"),
    hostile("random.txt", "random bytes", lambda: _random(MIB), "type_mismatch"),
    hostile("random", "random bytes without an extension", lambda: _random(MIB), "unsupported_format"),
    hostile("nul.txt", "text full of NUL", lambda: b"a\0b\0" * 1000 + b"\0" * MIB, "type_mismatch", "empty", READ),
    hostile("one-line.txt", "one line of 20 MB without a space", lambda: b"a" * (20 * MIB), READ),
    hostile("combining.txt", "one letter with a million accents", lambda: ("e" + "\u0301" * MIB).encode(), READ),
    hostile("bidi.txt", "control characters that turn text around", lambda: "\u202eabc\u202c".encode() * 9999, READ),
    hostile("program.pdf", "a program called PDF", lambda: b"\x7fELF" + _random(4096), "type_mismatch"),
    hostile("image.docx", "an image called DOCX", lambda: b"\x89PNG\r\n\x1a\n" + _random(4096), "type_mismatch"),
    hostile("text.pdf", "text called PDF", lambda: b"just text", "type_mismatch"),
    hostile("packed.txt", "a gzip bomb called text", lambda: gzip.compress(bytes(50 * MIB)), "type_mismatch"),
    hostile("packed.gz", "a gzip bomb", lambda: gzip.compress(bytes(50 * MIB)), "unsupported_format"),
    hostile("deep.json", "a million brackets", lambda: b"[" * MIB, "corrupt", "extraction_limit"),
    hostile("deep-closed.json", "100,000 nested lists", lambda: b"[" * 100_000 + b"]" * 100_000, "corrupt",
            "extraction_limit", "empty"),
    hostile("number.json", "a number of 5 million digits", lambda: b'{"n": ' + b"9" * (5 * MIB) + b"}", READ, "corrupt",
            "extraction_limit"),
    hostile("keys.json", "500,000 keys", lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(500_000)) + b"}", READ,
            "extraction_limit"),
    hostile("cut.json", "JSON that ends too early", lambda: b'{"a": [1, 2', "corrupt"),
    hostile("bad.jsonl", "lines of which one is broken", lambda: b'{"a": "one"}\n{"a": \n{"a": "two"}\n', READ,
            "corrupt"),
    hostile("quote.csv", "a quote that never ends, 20 MB", lambda: b'a,b\n"' + b"x" * (20 * MIB), READ, "corrupt",
            "extraction_limit"),
    hostile("columns.csv", "a million columns", lambda: b",".join(b"c%d" % n for n in range(MIB)) + b"\n1,2\n", READ,
            "extraction_limit"),
    hostile("commas.csv", "10 MB of commas", lambda: b"," * (10 * MIB), "empty", READ, "extraction_limit"),
    hostile("deep.html", "a million nested elements", lambda: b"<div>" * MIB + b"text", READ, "corrupt",
            "extraction_limit", "empty"),
    hostile("tables.html", "10,000 nested tables", lambda: b"<table><tr><td>" * 10_000 + b"text", READ,
            "extraction_limit", "corrupt"),
    hostile("attributes.html", "an element with 300,000 attributes",
            lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(300_000)) + b">text</p>", READ, "extraction_limit"),
    hostile("entities.html", "a document type with entities",
            lambda: b'<!DOCTYPE html [<!ENTITY a "aaaa">]><p>&a;&a; text</p>', READ),
    hostile("unclosed.html", "20 MB in one comment that never ends", lambda: b"<p>text<!--" + b"x" * (20 * MIB), READ,
            "empty"),
    hostile("script.html", "nothing but script", lambda: b"<script>" + b"x=1;" * MIB + b"</script>", "empty"),
    hostile("fences.md", "a million code fences", lambda: b"```\n" * MIB, READ, "empty"),
    hostile("headings.md", "500,000 headings", lambda: b"# h\n" * 500_000, READ),
    hostile("links.md", "brackets that make naive parsers quadratic", lambda: b"[" * 200_000 + b"](" * 200_000, READ),
)  # fmt: skip
