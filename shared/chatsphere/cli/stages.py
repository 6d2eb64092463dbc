"""Documents under way in words: at which stage, how far, and what to do about one that failed."""

from collections.abc import Iterable
from typing import Any

from chatsphere.cli.formatting import one_line

_DOING = {
    "upload": "awaited",
    "fetch": "being fetched",
    "register": "waiting",
    "scan": "being scanned",
    "budget": "waiting for the month's budget",
    "extract": "being read",
    "embed": "being embedded",
}
_ADVICE = {
    "encrypted": "Save it without its password and drop it again.",
    "no_text_layer": "It is a scan: have its text recognised (OCR) and drop it again.",
    "too_large": "Split the file.",
    "extraction_limit": "Split the file.",
    "empty": "Check the file: it holds no text.",
    "corrupt": "Open the file, save it anew, and drop it again.",
    "unsupported_format": "Save it in a format that can be read, such as PDF or DOCX, and drop it again.",
    "type_mismatch": "Give it the ending that its content has, and drop it again.",
    "malware_found": "The file was not read, and is kept apart. Do not open it.",
    "url_not_allowed": "The address may not be fetched from here: download the page and drop it.",
    "quota_exceeded": "Delete documents or choose a larger plan, then: chatsphere docs reprocess {id}",
    "upload_expired": "Drop the file again.",
    "object_missing": "Drop the file again.",
    "size_mismatch": "Drop the file again.",
}


def stage_of(document: dict[str, Any]) -> str:
    """Return what happens to a document at present, with its percentage where that is known."""
    stage, status = str(document.get("stage") or ""), document.get("status")
    if status == "registered" and stage == "extract":
        stage = "register"
    elif not stage:
        stage = {"extracting": "extract", "embedding": "embed"}.get(str(status), "register")
    doing = _DOING.get(stage, stage)
    return doing if document.get("progress") is None else f"{doing}, {document['progress']:.0%}"


def doing(documents: Iterable[dict[str, Any]]) -> str:
    """Return how many documents are at which stage; of a single one, how far."""
    under_way = list(documents)
    if len(under_way) == 1:
        return stage_of(under_way[0])
    counts: dict[str, int] = {}
    for document in under_way:
        name = stage_of({**document, "progress": None})
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def problem(document: dict[str, Any], width: int) -> str:
    """Return why a document failed, cut at `width` characters, and what to do about it."""
    why = one_line(f"{document.get('error_code')}: {document.get('error_message') or ''}", width).rstrip(" :")
    todo = _advice(document)
    return f"{why}{'' if why.endswith(('.', '…')) else '.'} {todo}" if todo else why


def _advice(document: dict[str, Any]) -> str:
    """Return what to do about a document that failed; nothing where there is nothing to say."""
    text = _ADVICE.get(str(document.get("error_code")))
    if text is None and document.get("retryable"):
        text = "Try it again: chatsphere docs reprocess {id}"
    return (text or "").format(id=document.get("id", ""))
