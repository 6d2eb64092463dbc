"""A web site on loopback: pages with ETags, redirects, and whatever a hostile server may do."""

import hashlib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.background_server import in_background

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class SitePage:
    """What a path answers; `respond` does it in its own way."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    has_etag: bool = True
    respond: Respond | None = None


@dataclass
class Site:
    """Pages by path; `requests` are the paths that were asked for and the headers that came along."""

    port: int = 0
    pages: dict[str, SitePage] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    generate: Callable[[str], SitePage | None] | None = None

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.authority}{path}"

    def html(self, path: str, text: str, *links: str, head: str = "", **options: Any) -> None:
        """Put a page there that links to others."""
        anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
        body = f"<html><head><title>{path}</title>{head}</head><body><p>{text}</p><ul>{anchors}</ul></body></html>"
        self.pages[path] = SitePage(body.encode(), **options)

    def redirect(self, path: str, target: str, status: int = 301) -> None:
        self.pages[path] = SitePage(status=status, headers={"Location": target}, content_type=None)

    def sitemap(self, path: str, *urls: str, kind: str = "url") -> None:
        outer = "urlset" if kind == "url" else "sitemapindex"
        entries = "".join(f"<{kind}><loc>{url}</loc></{kind}>" for url in urls)
        body = f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{outer}>'
        self.pages[path] = SitePage(body.encode(), content_type="application/xml")

    def robots(self, text: str, **options: Any) -> None:
        self.pages["/robots.txt"] = SitePage(text.encode(), content_type="text/plain", **options)

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == path for asked, _ in self.requests)


@contextmanager
def running_site(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve a site for the length of the block."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A client may leave in the middle of an answer that it has had enough of, or refuse the certificate.
            with suppress(ConnectionError, ssl.SSLError):
                super().handle()

        def do_GET(self) -> None:
            site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = site.pages.get(self.path) or (site.generate(self.path) if site.generate else None)
            _answer(self, page or SitePage(b"not here", status=404))

        def log_message(self, *_: Any) -> None:
            return None

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        site.port = server.server_port
        yield site


def _answer(handler: BaseHTTPRequestHandler, page: SitePage) -> None:
    if page.respond is not None:
        handler.close_connection = True
        page.respond(handler)
        return
    etag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
    unchanged = page.has_etag and page.status == 200 and handler.headers.get("If-None-Match") == etag
    body = b"" if unchanged else page.body
    handler.send_response(304 if unchanged else page.status)
    if page.content_type:
        handler.send_header("Content-Type", page.content_type)
    if page.has_etag and page.status == 200:
        handler.send_header("ETag", etag)
    for name, value in page.headers.items():
        handler.send_header(name, value)
    if not unchanged:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
