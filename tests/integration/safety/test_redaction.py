"""A bot that masks personal data keeps none, in whatever way it comes in, and sends none to a model."""

from collections.abc import Callable
from typing import Any

import pytest

from chatsphere.ports.embedding import Vector
from tests.integration.safety.house import House, everything_in
from tests.loopback.gemini_model import behave_well

TEXT = "# Ada\nThe vault's keeper is Ada, ada@example.com, +49 30 901820. She opens it at nine."
MASKED = "The vault's keeper is Ada, ███████████████, █████████████. She opens it at nine."
PERSONAL = ("ada@example.com", "901820", "DE89 3704")
QUESTION = "When does the keeper of the vault open it? I am bob@example.org, IBAN DE89 3704 0044 0532 0130 00."


@pytest.fixture(autouse=True)
def masking(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.changed(configuration={"redaction": ["email", "phone", "iban"], "threshold": 0.0, "recall": "end_user"})
    monkeypatch.setattr(house.gemini, "answer", behave_well)


def kept_of(house: House) -> str:
    """Return every row of the organization's in every table that holds words, as text."""
    tables = ("chunks", "conversations", "messages", "answers_under_way", "unanswered_questions", "usage_events")
    with house.pipeline.connection() as connection:
        return everything_in([connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables])


def test_a_document_is_masked_before_anything_of_it_is_kept(house: House) -> None:
    house.learns("vault.txt", TEXT)

    (chunk,) = house.pipeline.chunks()
    assert chunk.endswith(MASKED)
    assert len(chunk) == len(TEXT)
    answer = house.chat("Who is the vault's keeper?")
    (citation,) = answer["citations"]
    assert TEXT[citation["char_start"] : citation["char_end"]][:25] == citation["quote"][:25]
    found = house.ask("POST", f"/bots/{house.bot_id}/search", {"query": "Which keeper?", "explain": True}).text
    assert not [each for each in PERSONAL if each in everything_in(answer, found, house.prompts()) + kept_of(house)]


def test_the_same_bytes_are_read_again_once_they_are_to_be_masked(house: House) -> None:
    house.changed(configuration={"redaction": [], "threshold": 0.0})
    house.learns("vault.txt", TEXT)
    assert "ada@example.com" in house.pipeline.chunks()[0]
    house.changed(configuration={"redaction": ["email"], "threshold": 0.0})

    # Stored again, in parts: by the same name, with another ETag.
    pipeline = house.pipeline
    values: dict[str, Any] = {"content_type": "text/plain", "metadata": {}, "parts": 2}
    pipeline.objects.put(pipeline.key("vault.txt"), TEXT.encode(), **values)
    pipeline.run()

    (chunk,) = pipeline.chunks(live=False)
    assert "ada@example.com" not in chunk


def asked_in_chat(house: House) -> None:
    first = house.chat(QUESTION, user="bob")
    house.remembers()
    house.chat(QUESTION, conversation_id=first["conversation_id"], user="bob")
    house.chat(QUESTION, user="bob")


def asked_by_a_visitor(house: House) -> None:
    house.changed(visibility="public")
    house.visitor(QUESTION)


def asked_with_openais_client(house: House) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "The user is bob@example.org."},
        {"role": "user", "content": "I am bob@example.org."},
        {"role": "assistant", "content": "Hello, bob@example.org."},
        {"role": "user", "content": QUESTION},
    ]
    answer = house.ask("POST", "/chat/completions", {"model": house.bot_id, "messages": messages})
    assert answer.status == 200, answer.text
    assert house.ask("POST", "/responses", {"model": house.bot_id, "input": QUESTION}).status == 200


def asked_at_an_earlier_version(house: House) -> None:
    house.chat(QUESTION, bot_version=1)


def searched(house: House) -> None:
    assert house.ask("POST", f"/bots/{house.bot_id}/search", {"query": QUESTION}).status == 200


@pytest.mark.parametrize(
    "ask",
    [asked_in_chat, asked_by_a_visitor, asked_with_openais_client, asked_at_an_earlier_version, searched],
)
def test_a_question_is_masked_before_it_is_kept_or_sent(
    house: House, ask: Callable[[House], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: what the embedder is given counts, too.
    house.learns("vault.txt", TEXT)
    embedded: list[str] = []
    embedder = house.api.container.embedder
    embed = embedder.embed_query

    def heard(text: str) -> Vector:
        embedded.append(text)
        return embed(text)

    monkeypatch.setattr(embedder, "embed_query", heard)
    # When
    ask(house)
    # Then
    told = everything_in(house.prompts(), embedded) + kept_of(house)
    assert embedded
    assert not [each for each in ("bob@example.org", "3704", "901820") if each in told]


def test_what_was_kept_before_is_not_sent_after(house: House) -> None:
    house.learns("vault.txt", TEXT)
    house.changed(configuration={"redaction": [], "threshold": 0.0, "recall": "end_user"})
    first = house.chat(QUESTION, user="bob")
    house.remembers()
    house.changed(configuration={"redaction": ["email", "iban"], "threshold": 0.0, "recall": "end_user"})
    house.gemini.received.clear()

    house.chat("And when does the keeper close it?", user="bob", conversation_id=first["conversation_id"])
    house.chat("When does the keeper of the vault open it?", user="bob")

    assert house.prompts()
    assert "bob@example.org" not in everything_in(house.prompts())


def test_a_kind_that_is_none_is_refused(house: House) -> None:
    answer = house.ask("PATCH", f"/bots/{house.bot_id}", {"configuration": {"redaction": ["name"]}})
    assert (answer.status, answer.code) == (422, "invalid_request")
