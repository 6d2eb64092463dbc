"""All hostile files."""

from typing import Final

from tests.hostile import archives, pdf, plain
from tests.hostile.hostile_file import HostileFile

FILES: Final[tuple[HostileFile, ...]] = (*plain.FILES, *pdf.FILES, *archives.FILES)
