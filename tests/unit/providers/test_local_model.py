"""A model from a folder: what is read of it, and that it is the model it says."""

from pathlib import Path
from typing import Any

import pytest

from chatsphere.adapters.local_model import LocalEmbedder
from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.model_folder import read_model_folder
from chatsphere.bootstrap import Container
from chatsphere.errors import ConfigurationError
from chatsphere.ports.embedding import Vector
from tests.builders.model_folder import STATED, write_model_folder

POOLING = "1_Pooling/config.json"
PROMPTS = "config_sentence_transformers.json"


def cosine(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("models") / "Multi_Lingual v2")


@pytest.fixture(scope="module")
def builtin() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def test_the_vectors_are_those_of_the_model(folder: Path, builtin: MiniLmEmbedder) -> None:
    local = LocalEmbedder(read_model_folder(str(folder)))
    long = "one two three four " * 100
    for text in ("Hello, world!", "", long):
        assert cosine(local.embed_query(text), builtin.embed_query(text)) == pytest.approx(1, abs=1e-5)


def test_it_can_be_chosen_for_a_bot_and_for_the_deployment(folder: Path) -> None:
    chosen = {"LOCAL_EMBEDDING_MODEL": str(folder)}
    further, own = Container(chosen), Container({**chosen, "EMBEDDER": "local"})
    name = read_model_folder(str(folder)).name
    assert [(model.name, model.is_default) for model in further.available_embedders()] == [
        ("all-minilm-l6-v2-int8", True),
        (name, False),
    ]
    assert further.embedder_for(name).model == name == own.embedder.model
    assert own.available_embedders()[0].name == name
    assert own.token_counter.count_tokens("Hello, world!") == 4


def test_the_name_is_the_folders_and_tells_one_model_from_another(tmp_path: Path, folder: Path) -> None:
    name = read_model_folder(str(folder)).name
    assert name.startswith("multi-lingual-v2-")
    assert read_model_folder(str(folder)).name == name
    assert read_model_folder(str(folder), "query: ").name != name
    other = write_model_folder(tmp_path / "Multi_Lingual v2", {**STATED, POOLING: {"pooling_mode_cls_token": True}})
    assert read_model_folder(str(other)).name != name


def test_prompts_stand_before_what_is_embedded(tmp_path: Path, builtin: MiniLmEmbedder) -> None:
    prompts = {"query": "query: ", "passage": "passage: "}
    prompted = LocalEmbedder(
        read_model_folder(str(write_model_folder(tmp_path / "m", {**STATED, PROMPTS: {"prompts": prompts}})))
    )
    assert cosine(prompted.embed_query("cost"), builtin.embed_query("query: cost")) == pytest.approx(1, abs=1e-5)
    (passage,) = prompted.embed_documents(["cost"])
    assert cosine(passage, builtin.embed_query("passage: cost")) == pytest.approx(1, abs=1e-5)


def test_the_first_tokens_vector_is_taken_where_the_model_says_so(tmp_path: Path, builtin: MiniLmEmbedder) -> None:
    stated = {**STATED, POOLING: {"pooling_mode_cls_token": True, "word_embedding_dimension": 384}}
    first = LocalEmbedder(read_model_folder(str(write_model_folder(tmp_path / "m", stated))))
    vector = first.embed_query("Hello, world!")
    assert cosine(vector, vector) == pytest.approx(1, abs=1e-5)
    assert cosine(vector, builtin.embed_query("Hello, world!")) < 0.999


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.json": {"hidden_size": 512}},
        {"config.json": {"hidden_size": "384"}},
        {**STATED, POOLING: {"pooling_mode_max_tokens": True}},
        {**STATED, POOLING: {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}},
    ],
)
def test_a_model_that_cannot_be_used_is_refused_by_name(tmp_path: Path, files: dict[str, Any]) -> None:
    broken = write_model_folder(tmp_path / "m", files)
    with pytest.raises(ConfigurationError, match="LOCAL_EMBEDDING_MODEL"):
        Container({"LOCAL_EMBEDDING_MODEL": str(broken)}).available_embedders()


@pytest.mark.parametrize("missing", ["tokenizer.json", "onnx/model.onnx"])
def test_a_file_that_is_missing(tmp_path: Path, missing: str) -> None:
    broken = write_model_folder(tmp_path / "m")
    (broken / missing).unlink()
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json"):
        read_model_folder(str(broken))


def test_files_that_are_something_else(tmp_path: Path) -> None:
    broken = write_model_folder(tmp_path / "m")
    for name in ("tokenizer.json", "onnx/model.onnx"):
        (broken / name).unlink()
        (broken / name).write_text("{}")
    embedder = LocalEmbedder(read_model_folder(str(broken)))
    with pytest.raises(ConfigurationError):
        embedder.count_tokens("a")
    with pytest.raises(ConfigurationError):
        embedder.embed_query("a")


def test_a_length_that_the_model_does_not_make_is_noticed(tmp_path: Path) -> None:
    wrong = LocalEmbedder(
        read_model_folder(str(write_model_folder(tmp_path / "m", {"config.json": {"hidden_size": 768}})))
    )
    with pytest.raises(ConfigurationError, match="384 numbers, not 768"):
        wrong.embed_query("a")


def test_it_must_be_named_to_be_the_deployments_own() -> None:
    with pytest.raises(ConfigurationError, match="LOCAL_EMBEDDING_MODEL"):
        _ = Container({"EMBEDDER": "local"}).embedder
