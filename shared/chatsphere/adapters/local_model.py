"""Any sentence-embedding model with an ONNX export, from a folder of this machine: no account and no network.

For languages that the built-in model does not know: the multilingual E5 and MiniLM models, for example, have the
files in the form that `model_folder` reads.
"""

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from chatsphere.adapters.model_folder import ModelFolder
from chatsphere.adapters.onnx_sessions import session_of
from chatsphere.errors import ConfigurationError
from chatsphere.ports.embedding import Vector

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

_INPUTS: Final = frozenset(("input_ids", "attention_mask", "token_type_ids"))

# The first use in a process loads files; two threads must not both do it.
_loading = Lock()


class LocalTokenizer:
    """The model's tokenizer alone: counts tokens without loading the model."""

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens not counted, however long it is."""
        return len(self._encode(text, special=False))

    def _encode(self, text: str, *, special: bool) -> list[int]:
        with _loading:
            tokenizer = self._tokenizer
        ids: list[int] = tokenizer.encode(text, add_special_tokens=special).ids
        return ids

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self._folder.tokenizer))
        except Exception as error:  # the package raises its base class alone
            raise ConfigurationError(f"{self._folder.tokenizer} is no tokenizer.") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


class LocalEmbedder(LocalTokenizer):
    """The `Embedder` port on onnxruntime. Safe to share between threads; loads on first use."""

    @property
    def model(self) -> str:
        """The folder's name, with a digest of what is in it."""
        return self._folder.name

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return self._folder.dimensions

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order; what follows the model's last token is ignored.

        Raises:
            ConfigurationError: the files are not a model of this kind, now and at every later call.
        """
        return [self._embed(self._folder.passage_prompt + text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question; as `embed_documents`."""
        return self._embed(self._folder.query_prompt + text)

    def cost(self, _tokens: int) -> int:
        """Return 0: what the machine costs is not counted by text."""
        return 0

    def _embed(self, text: str) -> list[float]:
        import numpy as np

        ids = np.array([self._fitting(text)], dtype=np.int64)
        with _loading:
            session, inputs = self._session, self._inputs
        given: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        output = np.asarray(session.run(None, {name: given[name] for name in inputs})[0], dtype=np.float32)
        vector = self._pooled(output)
        values: list[float] = (vector / max(float(np.linalg.norm(vector)), 1e-12)).tolist()
        return values

    def _fitting(self, text: str) -> list[int]:
        """Return the tokens with the special ones, cut before those that end every text."""
        ids, bare = self._encode(text, special=True), self._encode(text, special=False)
        excess = len(ids) - self._folder.max_tokens
        if excess <= 0:
            return ids
        # Special tokens stand around the text: what is cut is the text's end.
        behind = next((place for place in range(len(ids) - len(bare) + 1) if ids[place : place + len(bare)] == bare), 0)
        closing = len(ids) - len(bare) - behind
        return ids[: len(ids) - closing - excess] + ids[len(ids) - closing :]

    def _pooled(self, output: Any) -> Any:
        """Return the text's vector: some exports pool by themselves."""
        # No padding in a batch of one, so the plain mean is the masked mean.
        found = output if output.ndim == 2 else output[:, 0] if self._folder.pooling == "cls" else output.mean(axis=1)
        if found.shape != (1, self.dimensions):
            raise ConfigurationError(f"{self._folder.model} makes {found.shape[-1]} numbers, not {self.dimensions}.")
        return found[0]

    @cached_property
    def _inputs(self) -> list[str]:
        names = [part.name for part in self._session.get_inputs()]
        if not set(names) <= _INPUTS:
            raise ConfigurationError(
                f"{self._folder.model} asks for {sorted(set(names) - _INPUTS)}, which is not known."
            )
        return names

    @cached_property
    def _session(self) -> "InferenceSession":
        try:
            return session_of(self._folder.model)
        except Exception as error:  # see `session_of`
            raise ConfigurationError(f"{self._folder.model} is no model that can be run.") from error
