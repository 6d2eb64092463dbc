"""URLs as ChatSphere writes them: one spelling for one page, and none that hides where it leads."""

import re
from collections.abc import Set
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit

from chatsphere.errors import UrlNotAllowedError
from chatsphere.knowledge.web.addresses import is_public

MAX_URL: Final = 2000
PORTS: Final = {"http": 80, "https": 443}

_NOT_IN_URLS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT: Final = "!$&'()*+,;=:@/%-._~"
_OWN_NETWORK: Final = frozenset({"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp"})
"""Last labels of names that no public host has."""


@dataclass(frozen=True, slots=True)
class WebUrl:
    """A checked and normalised address of http or https: no user, no fragment, no default port; all of it ASCII."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""

    @classmethod
    def parse(cls, text: str, private_hosts: Set[str] = frozenset()) -> Self:
        """Read a URL. `private_hosts` are `host:port` that may be asked although nobody else's network has them.

        Raises:
            UrlNotAllowedError: it is none, or leads where nothing may be fetched, as far as its text shows.
        """
        if not text or len(text) > MAX_URL or _NOT_IN_URLS.search(text):
            raise UrlNotAllowedError("The URL is empty, too long, or holds a character that no URL has.")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise UrlNotAllowedError("The text is not a URL.") from None
        scheme = parts.scheme.lower()
        if scheme not in PORTS or not text[len(scheme) :].startswith("://"):
            raise UrlNotAllowedError("Only http:// and https:// URLs can be read.")
        if "@" in parts.netloc:
            raise UrlNotAllowedError("A URL with a user name or a password is not read.")
        host = _host(parts.hostname or "")
        made = cls(scheme, host, PORTS[scheme] if port is None else port, _target(parts.path, parts.query))
        if made.authority not in private_hosts:
            made._check()
        if len(str(made)) > MAX_URL:
            raise UrlNotAllowedError(f"The URL is longer than {MAX_URL} characters.")
        return made

    def join(self, reference: str, private_hosts: Set[str] = frozenset()) -> Self | None:
        """Return what a link on this page leads to, or None where that cannot be fetched."""
        reference = reference.strip(" \t\r\n\f").translate({ord(c): None for c in "\t\r\n"}).replace(" ", "%20")
        try:
            return type(self).parse(urljoin(str(self), reference), private_hosts)
        except (UrlNotAllowedError, ValueError):
            return None

    @property
    def authority(self) -> str:
        """Host and port, always both."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what robots.txt and the rate of requests are for."""
        return f"{self.scheme}://{self._location}"

    def is_near(self, other: "WebUrl") -> bool:
        """Return whether both are of one host; that one of them is http and the other https makes no difference."""
        usual = all(url.port == PORTS[url.scheme] for url in (self, other))
        return self.host == other.host and (usual or self.origin == other.origin)

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host, where it is an IP address."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def _location(self) -> str:
        bare = _bracketed(self.host)
        return bare if self.port == PORTS[self.scheme] else f"{bare}:{self.port}"

    def _check(self) -> None:
        if self.port not in PORTS.values():
            raise UrlNotAllowedError("Only the ports 80 and 443 are read.")
        if self.address is not None:
            if not is_public(self.address):
                raise UrlNotAllowedError("The URL's address is not a public one.")
        elif "." not in self.host or self.host.rpartition(".")[2] in _OWN_NETWORK:
            raise UrlNotAllowedError("The URL's host is not a public one.")

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host(text: str) -> str:
    """Return the host in lower case ASCII.

    Other spellings of IPv4 addresses are refused: each resolver understands them in its own way.
    """
    if ":" in text:
        return _ipv6(text)
    host = (text if text.isascii() else _ascii(text)).lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlNotAllowedError("The URL's host is not valid.")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise UrlNotAllowedError("The URL's host is not valid.") from None
    return host


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise UrlNotAllowedError("The URL's host is not valid.") from None
    if address.scope_id is not None:
        raise UrlNotAllowedError("The URL's host is not valid.")
    return str(address)


def _ascii(text: str) -> str:
    # For hosts that are not ASCII alone: IDNA 2008 without mapping, which takes no look-alikes of digits and dots.
    import idna

    try:
        return idna.encode(text.lower(), strict=True).decode()
    except UnicodeError:
        raise UrlNotAllowedError("The URL's host is not valid.") from None


def _target(path: str, query: str) -> str:
    return _without_dots(_escaped(path)) + (f"?{_escaped(query, keep='?')}" if query else "")


def _escaped(text: str, keep: str = "") -> str:
    """Write escapes in one way: only where they are needed, in capitals."""
    plain = _ESCAPE.sub(_unescaped_if_unreserved, text)
    plain = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", plain)
    return quote(plain, safe=_KEPT + keep)


def _unescaped_if_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """Resolve `.` and `..` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:] if path else [""]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
