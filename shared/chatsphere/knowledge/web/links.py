"""What an HTML page links to, and what it says of itself to robots."""

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final

from chatsphere.knowledge.extraction.xml import html_parser
from chatsphere.knowledge.web.robots import PageRules, page_rules
from chatsphere.knowledge.web.urls import WebUrl

MAX_HTML_BYTES: Final = 5 * 1024 * 1024
"""Links beyond are not followed."""

MAX_LINKS: Final = 2000
"""Of one page."""

MAX_REFERENCES: Final = 10_000
"""Of one page that are looked at, whether they turn out to be links or not."""

MAX_NESTING: Final = 2_000
"""Elements inside of each other; an end tag without a start takes the parser as long as there are open ones."""

_PIECE_BYTES: Final = 8 * 1024

_ROBOTS: Final = frozenset({"robots", "googlebot", "chatsphere"})
_NOT_READ: Final = (
    *(".css", ".js", ".json5", ".map", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".ico", ".bmp", ".avif"),
    *(".mp3", ".mp4", ".webm", ".mov", ".avi", ".wav", ".ogg", ".woff", ".woff2", ".ttf", ".eot"),
    *(".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".exe", ".dmg", ".iso", ".apk", ".deb", ".rpm", ".msi"),
)


@dataclass(slots=True)
class PageFacts:
    """What matters of a page besides its text; links are in their order, each once, on the page's host."""

    links: list[WebUrl] = field(default_factory=list)
    canonical: WebUrl | None = None
    rules: PageRules = field(default_factory=PageRules)


def read_page(body: bytes, url: WebUrl, private_hosts: Set[str]) -> PageFacts:
    """Read a page that was found at `url`. Damaged or excessive HTML gives what can be made out."""
    collector = _Collector(url, private_hosts)
    parser = html_parser(collector)
    body = body[:MAX_HTML_BYTES] or b" "
    for start in range(0, len(body), _PIECE_BYTES):
        parser.feed(body[start : start + _PIECE_BYTES])
        if collector.depth > MAX_NESTING:
            break
    parser.close()
    return collector.facts


def is_worth_a_look(url: WebUrl) -> bool:
    """Return whether the path does not end as those of pictures and programs do."""
    return not url.target.partition("?")[0].lower().endswith(_NOT_READ)


class _Collector:
    """Listens to lxml's parser."""

    def __init__(self, url: WebUrl, private_hosts: Set[str]) -> None:
        self.facts = PageFacts()
        self.depth = 0
        self._references = 0
        self._url = self._base = url
        self._private = private_hosts
        self._seen: set[WebUrl] = {url}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if tag in ("a", "area"):
            self._link(attributes)
        elif tag == "base" and (base := attributes.get("href")):
            self._base = self._target(base) or self._base
        elif tag == "link" and "canonical" in (attributes.get("rel") or "").lower().split():
            target = self._target(attributes.get("href") or "")
            self.facts.canonical = target if target and target.is_near(self._url) else None
        elif tag == "meta" and (attributes.get("name") or "").lower() in _ROBOTS:
            self.facts.rules = self.facts.rules & page_rules(attributes.get("content") or "")

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def data(self, _text: str) -> None:
        return None

    def close(self) -> None:
        return None

    def _link(self, attributes: dict[str, str]) -> None:
        href = attributes.get("href")
        if not href or len(self.facts.links) >= MAX_LINKS or "nofollow" in (attributes.get("rel") or "").lower():
            return
        target = self._target(href)
        if target and target not in self._seen and target.is_near(self._url) and is_worth_a_look(target):
            self._seen.add(target)
            self.facts.links.append(target)

    def _target(self, reference: str) -> WebUrl | None:
        self._references += 1
        return self._base.join(reference, self._private) if self._references <= MAX_REFERENCES else None
