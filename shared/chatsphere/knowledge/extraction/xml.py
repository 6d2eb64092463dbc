"""lxml behind a narrow, typed and safe door: no entities, no network, no huge trees."""

from collections.abc import Iterator
from typing import IO, Any, Protocol

from lxml import etree  # type: ignore[import-untyped]

from chatsphere.errors import CorruptDocumentError

Element = Any
"""An `lxml.etree._Element`; lxml ships no types."""


class Events(Protocol):
    """What `html_parser` reports to."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends, also where its end tag is left out."""

    def data(self, text: str) -> None:
        """Text, in one or more parts."""

    def close(self) -> None:
        """The document ends."""


class Feed(Protocol):
    """A parser that is fed."""

    def feed(self, data: bytes) -> None:
        """Parse the next part."""

    def close(self) -> object:
        """Parse what is left."""


def html_parser(events: Events) -> Feed:
    """Return a parser of UTF-8 HTML that builds no tree."""
    parser: Feed = etree.HTMLParser(
        target=events, encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    return parser


def iterate(stream: IO[bytes], *, doctype: bool = False, encoding: str | None = None) -> Iterator[Element]:
    """Yield the elements of an XML stream as they end. `encoding` holds whatever the stream declares.

    Raises:
        CorruptDocumentError: not well-formed, nested too deep, or with a document type, which no Office file
            has and attacks with entities need. With `doctype` one that declares no entity may stand there.
    """
    try:
        for _, element in etree.iterparse(
            stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True, encoding=encoding,
        ):  # fmt: skip
            found = element.getroottree().docinfo.internalDTD
            if found is not None and not (doctype and next(found.iterentities(), None) is None):
                raise CorruptDocumentError
            yield element
    except etree.XMLSyntaxError:
        raise CorruptDocumentError from None


def parse(stream: IO[bytes], *, doctype: bool = False) -> Element:
    """Parse a small XML document whole and return its root; raises as `iterate` does."""
    root = None
    for root in iterate(stream, doctype=doctype):  # noqa: B007 - the last element that ends is the root
        pass
    if root is None:
        raise CorruptDocumentError
    return root


def local(element: Element) -> str:
    """The element's name without its namespace: Office's transitional and strict files differ only there."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its local name, in the element's own namespace or in none."""
    namespace = element.tag.rpartition("}")[0]
    value: str | None = element.get(f"{namespace}}}{name}" if namespace else name)
    return value if value is not None else element.get(name)


def discard(element: Element) -> None:
    """Free an element that was read, and its elder siblings."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
