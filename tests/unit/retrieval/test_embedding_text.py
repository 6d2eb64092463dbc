"""What of a chunk is embedded."""

from chatsphere.knowledge.retrieval.embedding_text import embedding_text


def test_headings_come_before_the_text() -> None:
    assert embedding_text("guide.pdf", ("Terms", "Refunds"), "Thirty days.") == "Terms › Refunds\nThirty days."


def test_without_headings_the_text_stands_alone() -> None:
    assert embedding_text("guide.pdf", (), "Thirty days.") == "Thirty days."
