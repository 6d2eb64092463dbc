"""The adapter that asks web servers: where it goes, where it does not, and when it stops."""

import gzip
import socket
import ssl
import zlib
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from chatsphere.adapters.upstream.connection import Watchdog
from chatsphere.adapters.web import WebPages, exchange
from chatsphere.errors import UrlNotAllowedError, UrlTooLargeError, UrlUnreachableError
from chatsphere.knowledge.web.addresses import is_public
from chatsphere.settings import WebSettings
from tests.builders.self_signed import self_signed
from tests.loopback.web_site import Site, SitePage, running_site

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.255"),
    *("168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1"),
    *("2001::1", "2001:db8::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "fe80::1%1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111"]


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def site(served: Site) -> Site:
    served.pages.clear()
    served.requests.clear()
    return served


def fetcher(site: Site, **settings: Any) -> WebPages:
    return WebPages(WebSettings(web_private_hosts=site.authority, **settings))


def resolving(*addresses: str, settings: WebSettings | None = None) -> WebPages:
    def resolve(_: str) -> Sequence[str]:
        return addresses

    return WebPages(settings or WebSettings(web_connect_seconds=0.2), resolve=resolve)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_addresses_that_are_not_of_the_public_internet_are_refused(text: str) -> None:
    assert not is_public(ip_address(text))
    with pytest.raises(UrlNotAllowedError):
        resolving(text).fetch("http://example.com/", seconds=1)


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_public_internet_are_not(text: str) -> None:
    assert is_public(ip_address(text))


def test_one_bad_address_spoils_all() -> None:
    with pytest.raises(UrlNotAllowedError):
        resolving("93.184.216.34", "169.254.169.254").fetch("http://example.com/", seconds=1)


def test_a_name_is_looked_up_once_and_what_was_checked_is_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connected: list[Any] = []

    def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: Any, timeout: float) -> socket.socket:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(UrlUnreachableError):
        WebPages(WebSettings(), resolve=rebinding).fetch("http://example.com/", seconds=1)

    assert (asked, connected) == (["example.com"], [("93.184.216.34", 80)])


def test_a_private_host_is_asked_where_it_is_named(site: Site) -> None:
    site.pages["/"] = SitePage(b"inside")
    named = WebSettings(web_private_hosts=f"intranet.example:{site.port}, other:1")

    answer = resolving("127.0.0.1", settings=named).fetch(f"http://intranet.example:{site.port}/", seconds=5)

    assert answer.body == b"inside"
    assert site.requests[0][1]["host"] == f"intranet.example:{site.port}"
    with pytest.raises(UrlNotAllowedError):
        resolving("127.0.0.1").fetch("http://intranet.example/", seconds=1)


def test_a_name_that_nobody_knows() -> None:
    def nobody(_: str) -> Sequence[str]:
        raise socket.gaierror

    for resolve in (nobody, lambda _: ["not an address"], lambda _: []):
        with pytest.raises(UrlUnreachableError):
            WebPages(WebSettings(), resolve=resolve).fetch("http://example.com/", seconds=1)


def test_what_is_sent_and_what_comes_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    headers = {"Last-Modified": "Sat, 01 Aug 2026 00:00:00 GMT", "Set-Cookie": "a=b", "X-Robots-Tag": "noindex"}
    site.pages["/a?b=c"] = SitePage(b"text", headers=headers)
    pages = fetcher(site)

    answer = pages.fetch(site.url("/a?b=c"), seconds=5)
    again = pages.fetch(site.url("/a?b=c"), seconds=5, etag=answer.etag, last_modified=answer.last_modified)

    assert (answer.status, answer.body, answer.robots) == (200, b"text", "noindex")
    assert (again.status, again.body) == (304, b"")
    sent = site.requests[1][1]
    assert sent["user-agent"] == "ChatSphere"
    assert sent["if-modified-since"] == headers["Last-Modified"]
    assert not {"cookie", "authorization", "referer"} & sent.keys()


@pytest.mark.parametrize("value", ['"a\x00b"', '"' + "a" * 500 + '"', '"\xff"'])
def test_what_no_store_and_no_header_takes_counts_as_not_sent(site: Site, value: str) -> None:
    headers = {"ETag": value, "Last-Modified": value, "Content-Type": value}
    site.pages["/"] = SitePage(b"text", content_type=None, headers=headers, has_etag=False)

    answer = fetcher(site).fetch(site.url("/"), seconds=5)

    assert (answer.body, answer.etag, answer.last_modified, answer.content_type) == (b"text", None, None, None)


def test_a_connection_that_came_when_the_time_was_over_is_not_listened_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TooEarly(Watchdog):
        def __init__(self, seconds: float) -> None:
            super().__init__(seconds)
            self.stop()
            self.expire()

    site.pages["/"] = SitePage(b"a" * 10)
    monkeypatch.setattr(exchange, "Watchdog", TooEarly)

    with pytest.raises(UrlUnreachableError):
        fetcher(site, web_max_bytes=5).fetch(site.url("/"), seconds=5)


def test_redirects_are_told_and_not_followed(site: Site) -> None:
    site.redirect("/old", "http://169.254.169.254/ü".encode().decode("latin-1"))

    answer = fetcher(site).fetch(site.url("/old"), seconds=5)

    assert (answer.status, answer.location, answer.body) == (301, "http://169.254.169.254/ü", b"")
    assert site.asked("/old") == 1


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_packed_bodies_are_unpacked_within_bounds(site: Site, pack: Any) -> None:
    encoding = {"Content-Encoding": "gzip" if pack is gzip.compress else "deflate"}
    site.pages["/fits"] = SitePage(pack(b"a" * 1000), headers=encoding)
    site.pages["/bomb"] = SitePage(pack(b"a" * 10_000_000), headers=encoding)
    site.pages["/cut"] = SitePage(pack(b"a" * 1000)[:-5], headers=encoding)
    site.pages["/none"] = SitePage(b"not packed", headers=encoding)
    pages = fetcher(site, web_max_bytes=50_000)

    assert pages.fetch(site.url("/fits"), seconds=5).body == b"a" * 1000
    with pytest.raises(UrlTooLargeError):
        pages.fetch(site.url("/bomb"), seconds=5)
    for path in ("/cut", "/none"):
        with pytest.raises(UrlUnreachableError):
            pages.fetch(site.url(path), seconds=5)


def test_an_encoding_that_was_not_asked_for_is_not_read(site: Site) -> None:
    site.pages["/"] = SitePage(b"x", headers={"Content-Encoding": "gzip, gzip"})

    with pytest.raises(UrlUnreachableError):
        fetcher(site).fetch(site.url("/"), seconds=5)


def endless_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    with_errors_ignored(handler, lambda: handler.wfile.write(b"a" * 65_536), times=1000)


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    with_errors_ignored(handler, lambda: handler.wfile.write(b"X-A: " + b"b" * 1000 + b"\r\n"), times=100_000)


def with_errors_ignored(handler: BaseHTTPRequestHandler, write: Any, *, times: int) -> None:
    try:
        for _ in range(times):
            write()
    except OSError:
        handler.close_connection = True


def dripping(*parts: bytes) -> Any:
    """Send the parts, then a byte now and then for as long as anybody listens."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        for part in parts:
            handler.wfile.write(part)
        handler.connection.settimeout(0.05)
        try:
            while True:
                handler.wfile.write(b"1")
                try:
                    if not handler.connection.recv(1):
                        return
                except TimeoutError:
                    continue
        except OSError:
            return

    return respond


def test_a_body_without_an_end_is_cut_off(site: Site) -> None:
    site.pages["/"] = SitePage(respond=endless_body)
    site.pages["/declared"] = SitePage(b"a" * 60_000)

    for path in ("/", "/declared"):
        with pytest.raises(UrlTooLargeError):
            fetcher(site, web_max_bytes=50_000).fetch(site.url(path), seconds=5)


def test_headers_without_an_end_are_not_read(site: Site) -> None:
    site.pages["/"] = SitePage(respond=endless_headers)

    with pytest.raises(UrlUnreachableError):
        fetcher(site).fetch(site.url("/"), seconds=5)


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",),
        (),
    ],
    ids=["body", "header", "chunk size", "status line"],
)
def test_a_slow_drip_is_cut_off_in_time(site: Site, parts: tuple[bytes, ...]) -> None:
    site.pages["/"] = SitePage(respond=dripping(*parts))

    with pytest.raises(UrlUnreachableError):
        fetcher(site).fetch(site.url("/"), seconds=0.3)


@pytest.mark.parametrize("garbage", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100])
def test_what_does_not_speak_http_is_unreachable_and_not_quoted(site: Site, garbage: bytes) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(garbage)

    site.pages["/"] = SitePage(respond=respond)

    with pytest.raises(UrlUnreachableError) as raised:
        fetcher(site).fetch(site.url("/"), seconds=5)

    assert "SSH" not in raised.value.detail
    assert "127.0.0.1" not in raised.value.detail


def test_certificates_are_checked_for_the_name(tmp_path: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = self_signed("right.example", tmp_path)
    server.load_cert_chain(certificate)
    names: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: names.append(name)

    with running_site(tls=server) as site:
        site.pages["/"] = SitePage(b"secret")
        hosts = f"right.example:{site.port},wrong.example:{site.port}"
        pages = WebPages(
            WebSettings(web_private_hosts=hosts),
            resolve=lambda _: ["127.0.0.1"],
            tls=lambda: ssl.create_default_context(cafile=certificate),
        )
        assert pages.fetch(f"https://right.example:{site.port}/", seconds=5).body == b"secret"
        with pytest.raises(UrlUnreachableError):
            pages.fetch(f"https://wrong.example:{site.port}/", seconds=5)
        with pytest.raises(UrlUnreachableError):
            WebPages(WebSettings(web_private_hosts=hosts), resolve=lambda _: ["127.0.0.1"]).fetch(
                f"https://right.example:{site.port}/", seconds=5
            )

    assert names[:2] == ["right.example", "wrong.example"]
    assert len(site.requests) == 1
