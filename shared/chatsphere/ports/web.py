"""Other people's servers: pages that are fetched, and receivers of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a web server answered. `body` is unpacked, and empty unless the status is 2xx.

    `location`, `etag`, `last_modified` and `retry_after` are headers as they were sent, None where they were not;
    `robots` are the rules of `X-Robots-Tag`.
    """

    status: int
    content_type: str | None = None
    body: bytes = b""
    location: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_after: str | None = None
    robots: str = ""


class PageFetcher(Protocol):
    """Asks web servers that somebody else named, and reaches none that is not on the public internet."""

    def fetch(
        self, url: str, *, seconds: float, etag: str | None = None, last_modified: str | None = None
    ) -> WebAnswer:
        """Make one GET request, in `seconds` at most, without cookies or credentials; no redirect is followed.

        With `etag` or `last_modified`, of an earlier answer, it may be answered with 304.

        Raises:
            UrlNotAllowedError: the URL, or an address that its name leads to, is none that may be asked.
            UrlUnreachableError: no answer, or none that can be read.
            UrlTooLargeError: the body is larger than allowed.
        """
        ...


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What a web server answered to a POST; `excerpt` is the beginning of its body: bytes that nobody vouches for."""

    status: int
    excerpt: bytes = b""


class WebPoster(Protocol):
    """Sends to web servers that somebody else named, and reaches none that is not on the public internet."""

    def check(self, url: str) -> str:
        """Return the URL as it is used, if it may be sent to: https, or http where a private host is permitted.

        A host that is unknown at present is no error: it may become known.

        Raises:
            UrlNotAllowedError: it may not.
        """
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, excerpt_bytes: int
    ) -> PostAnswer:
        """Make one POST request, in `seconds` at most with its answer; no redirect is followed.

        Raises:
            UrlNotAllowedError: the URL, or an address that its name leads to, is none that may be asked.
            UrlTimedOutError: no answer in time, or not the beginning of its body.
            UrlUntrustedError: the host does not prove who it is.
            UrlUnreachableError: no answer, or none that can be read.
        """
        ...
