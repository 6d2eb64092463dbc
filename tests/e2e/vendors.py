"""An instance that uses Gemini and Pinecone, both on loopback, and knows no local model's answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from chatsphere.adapters.minilm import MiniLmEmbedder
from tests.loopback.gemini_model import hashed_words, padded
from tests.loopback.gemini_server import GeminiServer
from tests.loopback.pinecone_server import API_KEY, PineconeServer, running_pinecone


@dataclass(frozen=True)
class Vendors:
    """The vendors' servers, and what `make up` is told of them."""

    gemini: GeminiServer
    pinecone: PineconeServer

    @property
    def environment(self) -> Mapping[str, str]:
        """What a person would set: the keys, and here also where the vendors are."""
        return {
            "GEMINI_API_KEY": self.gemini.key,
            "GEMINI_URL": self.gemini.url,
            "PINECONE_API_KEY": API_KEY,
            "PINECONE_CONTROL_URL": self.pinecone.url,
            "PROVIDER_BACKOFF_SECONDS": "0.05",
        }


@contextmanager
def running_vendors(*, meaning: bool = True) -> Iterator[Vendors]:
    """Run Gemini, with embeddings that mean something (or quick ones that do not), and Pinecone without any index."""
    embed = padded(MiniLmEmbedder()) if meaning else hashed_words
    with GeminiServer(embed=embed) as gemini, running_pinecone() as pinecone:
        yield Vendors(gemini, pinecone)
