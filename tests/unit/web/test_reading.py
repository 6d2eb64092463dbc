"""What pages, sitemaps and robots.txt say."""

import gzip

import pytest

from chatsphere.knowledge.web import links, sitemaps
from chatsphere.knowledge.web.errors import NotASitemapError
from chatsphere.knowledge.web.links import read_page
from chatsphere.knowledge.web.robots import MAX_CRAWL_DELAY, PageRules, Robots, page_rules
from chatsphere.knowledge.web.sitemaps import read_sitemap
from chatsphere.knowledge.web.urls import WebUrl

HERE = WebUrl.parse("https://example.com/docs/")
NONE: frozenset[str] = frozenset()


def test_links_are_those_of_the_host_that_may_be_followed() -> None:
    html = b"""<base href="/base/"><a href=a>A<a href="a#x">again<a href="b" rel="external nofollow">B
        <a href="https://other.example/">other<a href="http://example.com/plain">plain<a href=x.png>picture
        <area href="/map"><a>none</a><a href="">empty</a><a href="mailto:x@example.com">mail</a>"""

    facts = read_page(html, HERE, NONE)

    assert [str(link) for link in facts.links] == [
        "https://example.com/base/a",
        "http://example.com/plain",
        "https://example.com/map",
    ]


def test_garbage_gives_no_links() -> None:
    assert read_page(bytes(range(256)) * 10, HERE, NONE).links == []
    assert read_page(b"", HERE, NONE).links == []


def test_a_page_that_nests_without_end_is_read_up_to_there() -> None:
    html = b"<a href=before></a>" + b"<b>" * 10_000 + b"</i>" * 100 + b"<a href=after></a>"

    assert [link.target for link in read_page(html, HERE, NONE).links] == ["/docs/before"]


def test_only_so_many_references_of_a_page_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MAX_REFERENCES", 3)
    html = b"<base href=/base/><a href=mailto:x@example.com></a><a href=a></a><base href=/other/><a href=b></a>"

    facts = read_page(html, HERE, NONE)

    assert [link.target for link in facts.links] == ["/base/a"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", PageRules()),
        ("index, follow", PageRules()),
        ("NOINDEX", PageRules(index=False)),
        ("noindex,nofollow", PageRules(index=False, follow=False)),
        ("none", PageRules(index=False, follow=False)),
        ("otherbot: noindex", PageRules(index=False)),
        ("max-snippet:-1, nofollow", PageRules(follow=False)),
    ],
)
def test_wishes_of_pages(text: str, rules: PageRules) -> None:
    assert page_rules(text) == rules
    page = f'<meta name="Robots" content="{text}"><p>Text.'.encode()
    assert read_page(page, HERE, NONE).rules == rules


def test_robots_txt_for_us_and_for_all() -> None:
    text = b"User-agent: *\nDisallow: /\n\nUser-agent: chatsphere\nAllow: /docs/open\nDisallow: /docs\nCrawl-delay: 999"
    robots = Robots.read(text, "ChatSphere/1.0 (+https://example.com)")

    assert [robots.permits(WebUrl.parse(f"https://example.com{path}")) for path in ("/", "/docs/x", "/docs/open")] == [
        True,
        False,
        True,
    ]
    assert robots.delay == MAX_CRAWL_DELAY
    assert not Robots.read(text, "Other").permits(HERE)
    assert Robots.read(b"<html>\x00not found</html>", "ChatSphere").permits(HERE)


def test_sitemaps_name_pages_and_not_their_pictures() -> None:
    xml = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/image">
        <url><loc> https://example.com/a?x=1&amp;y=2 </loc><image:image><image:loc>https://example.com/p</image:loc>
        </image:image></url><url><loc>https://example.com/b</loc></url><url><loc>https://example.com/b</loc></url>
        <url><loc>https://other.example/</loc></url><url><loc>http://10.0.0.1/</loc></url></urlset>"""

    for body in (xml, gzip.compress(xml)):
        assert [str(url) for url in read_sitemap(body, HERE, NONE).pages] == [
            "https://example.com/a?x=1&y=2",
            "https://example.com/b",
        ]


def test_a_sitemap_may_be_plain_text() -> None:
    found = read_sitemap(b"https://example.com/a\nhttps://example.com/b\n", HERE, NONE)

    assert [url.target for url in found.pages] == ["/a", "/b"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing of the kind",
        b"<html><body>Sign in</body></html>",
        b"<urlset><url><loc>https://example.com/a</loc>",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
        b"\x1f\x8bnot gzip",
        gzip.compress(b"<urlset/>" + b" " * (51 * 1024 * 1024), compresslevel=1),
        b"<urlset><x " + b" ".join(b"a%d='>'" % number for number in range(10_000)) + b"/></urlset>",
        "<urlset><url><loc>https://example.com/a</loc></url></urlset>".encode("utf-16-le"),
    ],
    ids=["empty", "text", "html", "cut off", "entities", "damaged", "bomb", "huge tag", "not UTF-8"],
)
def test_what_is_no_sitemap_is_refused(body: bytes) -> None:
    with pytest.raises(NotASitemapError):
        read_sitemap(body, HERE, NONE)


def test_a_sitemap_of_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_ELEMENTS", 4)
    entry = b"<url><loc>https://example.com/<!-- a -->a</loc></url>"

    assert len(read_sitemap(b"<urlset>" + entry + b"</urlset>", HERE, NONE).pages) == 1
    with pytest.raises(NotASitemapError):
        read_sitemap(b"<urlset>" + entry + b"<x/>" * 5 + b"</urlset>", HERE, NONE)
