"""Expat behind a narrow and safe door: for the large parts of a workbook, where lxml takes twice the time.

Nothing is built, so memory does not grow with the part; a document type, and with it every entity, is refused.
"""

from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, Protocol
from xml.parsers import expat

from chatsphere.errors import CorruptDocumentError

_READ_BYTES = 64 * 1024
_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


class Handler(Protocol):
    """What is told of a part. Names come without the prefix of the part's root."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def data(self, text: str) -> None:
        """Text, in one or more parts."""


class Gap(NamedTuple):
    """Bytes of a stream that are passed over, whole elements: from `start` to before `end`."""

    start: int = 0
    end: int = 0


NO_GAP = Gap()


class EventReader:
    """Tells a handler of the elements of one part."""

    def __init__(self, stream: IO[bytes], handler: Handler, gap: Gap = NO_GAP) -> None:
        self._stream = stream
        self._gap = gap
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.StartElementHandler = _Root(self._parser, handler).start

    @property
    def place(self) -> int:
        """Where in the stream the element begins that the handler is being told of."""
        place = self._parser.CurrentByteIndex
        return place if place < self._gap.start else place + self._gap.end - self._gap.start

    def read(self) -> Iterator[None]:
        """Read the part; yields now and then, so that what the handler has collected can be taken.

        Raises:
            CorruptDocumentError: not well-formed, or with a document type.
        """
        try:
            for part in self._parts():
                self._parser.Parse(part, False)
                yield
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            if error.code == _NO_MEMORY:
                raise MemoryError from None
            raise CorruptDocumentError from None
        yield

    def _parts(self) -> Iterator[bytes]:
        place = 0
        while part := self._stream.read(_READ_BYTES):
            before = part[: max(0, self._gap.start - place)]
            after = part[max(0, self._gap.end - place) :]
            place += len(part)
            if kept := before + after if self._gap.end else part:
                yield kept


class _Root:
    """Sets the handlers when the root is seen: most parts have no prefix, and are read without a detour."""

    def __init__(self, parser: expat.XMLParserType, handler: Handler) -> None:
        self._parser = parser
        self._handler = handler

    def start(self, name: str, attributes: dict[str, str]) -> None:
        prefix = name.rpartition(":")[0]
        start, end = self._handler.start, self._handler.end
        self._parser.StartElementHandler = start if not prefix else _without(prefix + ":", start)
        self._parser.EndElementHandler = end if not prefix else lambda name: end(name.removeprefix(prefix + ":"))
        self._parser.CharacterDataHandler = self._handler.data
        self._parser.StartElementHandler(name, attributes)


def _without(prefix: str, start: Callable[[str, dict[str, str]], None]) -> Callable[[str, dict[str, str]], None]:
    return lambda name, attributes: start(name.removeprefix(prefix), attributes)


def _refuse(*_: object) -> None:
    raise CorruptDocumentError
