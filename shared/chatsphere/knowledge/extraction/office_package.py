"""The zip container of an Office document (OPC): its main part, and which parts refer to which."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from chatsphere.errors import CorruptDocumentError, TypeMismatchError
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.xml import Element
from chatsphere.knowledge.extraction.zip_archive import Archive

_RELATIONSHIP_ID = "relationships}"


@dataclass(frozen=True, slots=True)
class Relation:
    """One part's reference to another: the last word of its type (`slide`, `image`), and the part's name."""

    kind: str
    target: str


class Package(Archive):
    """An open Office document whose main part is `main`, or stands at `fallback` where no part says so."""

    def __init__(self, source: Source, limits: ExtractionLimits, fallback: str) -> None:
        super().__init__(source, limits)
        self.main = self._find_main(fallback)

    def beside_main(self, name: str) -> str:
        """The name of a part in the main part's folder."""
        return posixpath.join(posixpath.dirname(self.main), name)

    def relations(self, part: str) -> Mapping[str, Relation]:
        """What a part refers to inside the package, by the reference's id."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        relations: dict[str, Relation] = {}
        for element in () if root is None else root.iter("{*}Relationship"):
            if element.get("TargetMode") != "External":
                kind = (element.get("Type") or "").rpartition("/")[2]
                target = posixpath.normpath(posixpath.join("/", folder, unquote(element.get("Target") or "")))
                relations[element.get("Id") or ""] = Relation(kind, target.lstrip("/"))
        return relations

    def related(self, part: str, kind: str) -> str | None:
        """The first part of this kind that a part refers to."""
        return next((each.target for each in self.relations(part).values() if each.kind == kind), None)

    def title(self) -> str | None:
        """The title in the document's properties; damaged properties are none."""
        try:
            properties = self.xml("docProps/core.xml")
        except CorruptDocumentError:
            return None
        title: str | None = None if properties is None else properties.findtext("{*}title")
        return title

    def _find_main(self, fallback: str) -> str:
        main = self.related("", "officeDocument")
        if main is not None and main in self:
            return main
        if fallback not in self:
            raise TypeMismatchError
        return fallback


def relation_id(element: Element, name: str = "id") -> str:
    """The id of the reference that an element makes, by the attribute's local name in the namespace for them."""
    for key, value in element.attrib.items():
        if key.endswith(_RELATIONSHIP_ID + name):
            return str(value)
    return ""
