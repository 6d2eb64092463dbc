"""HTML: the page's main text, by way of libxml2's event parser.

No tree is built: memory does not grow with the page, and nesting of any depth costs the same (lexbor takes
quadratic time on it, libxml2's tree loses the text). `html_sections` decides which part is the main one.
"""

import re
from collections.abc import Iterator

from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.html_events import PageReader
from chatsphere.knowledge.extraction.html_sections import main_blocks
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.xml import html_parser
from chatsphere.knowledge.text import Block

_HEAD_BYTES = 4096
_FEED_CHARS = 64 * 1024
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)|encoding=[\"']([A-Za-z0-9_:.-]+)[\"']")


def parse(path: Source, _limits: ExtractionLimits, declared: str | None = None) -> Parsed:
    """Read an HTML page's main text; `declared` is the character set that whoever sent it says it is in."""
    page = read_page(path, declared)
    return Parsed(_blocks(page), title=page.title)


def read_page(path: Source, declared: str | None = None) -> PageReader:
    """Read a page whole: its main text, its menus and all."""
    reader = PageReader()
    parser = html_parser(reader)
    with open_text(path, declared or _declared_charset(path)) as stream:
        while part := stream.read(_FEED_CHARS):
            parser.feed(part.replace("\0", "").encode("utf-8", "replace"))
    parser.close()
    return reader


def _blocks(reader: PageReader) -> Iterator[Block]:
    yield from main_blocks(reader.text.pieces)


def _declared_charset(path: Source) -> str | None:
    with path.open("rb") as file:
        match = _CHARSET.search(file.read(_HEAD_BYTES))
    return (match[1] or match[2]).decode("ascii") if match else None
