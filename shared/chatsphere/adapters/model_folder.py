"""A folder that holds an embedding model as sentence-transformers saves it, with an ONNX export: what it says."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final, Literal

from chatsphere.errors import ConfigurationError

SUPPORTED_DIMENSIONS: Final = (384, 768)
"""Lengths of vectors that the database keeps an index for; a bot of another length would be searched row by row."""

MAX_TOKENS: Final = 8192
"""A limit that no file states, or none that a model for passages would have, is taken for the usual 512."""

_USUAL_MAX_TOKENS: Final = 512
_MODELS: Final = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
_NAME: Final = re.compile(r"[^a-z0-9.]+")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What is known of a model without loading it. `max_tokens` counts special tokens, too.

    `name`: the folder's, with the first digits of a digest of all that decides a vector, so that another model under
    the same name is another model.
    """

    name: str
    model: Path
    tokenizer: Path
    dimensions: int
    max_tokens: int
    pooling: Literal["mean", "cls"]
    query_prompt: str
    passage_prompt: str


def read_model_folder(folder: str, query_prompt: str | None = None, passage_prompt: str | None = None) -> ModelFolder:
    """Return what the folder says; prompts that are given count before its own.

    Needs tokenizer.json and model.onnx or onnx/model.onnx; config.json or 1_Pooling/config.json for the length of its
    vectors. Reads sentence_bert_config.json, tokenizer_config.json and config_sentence_transformers.json, where there.

    Raises:
        ConfigurationError: a file is missing or damaged, or the model is of a kind that cannot be used.
    """
    try:
        return _read(Path(folder), query_prompt, passage_prompt)
    except OSError as error:
        raise ConfigurationError(f"LOCAL_EMBEDDING_MODEL: {folder} cannot be read.") from error


def _read(folder: Path, query_prompt: str | None, passage_prompt: str | None) -> ModelFolder:
    model = next((folder / name for name in _MODELS if (folder / name).is_file()), None)
    tokenizer = folder / "tokenizer.json"
    if model is None or not tokenizer.is_file():
        raise ConfigurationError(f"LOCAL_EMBEDDING_MODEL: {folder} holds no tokenizer.json with model.onnx.")
    prompts = _object(_json(folder / "config_sentence_transformers.json").get("prompts"))
    query = prompts.get("query", "") if query_prompt is None else query_prompt
    passage = prompts.get("passage", prompts.get("document", "")) if passage_prompt is None else passage_prompt
    pooling, dimensions, limit = _pooling(folder), _dimensions(folder), _max_tokens(folder)
    digest = sha256(f"{_digest(model)}{_digest(tokenizer)}{pooling}{limit}{query!r}{passage!r}".encode()).hexdigest()
    name = _NAME.sub("-", folder.resolve().name.casefold()).strip("-")[:60]
    return ModelFolder(f"{name}-{digest[:8]}", model, tokenizer, dimensions, limit, pooling, str(query), str(passage))


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    stated = _json(folder / "1_Pooling" / "config.json")
    chosen = {name for name, on in stated.items() if name.startswith("pooling_mode_") and on is True}
    if not chosen or chosen == {"pooling_mode_mean_tokens"}:
        return "mean"
    if chosen == {"pooling_mode_cls_token"}:
        return "cls"
    raise ConfigurationError(
        f"LOCAL_EMBEDDING_MODEL: {folder} pools in a way that is not known here: {sorted(chosen)}."
    )


def _dimensions(folder: Path) -> int:
    stated = _json(folder / "1_Pooling" / "config.json").get("word_embedding_dimension")
    found = stated or _json(folder / "config.json").get("hidden_size")
    if found not in SUPPORTED_DIMENSIONS:
        raise ConfigurationError(
            f"LOCAL_EMBEDDING_MODEL: {folder} makes vectors of length {found}; {SUPPORTED_DIMENSIONS} can be searched."
        )
    return int(found)


def _max_tokens(folder: Path) -> int:
    stated = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    found = stated or _json(folder / "tokenizer_config.json").get("model_max_length")
    return found if isinstance(found, int) and 2 < found <= MAX_TOKENS else _USUAL_MAX_TOKENS


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return _object(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ConfigurationError(f"LOCAL_EMBEDDING_MODEL: {path} is not JSON.") from error


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _digest_of(path: Path, _size: int, _modified: int) -> str:
    """Return the file's SHA-256; it is read again only if it was changed."""
    with path.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
