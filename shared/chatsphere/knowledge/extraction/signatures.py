"""Signatures, extensions and media types of formats that are recognised, most of them not read (yet)."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

LABELS = {
    "PDF": "a PDF",
    "DOCX": "a Word document (DOCX)",
    "PPTX": "a PowerPoint presentation (PPTX)",
    "XLSX": "an Excel workbook (XLSX)",
    "DOC": "a legacy Word document (DOC)",
    "EPUB": "an e-book (EPUB)",
    "EML": "an e-mail (EML)",
    "HTML": "HTML",
    "MARKDOWN": "Markdown",
    "JSON": "JSON",
    "CSV": "CSV",
    "TEXT": "plain text",
}

_XLS, _PPT = "a legacy Excel workbook (XLS)", "a legacy presentation (PPT)"
_XLSB = "a binary Excel workbook (XLSB)"
_ODF, _MSG, _RTF = "an OpenDocument file", "an Outlook message (MSG)", "an RTF document"
_ZIP, _IMAGE, _AUDIO, _VIDEO = "a ZIP archive", "an image", "audio", "a video"
_SVG = "an SVG image"
_ARCHIVE, _PROGRAM, _POSTSCRIPT = "a compressed archive", "a program", "PostScript"

TEXTUAL = frozenset({_POSTSCRIPT, _SVG})
"""Formats that are not read although their bytes are text."""

ZIPPED = frozenset({_XLSB, _ODF, _ZIP})

ZIP_MARKS = (
    (b"xl/workbook.bin", _XLSB),
    (b"mimetypeapplication/vnd.oasis", _ODF),
)

OLE_STREAMS = (
    ("EncryptedPackage", "an encrypted Office file"),
    ("WordDocument", "a legacy Word document"),
    ("Workbook", _XLS),
    ("PowerPoint Document", _PPT),
    ("__substg1.0_", _MSG),
)

EXTENSIONS = {
    **dict.fromkeys(("xls", "xlt"), _XLS),
    "xlsb": _XLSB,
    **dict.fromkeys(("ppt", "pps"), _PPT),
    **dict.fromkeys(("odt", "ods", "odp"), _ODF),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ico", "heic"), _IMAGE),
    **dict.fromkeys(("mp3", "wav", "ogg", "flac", "m4a"), _AUDIO),
    **dict.fromkeys(("mp4", "mov", "mkv", "webm", "avi"), _VIDEO),
    **dict.fromkeys(("gz", "7z", "rar", "bz2", "xz", "zst", "tar", "tgz"), _ARCHIVE),
    **dict.fromkeys(("exe", "dll", "so"), _PROGRAM),
    "msg": _MSG,
    "rtf": _RTF,
    "zip": _ZIP,
    "ps": _POSTSCRIPT,
    "svg": _SVG,
}

# Left out because they are declared for text, too: application/vnd.ms-excel (Windows browsers, for CSV) and
# video/mp2t (mimetypes, for TypeScript).
_MEDIA_TYPES = {
    "application/vnd.ms-powerpoint": _PPT,
    "application/vnd.ms-outlook": _MSG,
    "application/rtf": _RTF,
    "text/rtf": _RTF,
    "image/svg+xml": _SVG,
}

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF87a", _IMAGE),
    (b"GIF89a", _IMAGE),
    (b"II*\x00", _IMAGE),
    (b"MM\x00*", _IMAGE),
    (b"{\\rtf", _RTF),
    (b"%!PS", _POSTSCRIPT),
    (b"\x1f\x8b\x08", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"BZh9", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"PK\x05\x06", _ZIP),
    (b"\x7fELF", _PROGRAM),
    (b"ID3", _AUDIO),
    (b"OggS", _AUDIO),
    (b"fLaC", _AUDIO),
    (b"\x1aE\xdf\xa3", _VIDEO),
)


def binary_label(head: bytes) -> str | None:
    """Name the format whose signature the file begins with."""
    for magic, label in _MAGIC:
        if head.startswith(magic):
            return label
    if head.startswith(b"RIFF"):
        return {b"WEBP": _IMAGE, b"WAVE": _AUDIO}.get(head[8:12], _VIDEO)
    return _VIDEO if head[4:8] == b"ftyp" else None


def media_type_label(declared: str) -> str | None:
    """Name the unsupported format that a declared media type stands for."""
    if declared == "video/mp2t":
        return None
    family = {"image": _IMAGE, "audio": _AUDIO, "video": _VIDEO}.get(declared.partition("/")[0])
    return _MEDIA_TYPES.get(declared) or family
