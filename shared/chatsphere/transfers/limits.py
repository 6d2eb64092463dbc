"""Published: how large a bot's file may be. What is larger is refused on the way out as it is on the way in."""

from typing import Final

MIB: Final = 1024 * 1024

MAX_FILE_BYTES: Final = 4096 * MIB
"""Of the file. S3 takes no more than 5 GiB by a form."""

MAX_UNPACKED_BYTES: Final = 16_384 * MIB
MAX_RATIO: Final = 200
"""What a member may unpack to, as a multiple: texts of a bot reach some ten, bombs a thousand."""

MAX_SMALL_MEMBER_BYTES: Final = 4 * MIB
"""Below this the ratio does not matter, and above it nothing is read whole."""

MAX_DOCUMENTS: Final = 20_000
MAX_CHUNKS_OF_DOCUMENT: Final = 200_000
MAX_CHUNKS: Final = 1_000_000
MAX_VERSIONS: Final = 10_000
MAX_LINE_BYTES: Final = 1 * MIB
MAX_DIMENSIONS: Final = 4096

MAX_MEMBERS: Final = 3 * MAX_DOCUMENTS + 10
MAX_DIRECTORY_BYTES: Final = 16 * MIB
"""Of the file's table of contents, which is held in memory: some 80 bytes a member."""
