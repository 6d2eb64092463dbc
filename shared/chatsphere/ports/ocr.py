"""Text in pictures."""

from typing import Protocol


class Ocr(Protocol):
    """Reads text that is shown as a picture."""

    @property
    def engine(self) -> str:
        """Name of the engine."""
        ...

    def read(self, image: bytes) -> str:
        """Return the text of a PNG of one page, its lines parted by line ends; empty if it shows none.

        Returns within a time of its own, of a minute or so. May be called from any thread, one call at a time.

        Raises:
            DocumentError: this picture cannot be read.
            UnavailableError: the engine does not answer, or refuses more calls for the moment.
        """
        ...
