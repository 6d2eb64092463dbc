"""What importing a way to a vendor costs: `python -m tests.bench.provider_imports`.

CPU milliseconds of a fresh interpreter that imports one thing, makes its client (which opens nothing) and ends, less
those of one that does nothing, in the same run; the median of several, after one that writes the byte code. The second
column is what it costs a function of ours, which has imported settings, ports and log anyway.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

RUNS = 7
BASE = "import chatsphere.settings, chatsphere.observability, chatsphere.ports"
TARGETS = {
    "our Gemini embedder": (
        "from chatsphere.adapters.gemini.embedder import GeminiEmbedder as Adapter\n"
        "from chatsphere.settings import EmbeddingSettings\n"
        "Adapter(EmbeddingSettings(gemini_api_key='k'))"
    ),
    "our Gemini answer model": (
        "from chatsphere.adapters.gemini.answers import GeminiAnswerModel as Adapter\n"
        "from chatsphere.settings import AnswerSettings\n"
        "Adapter(AnswerSettings(gemini_api_key='k'))"
    ),
    "our Pinecone store": (
        "from chatsphere.adapters.pinecone.store import PineconeVectorStore as Adapter\n"
        "from chatsphere.settings import VectorStoreSettings\n"
        "Adapter(VectorStoreSettings(pinecone_api_key='k', pinecone_host='https://index.example.com'))"
    ),
    "our Qdrant store": (
        "from chatsphere.adapters.qdrant.store import QdrantVectorStore as Adapter\n"
        "from chatsphere.settings import VectorStoreSettings\n"
        "Adapter(VectorStoreSettings(qdrant_url='https://qdrant.example.com'))"
    ),
    "urllib3": "import urllib3\nurllib3.PoolManager()",
    "httpx": "import httpx\nhttpx.Client()",
    "google-genai": "from google.genai import Client\nClient(api_key='k', vertexai=False).models",
    "pinecone": "from pinecone import Pinecone\nPinecone(api_key='k').Index(host='https://index.example.com')",
    "qdrant-client": (
        "from qdrant_client import QdrantClient\n"
        "QdrantClient(url='https://qdrant.example.com', check_compatibility=False)"
    ),
}


def cpu_milliseconds(statement: str) -> float:
    """Return the CPU time, user and system, of an interpreter that starts and runs the statement."""
    code = f"{statement}\nimport time\nprint(time.process_time())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(answer.stdout) * 1000


def measure(statements: Sequence[str]) -> list[float]:
    """Return the median of each statement's runs; they take turns, so that a busy machine is busy for all."""
    for statement in statements:
        cpu_milliseconds(statement)
    rounds = [[cpu_milliseconds(statement) for statement in statements] for _ in range(RUNS)]
    return [median(column) for column in zip(*rounds, strict=True)]


def main() -> None:
    """Print the table."""
    alone = list(TARGETS.values())
    with_base = [f"{BASE}\n{statement}" for statement in alone]
    empty, base, *measured = measure(["pass", BASE, *alone, *with_base])
    print(f"CPU ms, median of {RUNS}; empty interpreter {empty:.0f}; {os.cpu_count()} cores\n")
    print(f"| {'import and client':28} | alone | on top of settings, ports and log |")
    print(f"|{'-' * 30}|------:|----------------------------------:|")
    print(f"| {'settings, ports and log':28} | {base - empty:5.0f} | {'':33} |")
    for name, first, second in zip(TARGETS, measured[: len(TARGETS)], measured[len(TARGETS) :], strict=True):
        print(f"| {name:28} | {first - empty:5.0f} | {second - base:33.0f} |")


if __name__ == "__main__":
    main()
