"""What the small Office files of the tests share: relationships, written by hand."""

from collections.abc import Mapping

from tests.builders.docx import make_zip

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def make_office(main: str, parts: Mapping[str, str | bytes]) -> bytes:
    """Return an Office file whose main part is `main`."""
    return make_zip({"_rels/.rels": relations_xml({"main": ("officeDocument", main)}), **parts})


def relations_xml(relations: Mapping[str, tuple[str, str]]) -> str:
    """Return the XML of a part's relations: id → (last word of the type, target)."""
    entries = (
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in relations.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{"".join(entries)}</Relationships>'
