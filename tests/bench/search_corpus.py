"""Synthetic bots for measuring search: Zipf-distributed words about topics, and vectors that lie like topics.

Content words follow Zipf-Mandelbrot with parameters that give real text's growth of the vocabulary (16,000
lexemes in 184,000 words) and its frequent words (in a third of all chunks); stop words are mixed in; each
section of a document repeats words of its topic. Vectors are a topic's direction plus noise in 32 directions:
embeddings of text vary in few directions as well, and an index over noise in 384 would be measured on what never
occurs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.ports.vectors import Namespace

CHUNKS_A_DOCUMENT = 1_000
CHUNKS_A_SECTION = 25
"""Consecutive chunks about one topic."""

WORDS_A_CHUNK = 150
VOCABULARY = 200_000
TOPICS = 400
DIMENSIONS = 384
NOISE_DIMENSIONS = 32
STOP_WORDS = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "for",
    "on",
    "that",
    "with",
    "as",
    "it",
    "are",
    "by",
    "this",
    "from",
)
QUESTION_WORDS = ["what is the", "how does the", "which", "why are", "when was the", "how many", "who is"]

_DOCUMENT = """
INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation, live_generation)
VALUES (%s, %s, %s, %s, 'text', 'ready', 'done', 1, 1)
"""
_COPY_CHUNKS = """
COPY chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, char_start, char_end,
    token_count, vector_id) FROM STDIN
"""
_COPY_VECTORS = """
COPY chunk_vectors (organization_id, bot_id, document_id, generation, ordinal, chunk_id, dimensions, embedding)
FROM STDIN
"""


@dataclass(frozen=True)
class Bot:
    """A bot that was filled: its documents, and its vectors by chunk number."""

    namespace: Namespace
    documents: tuple[UUID, ...]
    vectors: NDArray[np.float32]


class Corpus:
    """A source of text, vectors and questions; the same seed makes the same."""

    def __init__(self, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        weights = 1 / (np.arange(VOCABULARY) + 150.0) ** 1.7
        self._cumulated = np.cumsum(weights / weights.sum())
        self._words = [_word(number) for number in range(VOCABULARY)]
        directions = self._random.standard_normal((TOPICS, DIMENSIONS))
        basis = self._random.standard_normal((NOISE_DIMENSIONS, DIMENSIONS))
        self._noise_basis = basis / np.linalg.norm(basis)
        self._topics = directions / np.linalg.norm(directions, axis=1, keepdims=True)

    def text(self, topic: int) -> str:
        """Return one chunk: stop words, common words, and words of the topic."""
        general = np.searchsorted(self._cumulated, self._random.random(WORDS_A_CHUNK))
        special = 100 + topic * 40 + np.minimum(self._random.geometric(0.1, WORDS_A_CHUNK), 40)
        kind = self._random.random(WORDS_A_CHUNK)
        stop = self._random.integers(0, len(STOP_WORDS), WORDS_A_CHUNK)
        return " ".join(
            STOP_WORDS[s] if k < 0.42 else self._words[t] if k < 0.52 else self._words[g]
            for k, s, t, g in zip(kind, stop, special, general, strict=True)
        )

    def vectors(self, topics: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return one unit vector for each topic number."""
        noise = self._random.standard_normal((len(topics), NOISE_DIMENSIONS)) @ self._noise_basis
        mixed = 0.6 * self._topics[topics] + 0.8 * noise
        unit: NDArray[np.float32] = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def question(self) -> str:
        """Return a question of 4 to 9 content words: drawn as the text's are, four in ten from one topic."""
        topic = int(self._random.integers(TOPICS))
        count = int(self._random.integers(4, 10))
        common = np.searchsorted(self._cumulated, self._random.random(count))
        special = 100 + topic * 40 + np.minimum(self._random.geometric(0.1, count), 40)
        words = [
            self._words[s if pick < 0.4 else c]
            for s, c, pick in zip(special, common, self._random.random(count), strict=True)
        ]
        opening = QUESTION_WORDS[int(self._random.integers(len(QUESTION_WORDS)))]
        return f"{opening} {' '.join(words)}?"

    def query_vectors(self, count: int) -> NDArray[np.float32]:
        """Return vectors of questions, each near a topic."""
        return self.vectors(self._random.integers(TOPICS, size=count))


def fill_bot(admin_url: str, corpus: Corpus, chunks: int) -> Bot:
    """Write a bot with `chunks` chunks and their vectors, straight into the tables; the index is not made."""
    ids = UuidV7Ids(SystemClock())
    namespace = Namespace(ids.new(), ids.new())
    documents = tuple(ids.new() for _ in range(-(-chunks // CHUNKS_A_DOCUMENT)))
    vectors = corpus.vectors(np.array([_topic(number) for number in range(chunks)]))
    keys = [ids.new() for _ in range(chunks)]
    with psycopg.connect(admin_url) as connection, connection.cursor() as cursor:
        _add_bot(cursor, namespace)
        for number, document in enumerate(documents):
            cursor.execute(_DOCUMENT, (document, namespace.organization_id, namespace.bot_id, f"document {number}"))
        with cursor.copy(_COPY_CHUNKS) as copy:
            for row in _chunk_rows(corpus, namespace, documents, keys):
                copy.write_row(row)
        with cursor.copy(_COPY_VECTORS) as copy:
            for number, (key, vector) in enumerate(zip(keys, vectors, strict=True)):
                position, ordinal = divmod(number, CHUNKS_A_DOCUMENT)
                values = "[" + ",".join(f"{value:.5g}" for value in vector) + "]"
                copy.write_row((*_owner(namespace), documents[position], 1, ordinal, key, DIMENSIONS, values))
    return Bot(namespace, documents, vectors)


def _chunk_rows(
    corpus: Corpus, namespace: Namespace, documents: tuple[UUID, ...], keys: list[UUID]
) -> Iterator[tuple[object, ...]]:
    for number, key in enumerate(keys):
        document, ordinal = divmod(number, CHUNKS_A_DOCUMENT)
        text, vector_id = corpus.text(_topic(number)), f"{documents[document]}:1:{ordinal}"
        where = (documents[document], 1, 0, ordinal)
        yield key, *_owner(namespace), *where, text, 0, len(text), WORDS_A_CHUNK, vector_id


def _topic(number: int) -> int:
    """Return what a chunk is about: sections of a document wander through the topics."""
    return number // CHUNKS_A_SECTION * 149 % TOPICS


def _owner(namespace: Namespace) -> tuple[UUID, UUID]:
    return namespace.organization_id, namespace.bot_id


def _add_bot(cursor: psycopg.Cursor[tuple[object, ...]], namespace: Namespace) -> None:
    cursor.execute(
        "INSERT INTO organizations (id, name, plan_id) SELECT %s, 'Bench', id FROM subscription_plans LIMIT 1",
        (namespace.organization_id,),
    )
    cursor.execute(
        "INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Bench')",
        (namespace.bot_id, namespace.organization_id),
    )


def _word(number: int) -> str:
    """Return a pronounceable word, the shorter the more frequent, that stemming leaves apart from the others."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprtvz" for vowel in "aou"]
    parts = []
    rest = number + len(syllables)
    while rest:
        rest, part = divmod(rest, len(syllables))
        parts.append(syllables[part])
    return "".join(reversed(parts)) + "k"
