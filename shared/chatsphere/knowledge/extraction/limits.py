"""How much a parser may use before it is stopped."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Limits of one extraction. Where the platform lacks `resource`, only the wall clock, the output and the
    size checks hold.

    `wall_seconds` counts the time that the parent waits for the child, not the time that the caller takes
    between two blocks. `max_unpacked_bytes` bounds one entry of a container (DOCX) after inflation.
    `ocr_pages` is how many pages without text are sent as pictures, 0 where nobody reads those; `ocr_dpi` how
    finely they are drawn.
    """

    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 120
    wall_seconds: float = 300.0
    max_output_bytes: int = 256 * MIB
    max_unpacked_bytes: int = 512 * MIB
    max_unpack_ratio: int = 300
    max_entries: int = 10_000
    max_pages: int = 20_000
    ocr_pages: int = 0
    ocr_dpi: int = 300
