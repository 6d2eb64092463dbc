"""Which models a deployment embeds with, and which it has at hand for bots that were embedded by others."""

import pytest

from chatsphere.bootstrap import Container
from chatsphere.errors import EmbeddingModelUnavailableError

MINILM = "all-minilm-l6-v2-int8"
GEMINI = {"EMBEDDER": "gemini", "GEMINI_API_KEY": "k"}


def test_without_a_key_there_is_the_model_of_this_machine() -> None:
    container = Container({})

    (model,) = container.available_embedders()

    assert (model.name, model.dimensions, model.is_default) == (MINILM, 384, True)
    assert model.cost(1_000_000) == 0
    assert container.embedder_for(None) is container.embedder_for(MINILM) is container.embedder


def test_with_a_key_there_are_googles_as_well() -> None:
    models = Container({"GEMINI_API_KEY": "k"}).available_embedders()

    assert [(model.name, model.is_default) for model in models] == [
        (MINILM, True),
        ("gemini-embedding-2:768", False),
        ("gemini-embedding-001:768", False),
    ]
    assert models[1].cost(3_000_001) == 600_001


def test_the_deployments_own_comes_first() -> None:
    container = Container(GEMINI)

    assert [model.name for model in container.available_embedders()][:2] == ["gemini-embedding-2:768", MINILM]
    assert container.embedder_for(None).model == "gemini-embedding-2:768"


def test_a_bot_keeps_its_model_when_the_deployments_has_changed() -> None:
    container = Container(GEMINI)

    assert container.embedder_for(MINILM).model == MINILM
    assert container.embedder_for("gemini-embedding-001:768").model == "gemini-embedding-001:768"
    assert container.embedder_for(MINILM) is container.embedder_for(MINILM)


@pytest.mark.parametrize("model", ["gemini-embedding-2:768", "gemini-embedding-2:512", "unknown", "unknown:768", ""])
def test_a_model_that_is_not_there_any_more(model: str) -> None:
    with pytest.raises(EmbeddingModelUnavailableError):
        Container({}).embedder_for(model)
