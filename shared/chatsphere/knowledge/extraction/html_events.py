"""Reads the events of an HTML parser: what is hidden, and in which zone of the page each text stands."""

import re
from functools import lru_cache

from chatsphere.knowledge.extraction.html_text import INLINE, TextBuilder, Zone, words

_SKIPPED = words(
    "script style template noscript svg math iframe object canvas audio video select button option "
    "datalist textarea head map progress meter dialog"
)
_VOID = words("area base br col embed hr img input link meta param source track wbr")
_BOILERPLATE = frozenset(["nav", "aside", "footer", "header", "form", "menu"])
_TEXT_TAGS = frozenset(("html", "body", "main", "article", "p", "h1", "h2", "h3", "h4", "h5", "h6"))
_BOILERPLATE_ROLES = words("navigation banner contentinfo search complementary menu dialog alert")
# What authors name the parts that are not the text. A name with a word of the second set is of a part that holds
# the text, such as `has-sidebar` or `cookie-policy-content`.
_SUSPECT_WORDS = words(
    "nav navbar navigation navmenu menu menubar submenu sidebar breadcrumb breadcrumbs cookie cookies consent gdpr "
    "footer masthead pagination pager share sharing social catlinks toc advert advertisement ads newsletter popup "
    "modal skip skiplink comments disqus related promo sponsored interlanguage"
)
_TEXT_WORDS = words(
    "article content main body text page post entry has with no without layout policy wrapper container"
)
_WORD = re.compile(r"[A-Z]?[a-z]+")
# Conventions for what is not the text of the page: MediaWiki, Bootstrap, WordPress.
_HIDDEN_CLASSES = frozenset(
    ("noprint", "mw-editsection", "mw-jump-link", "navbox", "sr-only", "visually-hidden", "screen-reader-text")
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class PageReader:
    """The target of the event parser; `text.pieces` and `title` are complete after `close`."""

    def __init__(self) -> None:
        self.text = TextBuilder()
        self.title: str | None = None
        self._open: list[str] = []
        self._skipped_from = 0
        self._zones: list[tuple[int, Zone]] = []
        self._links: list[int] = []
        self._in_title = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element: leave out what is hidden, note the zone, begin a piece at a block element."""
        if tag in _VOID:
            if tag in ("br", "hr") and not self._skipped_from:
                self.text.line_break()
            return
        self._open.append(tag)
        if self._skipped_from:
            self._in_title = tag == "title" and self.title is None
        elif tag in _SKIPPED or _is_hidden(attributes):
            self._skipped_from = len(self._open)
        else:
            self._enter_zone(tag, attributes)
            if tag == "a" and "href" in attributes:
                self._links.append(len(self._open))
                self.text.link(1)
            elif tag not in INLINE:
                self.text.begin(tag)

    def end(self, tag: str) -> None:
        """Close an element, and those inside it that were left open."""
        if tag in _VOID or (self._open and self._open[-1] != tag and tag not in self._open):
            return
        while self._open:
            depth, top = len(self._open), self._open.pop()
            if self._skipped_from == depth:
                self._skipped_from = 0
            elif not self._skipped_from and top not in INLINE:
                self.text.finish(top)
            if self._links and self._links[-1] == depth:
                self._links.pop()
                self.text.link(-1)
            if self._zones and self._zones[-1][0] == depth:
                self._zones.pop()
                self._set_zone()
            if top == tag:
                break
        self._in_title = False

    def data(self, text: str) -> None:
        """Take text, if it is shown."""
        if self._in_title:
            self.title = ((self.title or "") + text)[:1000]
        elif not self._skipped_from:
            self.text.add(text)

    def close(self) -> None:
        """End the page."""
        self.text.flush()

    def _enter_zone(self, tag: str, attributes: dict[str, str]) -> None:
        role = (attributes.get("role") or "").strip().lower()
        outer = self._zones[-1][1] if self._zones else Zone()
        main, article = outer.main or tag == "main" or role == "main", outer.article or tag == "article"
        boilerplate = outer.boilerplate or role in _BOILERPLATE_ROLES
        # The header of a text, unlike that of a page, holds its title.
        boilerplate |= tag in _BOILERPLATE and not (tag == "header" and (main or article))
        zone = Zone(main, article, boilerplate, outer.suspect or (tag not in _TEXT_TAGS and _is_suspect(attributes)))
        if zone != outer:
            self._zones.append((len(self._open), zone))
            self._set_zone()

    def _set_zone(self) -> None:
        self.text.enter(self._zones[-1][1] if self._zones else Zone())


def _is_suspect(attributes: dict[str, str]) -> bool:
    names = [*(attributes.get("class") or "").split()[:20], attributes.get("id") or ""]
    return any(_has_suspect_name(name) for name in names if name)


@lru_cache(maxsize=2048)
def _has_suspect_name(name: str) -> bool:
    found = {word.lower() for word in _WORD.findall(name[:200])}
    return not _SUSPECT_WORDS.isdisjoint(found) and _TEXT_WORDS.isdisjoint(found)


def _is_hidden(attributes: dict[str, str]) -> bool:
    if not attributes:
        return False
    classes = attributes.get("class") or ""
    return (
        "hidden" in attributes
        or (attributes.get("aria-hidden") or "").lower() == "true"
        or bool(classes and not _HIDDEN_CLASSES.isdisjoint(classes.split()))
        or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))
    )
