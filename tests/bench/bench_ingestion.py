"""How fast documents are ingested, what the time is spent on, how much memory it takes, and how it grows.

    python -m tests.bench.bench_ingestion            a few minutes
    python -m tests.bench.bench_ingestion --large    1,000 pages, 100 MB, a million rows; only the pages with a model
    python -m tests.bench.bench_ingestion --large --reading    the same files only read and cut: minutes, for the memory

One worker of each stage in one process, with an embedded PostgreSQL in a temporary folder: the extract function reads
a part, then the embed function takes all its batches. *Embedding* is the time inside of the model, *parsing* the time
that the parent waits for the child process, *rest* all other: the downloading of the file, cutting, counting of
tokens, the database, the index of words, the switch. The baseline of the same run is the model alone on the same texts.
"""

import argparse
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter, sleep
from uuid import UUID

from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.chunking import chunk_blocks
from chatsphere.knowledge.extraction import ExtractionLimits, extract_file
from chatsphere.knowledge.text import Chunk
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.vectors import VectorStore
from tests.bench.ingestion_worker import NoVectors, Worker, peak_memory
from tests.bench.large_files import write_csv, write_json_lines, write_pdf, write_text, write_xlsx
from tests.conftest import add_tenant
from tests.postgres import fresh_database, running_server

MIB = 1024 * 1024
BASELINE_TEXTS = 200
GROWTH = (3, 30)
"""Numbers of equal documents."""

GROWTH_BYTES = 0.01
"""Size of each in megabytes: some ten chunks."""


class NoModel(MiniLmEmbedder):
    """Counts tokens as the model does and embeds nothing: for files that the model would take an hour for."""

    _vector: Vector = (0.05,) * 384

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return the same vector for each text."""
        return [self._vector] * len(texts)


@dataclass(frozen=True)
class Case:
    """A file, what its size is counted in, and whether its chunks are really embedded and their vectors kept."""

    name: str
    write: Callable[[Path], None]
    count: float
    unit: str
    embedded: bool = True


def _cases(pages: int, megabytes: float, rows: int, *, embedded: bool) -> list[Case]:
    return [
        Case("pages.pdf", lambda path: write_pdf(path, pages), pages, "pages"),
        Case("text.txt", lambda path: write_text(path, megabytes), megabytes, "MB", embedded),
        Case("rows.csv", lambda path: write_csv(path, rows), rows, "rows", embedded),
        Case("rows.jsonl", lambda path: write_json_lines(path, rows), rows, "rows", embedded),
        Case("rows.xlsx", lambda path: write_xlsx(path, rows), rows, "rows", embedded),
    ]


SMALL = _cases(50, 0.2, 500, embedded=True)
LARGE = _cases(1_000, 100, 1_000_000, embedded=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each file, then how the time grows, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--reading", action="store_true", help="read and cut only, counting words as tokens")
    parser.add_argument("--only", nargs="*", help="names of files, such as pages.pdf")
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    cases = [case for case in (LARGE if given.large else SMALL) if not given.only or case.name in given.only]
    if given.reading:
        print(
            "\nReading and cutting alone\n\n| file | MB | chunks | s | parent MiB, more | child MiB |\n|---|"
            + "---:|" * 5
        )
        for case in cases:
            _measure_reading(case)
        return
    print("\nIngestion: one document\n")
    print(
        f"| {'file':10} | {'size':>14} | {'MB':>5} | chunks | parts | {'s':>6} | {'a second':>15} | {'MB/s':>5} "
        "| embedding | parsing | rest | model alone | parent MiB | child MiB |"
    )
    print(f"|{'-' * 12}|{'---:|' * 13}")
    for case in cases:
        _measure(case)
    if not given.only:
        _measure_growth()


def _measure(case: Case) -> None:
    embedder = MiniLmEmbedder() if case.embedded else NoModel()
    with _worker(embedder, keeps_vectors=case.embedded) as worker:
        case.write(worker.folder / case.name)
        embedder.count_tokens("The files of the model are loaded.")
        embedder.embed_documents(["The files of the model are loaded."])
        document = worker.register(case.name)
        with peak_memory() as peak:
            begin = perf_counter()
            with _silence():
                worker.run()
            seconds = perf_counter() - begin
            parent, child = peak()
        chunks = worker.chunks(document)
        alone = _model_alone(worker, embedder) * chunks if case.embedded else 0.0
        megabytes = (worker.folder / case.name).stat().st_size / 1e6
    shares = [worker.watches.seconds[name] / seconds for name in ("embedding", "parsing")]
    print(
        f"| {case.name:10} | {case.count:>8,} {case.unit:5} | {megabytes:5.1f} | {chunks:6,} | {worker.parts:5} "
        f"| {seconds:6.1f} | {case.count / seconds:>9,.1f} {case.unit:5} | {megabytes / seconds:5.2f} "
        f"| {_share(shares[0], case)} | {shares[1]:7.0%} | {1 - sum(shares):4.0%} "
        f"| {f'{alone:9.1f} s' if alone else '          -'} | {parent / MIB:10.0f} | {child / MIB:9.0f} |",
        flush=True,
    )


def _measure_reading(case: Case) -> None:
    with TemporaryDirectory(prefix="chatsphere-bench-") as folder:
        path = Path(folder) / case.name
        case.write(path)
        with peak_memory() as peak:
            before, begin = peak()[0], perf_counter()
            chunks = sum(1 for _ in _cut(path))
            seconds = perf_counter() - begin
            parent, child = peak()
        megabytes = path.stat().st_size / 1e6
    print(
        f"| {case.name} | {megabytes:.1f} | {chunks:,} | {seconds:.0f} | {(parent - before) / MIB:.1f} "
        f"| {child / MIB:.0f} |",
        flush=True,
    )


def _cut(path: Path) -> Iterator[Chunk]:
    """Read to the end, whatever the child may take."""
    limits = ExtractionLimits(cpu_seconds=3_600, wall_seconds=3_600)
    with extract_file(path, name=path.name, declared_type=None, limits=limits) as extraction:
        yield from chunk_blocks(extraction.blocks, count_tokens=lambda text: len(text.split()), max_tokens=254)


def _share(share: float, case: Case) -> str:
    return f"{share:9.0%}" if case.embedded else " no model"


def _model_alone(worker: Worker, embedder: Embedder) -> float:
    """Return the seconds that the model takes for a chunk, of those that were made."""
    with worker.database.transaction(worker.tenant.organization_id) as connection:
        rows = connection.execute("SELECT content FROM chunks ORDER BY ordinal LIMIT %s", (BASELINE_TEXTS,)).fetchall()
    begin = perf_counter()
    embedder.embed_documents([row["content"] for row in rows])
    return (perf_counter() - begin) / len(rows)


def _measure_growth() -> None:
    """Ten times the documents: all at once in the queues, the first of them searchable when?"""
    print("\nIngestion: many documents of the same size\n")
    print("| documents | chunks |      s | first searchable after s |\n|---:|---:|---:|---:|")
    seconds = {}
    for count in GROWTH:
        with _worker(MiniLmEmbedder(), keeps_vectors=True) as worker:
            write_text(worker.folder / "warm.txt", GROWTH_BYTES)
            worker.register("warm.txt")
            with _silence():
                worker.run()
            for number in range(count):
                write_text(worker.folder / f"{number}.txt", GROWTH_BYTES)
            documents = [worker.register(f"{number}.txt") for number in range(count)]
            with _silence():
                first, seconds[count] = _run_side_by_side(worker, documents)
            chunks = sum(map(worker.chunks, documents))
        print(f"| {count:9} | {chunks:6,} | {seconds[count]:6.1f} | {first:24.2f} |", flush=True)
    few, many = GROWTH
    print(f"\n{many // few} times the documents take {seconds[many] / seconds[few]:.1f} times as long.")


def _run_side_by_side(worker: Worker, documents: Sequence[UUID]) -> tuple[float, float]:
    """Read and embed at the same time, as two functions do; return when the first and the last is searchable."""
    reader = replace(worker, database=Database(worker.database_url))
    begin = perf_counter()
    reading = Thread(target=lambda: all(iter(reader.extract_one, False)))
    reading.start()
    ready: list[float] = []
    while len(ready) < len(documents):
        if worker.embed_one():
            ready += [perf_counter() - begin] * (worker.ready() - len(ready) - 1)
        else:
            sleep(0.005)
    reading.join()
    reader.database.close()
    return ready[0], ready[-1]


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the product's metrics, which it prints, out of the tables."""
    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing):
        yield


@contextmanager
def _worker(embedder: Embedder, *, keeps_vectors: bool) -> Iterator[Worker]:
    with (
        running_server() as server,
        fresh_database(server) as urls,
        TemporaryDirectory(prefix="chatsphere-bench-") as folder,
    ):
        database = Database(urls.app)
        vectors: VectorStore = PgVectorStore(database) if keeps_vectors else NoVectors()
        tenant = add_tenant(database, UuidV7Ids(SystemClock()))
        try:
            yield Worker(database, urls.app, tenant, Path(folder), embedder, vectors)
        finally:
            database.close()


if __name__ == "__main__":
    main()
