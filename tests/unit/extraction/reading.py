"""How the tests read a document: in this process (quick), or as the product does (in a child)."""

import importlib
import resource
from dataclasses import replace
from pathlib import Path
from typing import cast

from chatsphere.knowledge.extraction import ExtractionLimits, extract_file
from chatsphere.knowledge.extraction.limits import MIB
from chatsphere.knowledge.extraction.parsed import Parsed, finish
from chatsphere.knowledge.text import Block, BlockKind

LIMITS = ExtractionLimits(wall_seconds=60)


def more_than_here(mebibytes: int) -> int:
    """So many MiB more, in bytes, than this process ever held: Linux counts a child's peak from its parent's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + mebibytes * MIB


def memory_limit(mebibytes: int) -> ExtractionLimits:
    """Limits under which a child that takes too much memory can be told from one that crashes."""
    return replace(LIMITS, memory_bytes=more_than_here(mebibytes))


def parse(parser: str, path: Path, data: bytes | str, limits: ExtractionLimits = LIMITS) -> list[Block]:
    """Parse in this process; `parser` is the module's name in the package, `path` an existing folder."""
    file = path / "document"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    module = importlib.import_module(f"chatsphere.knowledge.extraction.{parser}")
    read = finish(cast(Parsed, module.parse(file, limits)).blocks)
    return [block for block in read if isinstance(block, Block)]


def extract(
    folder: Path, name: str, data: bytes | str, declared: str | None = None, limits: ExtractionLimits = LIMITS
) -> list[Block]:
    """Read as the product does."""
    file = folder / "upload"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    with extract_file(file, name=name, declared_type=declared, limits=limits) as extraction:
        return list(extraction.blocks)


def texts(blocks: list[Block], kind: BlockKind | None = None) -> list[str]:
    """The blocks' texts, of one kind or of all."""
    return [block.text for block in blocks if kind in (None, block.kind)]
