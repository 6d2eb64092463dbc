"""The name of a page's document: its URL without the scheme, as readable as it can be and still one for each URL."""

import hashlib
import re
from typing import Final

from chatsphere.knowledge.web.urls import WebUrl

MAX_NAME_BYTES: Final = 900
"""The rest of a key's 1,024 bytes is for the organization and the bot."""

FOLDER: Final = "(index)"
"""What stands for the page of a path that ends in a slash: no key of ours does."""

_ESCAPED_TEXT: Final = re.compile(r"(?:%[89A-F][0-9A-F])+")


def document_name(url: WebUrl) -> str:
    """Return the name; it depends on the URL alone, so it is known before anything is fetched.

    https is left out and http is not, for the two may differ. Escaped letters become letters again.
    """
    text = str(url).removeprefix("https://").replace("http://", "http:", 1)
    path, _, query = text.partition("?")
    own = path.endswith("/" + FOLDER)
    if path.endswith("/"):
        path += FOLDER
    name = _ESCAPED_TEXT.sub(_readable, f"{path}?{query}" if query else path)
    if own or len(name.encode()) > MAX_NAME_BYTES:
        return _shortened(name, url)
    return name


def _readable(match: re.Match[str]) -> str:
    try:
        text = bytes.fromhex(match[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return match[0]
    return text if text.isprintable() else match[0]


def _shortened(name: str, url: WebUrl) -> str:
    digest = hashlib.sha256(str(url).encode()).hexdigest()[:24]
    return f"{name.encode()[: MAX_NAME_BYTES - 32].decode(errors='ignore')}~{digest}"
