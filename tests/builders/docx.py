"""Small DOCX files, written by hand."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_MORE = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_STYLES = f"""<w:styles {_W}>
<w:style w:type="paragraph" w:default="1" w:styleId="Standard"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/><w:basedOn w:val="Standard"/></w:style>
<w:style w:type="paragraph" w:styleId="Eigene"><w:name w:val="Mine"/><w:basedOn w:val="berschrift1"/>
<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>
</w:styles>"""


def make_docx(paragraphs: Sequence[str | tuple[str, str] | Sequence[Sequence[str]]]) -> bytes:
    """Return a DOCX: a string is a paragraph, a pair (style id, text) a styled one, a list of rows a table.

    Styles: `berschrift1` (named "heading 1"), `Eigene` (based on it, outline level 2), `Titel`, `Verzeichnis1`.
    """
    return make_raw_docx("".join(map(_element, paragraphs)))


def make_raw_docx(body: str, parts: Mapping[str, str] | None = None, *, prolog: str = "") -> bytes:
    """Return a DOCX with this XML in its body (namespaces `w`, `mc` and `wps`) and these further parts."""
    document = f"{prolog}<w:document {_W} {_MORE}><w:body>{body}</w:body></w:document>"
    files = {"_rels/.rels": _RELATIONS, "word/document.xml": document, "word/styles.xml": _STYLES, **(parts or {})}
    return make_zip(files)


def make_zip(files: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP archive: the same bytes for the same files, at any time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return target.getvalue()


def wordprocessing_part(root: str, content: str) -> str:
    """Return the XML of a part with this root element, such as `footnotes`."""
    return f"<w:{root} {_W}>{content}</w:{root}>"


def paragraph_xml(text: str, style: str | None = None) -> str:
    """Return a paragraph's XML."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _element(item: str | tuple[str, str] | Sequence[Sequence[str]]) -> str:
    if isinstance(item, str):
        return paragraph_xml(item)
    if isinstance(item, tuple) and isinstance(item[1], str):
        return paragraph_xml(item[1], str(item[0]))
    cells = ("".join(f"<w:tc>{paragraph_xml(cell)}</w:tc>" for cell in row) for row in item)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"
