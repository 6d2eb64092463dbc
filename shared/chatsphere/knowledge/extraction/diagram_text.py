"""The text of a diagram (SmartArt): its nodes as the items of a list, children under their parents."""

from collections import defaultdict
from collections.abc import Iterator

from chatsphere.knowledge.extraction.drawing_text import Paragraph, read_paragraphs
from chatsphere.knowledge.extraction.xml import Element, attribute

_MAX_DEPTH = 50
_ROOT = "doc"
_NODES = (None, "node", "asst")


def diagram_items(data: Element) -> Iterator[Paragraph]:
    """Yield the nodes that hold text, in the order of the tree."""
    return _Tree(data).items()


class _Tree:
    def __init__(self, data: Element) -> None:
        self._points = {attribute(point, "modelId") or "": point for point in data.iterfind("{*}ptLst/{*}pt")}
        self._children: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._seen: set[str] = set()
        for link in data.iterfind("{*}cxnLst/{*}cxn"):
            if attribute(link, "type") in (None, "parOf"):
                order = attribute(link, "srcOrd") or ""
                child = int(order) if order.isdecimal() else 0, attribute(link, "destId") or ""
                self._children[attribute(link, "srcId") or ""].append(child)

    def items(self) -> Iterator[Paragraph]:
        """The nodes below the root, then those that hang on nothing."""
        roots = [key for key, point in self._points.items() if attribute(point, "type") == _ROOT]
        for key in [*roots, *self._points]:
            yield from self._below(key, 0)

    def _below(self, key: str, depth: int) -> Iterator[Paragraph]:
        point = self._points.get(key)
        if point is None or key in self._seen or attribute(point, "type") not in (*_NODES, _ROOT):
            return
        self._seen.add(key)
        body = point.find("{*}t")
        text = "" if body is None else " ".join(each.text.replace("\n", " ") for each in read_paragraphs(body))
        if text:
            yield Paragraph(text, depth)
        for _, child in sorted(self._children[key]) if depth < _MAX_DEPTH else ():
            yield from self._below(child, depth + bool(text))
