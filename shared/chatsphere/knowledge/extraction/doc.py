"""DOC: an own reader of Word 97-2003 files ([MS-DOC]); the container is read by `olefile`.

Paragraphs, headings, numbered lists, tables, notes and text boxes. Fields show their results; headers, footers,
comments, deletions, hidden text, pictures and tables of contents are left out, as in a DOCX.
"""

from collections.abc import Iterator

from chatsphere.knowledge.extraction.doc_body import BodyReader
from chatsphere.knowledge.extraction.doc_file import open_word_file
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.word_blocks import join_lists
from chatsphere.knowledge.text import Block


def parse(source: Source, limits: ExtractionLimits) -> Parsed:
    """Read a Word 97-2003 file."""
    with open_word_file(source, limits) as (_, title):
        return Parsed(_blocks(source, limits), title=title)


def _blocks(source: Source, limits: ExtractionLimits) -> Iterator[Block]:
    with open_word_file(source, limits) as (word, _):
        yield from join_lists(BodyReader(word).blocks())
