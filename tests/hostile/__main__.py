"""Prints the table; ends with 1 if a file ended otherwise than it should, or took more than the limits allow."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from chatsphere.knowledge.extraction import ExtractionLimits
from chatsphere.knowledge.extraction.limits import MIB
from tests.hostile.files import FILES
from tests.hostile.hostile_file import HostileFile
from tests.hostile.measuring import Reading, measure
from tests.hostile.writing import write

LIMITS = ExtractionLimits()
INTERPRETER_MIB = 200
"""What the child holds besides what RLIMIT_AS counts, at most: the pages of the interpreter that it was forked from."""


def main() -> int:
    """Read every hostile file, then every file of the folders of the command line."""
    print("| file | what it is | outcome | seconds | child MiB | characters |\n|---|---|---|---|---|---|")
    wrong = list(_hostile())
    for folder in map(Path, sys.argv[1:]):
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            _row(path.name, folder.name, measure(path, path.name, LIMITS))
    print(f"\n{len(FILES)} hostile files, {len(wrong)} that ended otherwise than they should")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _hostile() -> Iterator[str]:
    with TemporaryDirectory(prefix="hostile-") as folder:
        for file in FILES:
            path = Path(folder) / "file"
            write(file.name, path)
            reading = measure(path, file.name, LIMITS)
            path.unlink()
            _row(file.name, file.what, reading)
            if problem := judge(file, reading):
                yield problem


def judge(file: HostileFile, reading: Reading) -> str | None:
    """Say what is wrong with how a hostile file's reading ended, if anything."""
    if reading.outcome not in file.outcomes:
        return f"{file.name}: {reading.outcome}, not {' or '.join(sorted(file.outcomes))}"
    if reading.child_mib > LIMITS.memory_bytes // MIB + INTERPRETER_MIB:
        return f"{file.name}: the child took {reading.child_mib} MiB"
    return None


def _row(name: str, what: str, reading: Reading) -> None:
    print(
        f"| `{name}` | {what} | {reading.outcome} | {reading.seconds:.1f} | {reading.child_mib} "
        f"| {reading.characters:,} |",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
