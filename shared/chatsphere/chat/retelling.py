"""An answer that is already written, told like one that is being written."""

from collections.abc import Iterator, Sequence

from chatsphere.chat.events import Citation, Cited, TextAdded


def retold(text: str, citations: Sequence[Citation], *, chars: int = 0, cited: int = 0) -> Iterator[TextAdded | Cited]:
    """Yield the text from character `chars` on and the citations from the `cited`th on.

    A citation comes after the text that it is about, as it did when the answer was written, and none is left out
    because it was told of less text then.
    """
    for citation in citations[cited:]:
        if citation.answer_end > chars:
            if chars < len(text):
                yield TextAdded(text[chars : citation.answer_end])
            chars = citation.answer_end
        yield Cited(citation)
    if chars < len(text):
        yield TextAdded(text[chars:])
