"""URLs: one spelling for one page, and none that hides where it leads."""

import pytest

from chatsphere.errors import UrlNotAllowedError
from chatsphere.knowledge.web.names import MAX_NAME_BYTES, document_name
from chatsphere.knowledge.web.urls import WebUrl

NOT_ALLOWED = [
    "",
    "example.com",
    "//example.com/",
    "http:/example.com/",
    "http:///path",
    "https://",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://intranet/",
    "http://metadata.google.internal/",
    "http://printer.local/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://0/",
    "http://1.2.3.4.5/",
    "http://example.0x7f/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://ⓔxample.com/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[64:ff9b::808:808]/",
    "http://[2002:7f00:1::]/",
    "http://[2001::1]/",
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com\\.evil.example/",
    "http://exam\tple.com/",
    "http://exam\nple.com/",
    " http://example.com/",
    "http://example.com/\r\nHost: x",
    "http://example.com /",
    "http://ex%61mple.com/",
    "http://-example.com/",
    "http://exam..ple.com/",
    "http://example.com:22/",
    "http://example.com:8080/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:port/",
    "https://example.com/" + "a" * 2000,
    "https://example.com/" + "ä" * 700,
]


@pytest.mark.parametrize("text", NOT_ALLOWED)
def test_what_hides_or_leads_astray_is_refused(text: str) -> None:
    with pytest.raises(UrlNotAllowedError):
        WebUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("HTTPS://EXAMPLE.com", "https://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/../../a", "https://example.com/a"),
        ("https://example.com/a/..", "https://example.com/"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/%7euser/%e4", "https://example.com/~user/%E4"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/a?utm_source=x&b=1", "https://example.com/a?utm_source=x&b=1"),
        ("https://example.com/ä", "https://example.com/%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_one_spelling_for_one_page(text: str, normal: str) -> None:
    assert str(WebUrl.parse(text)) == normal
    assert str(WebUrl.parse(normal)) == normal


def test_private_hosts_are_those_that_are_named_with_their_port() -> None:
    named = frozenset({"127.0.0.1:8080", "intranet:80"})

    assert str(WebUrl.parse("http://127.0.0.1:8080/", named)) == "http://127.0.0.1:8080/"
    assert str(WebUrl.parse("http://intranet/", named)) == "http://intranet/"
    for text in ("http://127.0.0.1:8081/", "http://127.0.0.1/", "https://intranet/"):
        with pytest.raises(UrlNotAllowedError):
            WebUrl.parse(text, named)


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("b", "https://example.com/docs/b"),
        (" /b \n", "https://example.com/b"),
        ("?page=2", "https://example.com/docs/a?page=2"),
        ("#top", "https://example.com/docs/a"),
        ("a b", "https://example.com/docs/a%20b"),
        ("//other.example/", "https://other.example/"),
        ("javascript:void(0)", None),
        ("mailto:a@example.com", None),
        ("http://127.0.0.1/", None),
        ("http://[::1/", None),
    ],
)
def test_links_lead_where_browsers_would_go_or_nowhere(reference: str, target: str | None) -> None:
    joined = WebUrl.parse("https://example.com/docs/a").join(reference)

    assert (None if joined is None else str(joined)) == target


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://example.com/", "example.com/(index)"),
        ("https://example.com/docs", "example.com/docs"),
        ("https://example.com/docs/", "example.com/docs/(index)"),
        ("http://example.com/docs", "http:example.com/docs"),
        ("https://example.com/file.pdf", "example.com/file.pdf"),
        ("https://example.com/caf%C3%A9?q=%C3%A4%2F", "example.com/café?q=ä%2F"),
        ("https://example.com/%FF%00%C2%85", "example.com/%FF%00%C2%85"),
    ],
)
def test_names_are_as_readable_as_they_can_be(text: str, name: str) -> None:
    assert document_name(WebUrl.parse(text)) == name


def test_each_url_has_a_name_of_its_own() -> None:
    long = "https://example.com/" + "a" * 1500
    texts = [
        *("https://example.com/", "http://example.com/", "https://example.com/(index)", "https://example.com/a"),
        *("https://example.com/a/", "https://example.com/a/(index)", "https://example.com/a?", long, long + "b"),
        *(
            "https://example.com/a%2Fb",
            "https://example.com/a/b",
            "https://example.com/%C3%A4",
            "https://example.com/%E4",
        ),
    ]
    urls = {WebUrl.parse(text) for text in texts}
    names = {document_name(url) for url in urls}

    assert len(names) == len(urls) == len(texts) - 1  # an empty query is none
    assert all(len(name.encode()) <= MAX_NAME_BYTES for name in names)
