"""Citations as OpenAI's clients read them: annotations with a link to the source."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatsphere.chat.events import Citation


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a bot's sources are: `base` is the API's address, without a slash at its end."""

    base: str
    bot_id: UUID

    def url(self, document_id: UUID | str, page: int | None) -> str:
        """Return the link to a document's source, at the page where it has pages."""
        place = f"#page={page}" if page is not None else ""
        return f"{self.base}/v1/bots/{self.bot_id}/documents/{document_id}/source{place}"

    def annotation(self, citation: Citation) -> dict[str, Any]:
        """Return the fields of an annotation."""
        return {
            "start_index": citation.answer_start,
            "end_index": citation.answer_end,
            "title": citation.document_name,
            "url": self.url(citation.document_id, citation.page),
            "document_id": citation.document_id,
            "page": citation.page,
            "heading": citation.heading,
            "quote": citation.quote,
            "char_start": citation.char_start,
            "char_end": citation.char_end,
        }
