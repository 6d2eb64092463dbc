"""Reading one file as the product does, in a process of its own so that its child's peak memory is the child's.

    python -m tests.hostile.measuring PATH NAME

prints one line of JSON: outcome, seconds, peak memory of the child and of this process (MB), pages and characters.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from chatsphere.errors import DocumentError
from chatsphere.knowledge.extraction import ExtractionLimits, extract_file
from tests.hostile.hostile_file import READ

KILO = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reading of a file ended, and what it took. Memory in MiB; `child_mib` is 0 where no child was needed."""

    outcome: str
    seconds: float
    child_mib: int
    parent_mib: int
    characters: int


def measure(path: Path, name: str, limits: ExtractionLimits) -> Reading:
    """Read a file in a fresh process.

    Raises:
        subprocess.CalledProcessError: the process that reads died: a hostile file has won.
    """
    command = [sys.executable, "-m", "tests.hostile.measuring", str(path), name, str(limits.wall_seconds)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return Reading(**json.loads(run.stdout))


def read(path: Path, name: str, limits: ExtractionLimits) -> Reading:
    """Read a file from this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, characters, outcome = time.perf_counter(), 0, READ
    try:
        with extract_file(path, name=name, declared_type=None, limits=limits) as extraction:
            for block in extraction.blocks:
                characters += len(block.text)
    except DocumentError as error:
        outcome = error.code
    seconds = time.perf_counter() - started
    # Linux begins a child's count with its parent's memory.
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Reading(outcome, round(seconds, 2), child // KILO if child > before else 0, parent // KILO, characters)


def main() -> None:
    """Read the file of the command line."""
    limits = ExtractionLimits(wall_seconds=float(sys.argv[3]))
    print(json.dumps(asdict(read(Path(sys.argv[1]), sys.argv[2], limits))))


if __name__ == "__main__":
    main()
