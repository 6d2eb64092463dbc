"""How much of typical pages' main text, and of their menus, comes out of each way to find it.

    python -m tests.bench.compare_main_text [FILE.html …]

trafilatura and readability-lxml are compared where they are installed (they are no requirement of the project). For
each file: how many characters each way keeps, and its speed.
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chatsphere.knowledge.extraction import html, limits
from chatsphere.knowledge.extraction.source import MemoryFile
from chatsphere.knowledge.text import Block
from tests.builders.pages import marks, typical_pages

Way = Callable[[str], str]


def main() -> None:
    """Print one row per page and way."""
    ways = _ways()
    print(f"{'page':<24}" + "".join(f"{name + ' keep/menu':>26}" for name in ways))
    totals = {name: [0, 0] for name in ways}
    wanted = unwanted = 0
    for title, page in typical_pages().items():
        keep, drop = marks(page, "Keep"), marks(page, "Drop")
        wanted, unwanted = wanted + len(keep), unwanted + len(drop)
        cells = []
        for name, way in ways.items():
            text = way(page)
            found = len(marks(text, "Keep")), len(marks(text, "Drop"))
            totals[name] = [totals[name][0] + found[0], totals[name][1] + found[1]]
            cells.append(f"{found[0]}/{len(keep)}  {found[1]}/{len(drop)}")
        print(f"{title:<24}" + "".join(f"{cell:>26}" for cell in cells))
    print(f"{'all':<24}" + "".join(f"{f'{k / wanted:.0%}  {d / unwanted:.0%}':>26}" for k, d in totals.values()))
    for path in sys.argv[1:]:
        _file(Path(path), ways)


def _file(path: Path, ways: dict[str, Way]) -> None:
    page = path.read_text(errors="replace")
    for name, way in ways.items():
        started = time.process_time()
        size = len(way(page))
        spent = time.process_time() - started
        print(f"{path.name:<24} {name:<14} {size:>9} chars {spent * 1000:>8.0f} ms")


def _ways() -> dict[str, Way]:
    ways: dict[str, Way] = {"ours": _ours}
    if importlib.util.find_spec("trafilatura"):
        import trafilatura  # type: ignore[import-not-found,unused-ignore]

        ways["trafilatura"] = lambda page: trafilatura.extract(page, favor_recall=True) or ""
    if importlib.util.find_spec("readability"):
        import readability  # type: ignore[import-not-found,unused-ignore]

        ways["readability"] = lambda page: readability.Document(page).summary()
    return ways


def _ours(page: str) -> str:
    blocks = html.parse(MemoryFile(page.encode()), limits.ExtractionLimits()).blocks
    return "\n\n".join(block.text for block in blocks if isinstance(block, Block))


if __name__ == "__main__":
    main()
