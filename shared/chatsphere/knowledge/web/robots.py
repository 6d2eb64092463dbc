"""robots.txt (RFC 9309), as Protego reads it, and the same wishes inside of pages."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from chatsphere.knowledge.web.urls import WebUrl

if TYPE_CHECKING:
    from protego import Protego

MAX_BYTES: Final = 500 * 1024
"""As much of a robots.txt as has to be read."""

MAX_CRAWL_DELAY: Final = 30.0
"""Seconds between two requests that a host can have; more would keep a source from ever getting done."""

EVERYTHING: Final = ""
"""The robots.txt of a host that has none."""


@dataclass(frozen=True, slots=True)
class Robots:
    """What a host permits to a user agent. `delay` are the seconds between two requests that it asks for."""

    text: str
    agent: str

    @classmethod
    def read(cls, body: bytes, agent: str) -> Self:
        """Read the file; what is no rule is no rule."""
        return cls(body[:MAX_BYTES].decode("utf-8", "replace").replace("\x00", ""), agent)

    def permits(self, url: WebUrl) -> bool:
        """Return whether the page may be fetched."""
        return not self.text or _parsed(self.text).can_fetch(str(url), self._product)

    @property
    def delay(self) -> float:
        """Seconds between two requests."""
        asked = _parsed(self.text).crawl_delay(self._product) if self.text else None
        return min(max(0.0, asked or 0.0), MAX_CRAWL_DELAY)

    @property
    def _product(self) -> str:
        return self.agent.partition("/")[0].strip()


@lru_cache(maxsize=4)
def _parsed(text: str) -> "Protego":
    from protego import Protego

    return Protego.parse(text)


@dataclass(frozen=True, slots=True)
class PageRules:
    """What a page asks for itself."""

    index: bool = True
    follow: bool = True

    def __and__(self, other: "PageRules") -> "PageRules":
        return PageRules(self.index and other.index, self.follow and other.follow)


def page_rules(text: str) -> PageRules:
    """Read the content of `<meta name=robots>` or `X-Robots-Tag`; rules for one named agent count for all."""
    words = set(re.split(r"[\s,:]+", text.lower()))
    none = "none" in words
    return PageRules(index=not (none or "noindex" in words), follow=not (none or "nofollow" in words))
