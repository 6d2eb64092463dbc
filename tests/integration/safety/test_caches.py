"""What is kept to be given again is given to nobody else, and not once what it rests on has gone."""

from array import array
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from chatsphere.chat.asgi import services_from_environment
from chatsphere.knowledge.retrieval.known_vectors import QuestionVectors
from chatsphere.ports.vectors import Namespace
from tests.integration.safety.house import House, everything_in

SECRET = "The vault opens with the word xylophone."
QUESTION = "With which word does the vault open?"


@pytest.fixture
def asked(house: House) -> House:
    """A bot that has the answer in the cache."""
    house.learns("vault.txt", SECRET)
    assert "xylophone" in house.chat(QUESTION)["answer"]
    assert house.chat(QUESTION)["cached"]
    return house


def test_nobody_else_is_answered_from_it(asked: House, make_house: Callable[[], House]) -> None:
    for other in (make_house(), asked.another_bot()):
        for document in (None, "The garden closes at nine."):
            if document:
                other.learns("vault.txt", document)
            answer = other.chat(QUESTION)
            assert not answer["cached"]
            assert "xylophone" not in everything_in(answer)


def test_a_visitor_is_not_given_what_a_member_asked(asked: House) -> None:
    asked.changed(visibility="public")
    asked.gemini.received.clear()

    first, again = asked.visitor(QUESTION), asked.visitor(QUESTION)

    # The first visitor's was written anew, the second's is the first one's, and neither tells that, nor passages.
    assert len(asked.prompts()) == 1
    assert first["answer"] == again["answer"]
    assert all("cached" not in each and "content" not in each["sources"][0] for each in (first, again))


@pytest.mark.parametrize("change", ["deleted", "replaced"])
def test_it_does_not_outlive_its_document(asked: House, change: str) -> None:
    if change == "deleted":
        asked.forgets(asked.documents["vault.txt"])
    else:
        asked.learns("vault.txt", "The vault opens with the word trombone.")

    answer = asked.chat(QUESTION)

    assert not answer["cached"]
    assert "xylophone" not in everything_in(answer)


def test_a_questions_vector_is_known_to_its_own_bot_alone(asked: House) -> None:
    c = asked.api.container
    vectors = QuestionVectors(c.cache, 60)
    own = Namespace(UUID(asked.owner.organization_id), UUID(asked.bot_id))
    vectors.keep(own, c.embedder, QUESTION, c.embedder.embed_query(QUESTION))
    assert vectors.find(own, c.embedder, QUESTION) == pytest.approx(array("f", c.embedder.embed_query(QUESTION)))
    others = [Namespace(own.organization_id, uuid4()), Namespace(uuid4(), own.bot_id)]
    assert [vectors.find(other, c.embedder, QUESTION) for other in others] == [None, None]
    assert services_from_environment().cache is not None
