"""Small EPUBs, written by hand."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

_CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
  <rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
_NCX_TYPE = "http://www.daisy.org/z3986/2005/ncx"
_NCX_DOCTYPE = f'<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "{_NCX_TYPE}-2005-1.dtd">'


def page(body: str) -> str:
    """An XHTML page."""
    return f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{body}</body></html>'


def make_epub(
    pages: Mapping[str, str],
    *,
    spine: Sequence[str] | None = None,
    contents: Sequence[tuple[str, str]] = (),
    guide: Mapping[str, str] | None = None,
    title: str = "A book",
    more: Mapping[str, str] | None = None,
    opf: str | None = None,
) -> bytes:
    """Return an EPUB 2 whose `pages` (name → body) stand in `spine`'s order, or in their own.

    `contents` are lines of the table of contents (page, title), `guide` names pages by what they are (`toc`), `more`
    are other parts of the archive by their whole path.
    """
    items = "".join(
        f'<item id="i{number}" href="{name}" media-type="application/xhtml+xml"/>' for number, name in enumerate(pages)
    )
    numbers = {name: number for number, name in enumerate(pages)}
    order = "".join(f'<itemref idref="i{numbers.get(name, name)}"/>' for name in (spine or pages))
    points = "".join(
        f"<navPoint><navLabel><text>{text}</text></navLabel><content src='{name}'/></navPoint>"
        for name, text in contents
    )
    references = "".join(f'<reference type="{kind}" href="{name}"/>' for kind, name in (guide or {}).items())
    parts = {
        "META-INF/container.xml": _CONTAINER,
        "OEBPS/content.opf": opf
        or f"""<package xmlns="http://www.idpf.org/2007/opf" version="2.0">
          <metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>
          <manifest>{items}<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>
          <spine toc="ncx">{order}</spine><guide>{references}</guide></package>""",
        "OEBPS/toc.ncx": f'{_NCX_DOCTYPE}<ncx xmlns="{_NCX_TYPE}/"><navMap>{points}</navMap></ncx>',
        **{f"OEBPS/{name}": page(body) for name, body in pages.items()},
        **(more or {}),
    }
    return zipped(parts)


def zipped(parts: Mapping[str, str]) -> bytes:
    """An archive of these parts that calls itself an EPUB."""
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", ZIP_STORED)
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()
