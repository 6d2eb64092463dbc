"""What of a chunk, a question or a message is embedded."""

from collections.abc import Sequence

HEADING_SEPARATOR = " › "
MAX_HEADING_CHARS = 240
"""Headings past this length would push the end of the content out of what the embedder reads."""


def heading_line(heading_path: Sequence[str]) -> str | None:
    """Return a heading path as one line, or None where there is no heading."""
    return HEADING_SEPARATOR.join(heading_path) or None


def embedding_text(_document_name: str, heading_path: Sequence[str], content: str) -> str:
    """Return what is embedded for a chunk: its headings, which it may not repeat, and its text.

    The document's name is left out: it made no difference that could be told from chance (decision 0021).
    """
    heading = heading_line(heading_path)
    # The innermost headings stand last, and say most of the content.
    return f"{heading[-MAX_HEADING_CHARS:]}\n{content}" if heading else content


def storable(text: str) -> str:
    """Return the text without what JSON can carry and neither PostgreSQL nor a tokenizer takes."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
