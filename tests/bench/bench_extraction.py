"""Speed and memory of reading and cutting documents, against a baseline of the same run.

    python -m tests.bench.bench_extraction DIR

For each document of the folder: the product's extraction (child process and all) and, for a PDF, PDFium's bare
text of the same pages. Absolute times depend on the machine; the ratios hold.
"""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chatsphere.errors import DocumentError
from chatsphere.knowledge.chunking import chunk_blocks
from chatsphere.knowledge.extraction import ExtractionLimits, extract_file
from chatsphere.knowledge.text import Block

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BARE = """
import sys, time, pypdfium2
document = pypdfium2.PdfDocument(sys.argv[1])
start = time.process_time()
for page in document:
    page.get_textpage().get_text_range()
print(time.process_time() - start)
"""
_PARSED = """
import sys, time, resource
from pathlib import Path
from chatsphere.knowledge.extraction import pdf, parsed, limits
start = time.process_time()
list(parsed.finish(pdf.parse(Path(sys.argv[1]), limits.ExtractionLimits()).blocks))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
_ROUNDS = 3


def main() -> None:
    """Print one row per document, then the chunker's speed."""
    blocks: list[Block] = []
    print(f"{'document':<36}{'result':<20}{'chars':>9}{'wall ms':>9}{'child CPU ms':>14}")
    for path in sorted(Path(sys.argv[1]).iterdir()):
        blocks += _document(path)
    for path in sorted(Path(sys.argv[1]).glob("*.pdf")):
        _pdf(path)
    _chunker(blocks)


def _document(path: Path) -> list[Block]:
    started, cpu = time.perf_counter(), _children_cpu()
    blocks: list[Block] = []
    result = "ok"
    try:
        with extract_file(path, name=path.name, declared_type=None, limits=ExtractionLimits()) as extraction:
            blocks = list(extraction.blocks)
    except DocumentError as error:
        result = error.code
    wall, spent = (time.perf_counter() - started) * 1000, (_children_cpu() - cpu) * 1000
    size = sum(len(block.text) for block in blocks)
    print(f"{path.name[:34]:<36}{result:<20}{size:>9}{wall:>9.0f}{spent:>14.0f}")
    return blocks


def _pdf(path: Path) -> None:
    """Pages per CPU second, ours and bare, without the start of the process."""
    runs = [(_run(_BARE, path), _run(_PARSED, path)) for _ in range(_ROUNDS)]
    if not all(bare and ours for bare, ours in runs):
        return
    bare, ours = min(run[0][0] for run in runs), min(run[1][0] for run in runs)
    print(
        f"{path.name[:34]:<36}PDFium alone {bare * 1000:.1f} ms, ours {ours / bare:.2f}×, peak {runs[0][1][1]:.0f} MiB"
    )


def _run(script: str, path: Path) -> list[float]:
    command = [sys.executable, "-c", script, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return [float(word) for word in run.stdout.split()]


def _chunker(blocks: list[Block]) -> None:
    """Characters per second with a counter that costs nothing, with one that reads the text, and that one alone."""
    size = sum(len(block.text) for block in blocks) or 1
    for label, count in (("free counter", _free), ("regular expression", _words)):
        spent = min(_timed(partial(_cut, blocks, count)) for _ in range(_ROUNDS))
        alone = min(_timed(partial(_count, blocks, count)) for _ in range(_ROUNDS))
        print(f"chunker, {label:<20}{size / spent / 1e6:>6.1f} MB/s; counting once is {alone / spent:.0%} of its time")


def _cut(blocks: list[Block], count: Callable[[str], int]) -> None:
    for _ in chunk_blocks(blocks, count_tokens=count):
        pass


def _count(blocks: list[Block], count: Callable[[str], int]) -> None:
    for block in blocks:
        count(block.text)


def _free(text: str) -> int:
    return len(text) // 4 + 1


def _words(text: str) -> int:
    return len(_TOKEN.findall(text))


def _timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
