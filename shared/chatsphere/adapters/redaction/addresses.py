"""Addresses of mail and of machines."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

# Bounded, and from the start of a run only: no text takes longer than its length.
_EMAIL: Final = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]{1,64}(?:@|\s?[\[(]at[\])]\s?)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_CLONED: Final = re.compile(r":[\w~/]")
_FILES: Final = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "js", "mjs", "ts", "json"})

_IPV4: Final = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:])[23][0-9a-f]{3}:[0-9a-f:]{2,34}(?![\w:])", re.IGNORECASE)
_VERSION: Final = re.compile(r"(?:version|release|firmware|build|ver\.?|rev\.?|v)\s*[:=]?\s*\Z", re.IGNORECASE)
_LOOK_BACK: Final = 16


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of mail addresses, `[at]` included; not of `icon@2x.png`, nor of `git@host:path`."""
    for found in _EMAIL.finditer(text) if "@" in text or "at" in text else ():
        ending = found[0].rsplit(".", 1)[-1].casefold()
        if ending not in _FILES and not _CLONED.match(text, found.end()):
            yield found.span()


def ip_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of public addresses: what is private, reserved or a version names nobody."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - _LOOK_BACK) : found.start()]
            if not _VERSION.search(before) and _is_public(found[0].rstrip(":")):
                yield found.span()


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
