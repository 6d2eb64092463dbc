"""Typical web pages whose every sentence says whether a reader came for it: `Keep 7` or `Drop 7`."""

import re
from collections.abc import Iterator
from itertools import count

_MARK = re.compile(r"(Keep|Drop) \d+")


def marks(text: str, kind: str) -> set[str]:
    """The marks of one kind, `Keep` or `Drop`, that a text holds."""
    return {match[0] for match in _MARK.finditer(text) if match[1] == kind}


def typical_pages() -> dict[str, str]:
    """The pages, by what they are like."""
    return {
        "news article in divs": _news(),
        "documentation": _documentation(),
        "encyclopaedia": _encyclopaedia(),
        "price list (a table)": _table(),
        "list of links": _links(),
        "landing page in divs": _landing(),
        "shop": _shop(),
        "short notice": _notice(),
        "misleading names": _misleading(),
        "forum": _forum(),
    }


class _Words:
    """Makes sentences with a mark, each longer than a menu's entry."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def keep(self, text: str = "tells the reader something that somebody may ask about later on") -> str:
        return f"Keep {next(self._numbers)} {text}, which is why it stands here."

    def keeps(self, number: int) -> Iterator[str]:
        return (f"<p>{self.keep()}</p>" for _ in range(number))

    def drop(self, text: str = "more") -> str:
        return f"Drop {next(self._numbers)} {text}"

    def menu(self, number: int = 6, tag: str = "li") -> str:
        return "".join(f"<{tag}><a href='/{i}'>{self.drop()}</a></{tag}>" for i in range(number))


def _page(body: str, title: str = "A page") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body class='home'>{body}</body></html>"


def _news() -> str:
    w = _Words()
    return _page(
        f"<div class='cookie-banner'><p>{w.drop('We value your privacy and use cookies.')}</p></div>"
        f"<div id='topnav' class='nav'><ul>{w.menu()}</ul></div>"
        f"<div class='story'><h1>{w.keep()}</h1>{''.join(w.keeps(9))}<div class='share-buttons'>{w.drop()}</div></div>"
        f"<div class='sidebar'><h3>{w.drop()}</h3><ul>{w.menu(8)}</ul></div>"
        f"<div id='comments'><h2>{w.drop()}</h2><p>{w.drop('I do not agree, said a visitor.')}</p></div>"
        f"<div class='footer'><p>{w.drop('Imprint, terms and conditions of the publisher')}</p></div>"
    )


def _documentation() -> str:
    w = _Words()
    code = f"<pre><code>{w.keep('client.connect()')}</code></pre>"
    options = "".join(f"<dt><code>option{i}</code></dt><dd>{w.keep()}</dd>" for i in range(5))
    return _page(
        f"<header><a href='/'>{w.drop()}</a></header><div class='md-sidebar'><ul>{w.menu(20)}</ul></div>"
        f"<div class='content'><div class='breadcrumbs'>{w.menu(3, 'span')}</div>"
        f"<h1>{w.keep()}</h1>{''.join(w.keeps(2))}{code}<h2>{w.keep()}</h2><dl>{options}</dl>"
        f"<ul><li><a href='/pg'>{w.keep('PostgreSQL')}</a></li><li><a href='/my'>{w.keep('MySQL')}</a></li></ul></div>"
        f"<div class='pager'><a href='/next'>{w.drop()}</a></div><footer>{w.drop()}</footer>"
    )


def _encyclopaedia() -> str:
    w = _Words()
    box = "".join(f"<tr><th>Field {i}</th><td>{w.keep()}</td></tr>" for i in range(4))
    return _page(
        f"<main><h1>{w.keep()}</h1><div id='p-lang' class='dropdown menu'><ul>{w.menu(60)}</ul></div>"
        f"<table class='infobox'>{box}</table>{''.join(w.keeps(6))}<h2>{w.keep('See also')}</h2>"
        f"<ul><li><a href='/x'>{w.keep()}</a></li></ul><div id='catlinks'><ul>{w.menu(30)}</ul></div></main>"
        f"<footer>{w.drop()}</footer>"
    )


def _table() -> str:
    w = _Words()
    rows = "".join(f"<tr><td>{w.keep('item')}</td><td>{i} €</td></tr>" for i in range(30))
    return _page(
        f"<div class='menu'><ul>{w.menu()}</ul></div><div><table>{rows}</table></div><footer>{w.drop()}</footer>"
    )


def _links() -> str:
    w = _Words()
    items = "".join(f"<li><a href='/{i}.pdf'>{w.keep('form')}</a></li>" for i in range(20))
    return _page(f"<nav><ul>{w.menu()}</ul></nav><div><h1>{w.keep('Downloads')}</h1><ul>{items}</ul></div>")


def _landing() -> str:
    w = _Words()
    tiles = "".join(f"<div class='tile'><div>{w.keep('Fast')}</div><div>{w.keep()}</div></div>" for _ in range(6))
    return _page(
        f"<div class='navbar'>{w.menu(6, 'span')}</div><div class='hero'><div>{w.keep()}</div></div>{tiles}"
        f"<div class='newsletter-popup'><div>{w.drop('Subscribe to our newsletter')}</div></div>"
        f"<div class='site-footer'>{w.menu(8, 'span')}</div>"
    )


def _shop() -> str:
    w = _Words()
    facts = "".join(f"<li>{w.keep('weighs 2 kg')}</li>" for _ in range(5))
    return _page(
        f"<div class='breadcrumb'>{w.menu(3, 'span')}</div><h1>{w.keep('Kettle')}</h1><span>{w.keep('39 €')}</span>"
        f"<ul>{facts}</ul><div class='related'><h2>{w.drop()}</h2>{w.menu(4, 'div')}</div>"
    )


def _notice() -> str:
    w = _Words()
    return _page(f"<nav><ul>{w.menu(30)}</ul></nav><p>{w.keep('Closed on Monday')}</p><footer>{w.menu(10)}</footer>")


def _misleading() -> str:
    """A theme names the part that holds the text after what stands beside it."""
    w = _Words()
    return _page(
        f"<div class='sidebar-right'><div class='menu-open'>{''.join(w.keeps(8))}</div></div><div>{w.keep()}</div>"
    )


def _forum() -> str:
    w = _Words()
    posts = "".join(f"<div class='comment'><div class='comment-body'>{w.keep()}</div></div>" for _ in range(6))
    return _page(f"<div class='menu'>{w.menu(8, 'span')}</div><h1>{w.keep()}</h1><div class='comments'>{posts}</div>")
