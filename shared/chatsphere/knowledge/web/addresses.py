"""Which IP addresses belong to the public internet: all others may be somebody's own network, this one's even."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

PUBLIC_IPV6: Final = IPv6Network("2000::/3")
"""Global unicast: whatever else there is in IPv6 (loopback, mapped and translated IPv4, unique local, link-local,
site-local, multicast) lies outside."""

SPECIAL: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, at an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""IANA's special-purpose IPv4 blocks."""

SPECIAL_IPV6: Final = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
"""IANA's special-purpose blocks inside global unicast."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether the address is global unicast, written as itself and not inside of another one's."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in SPECIAL)
    if address.scope_id is not None or address not in PUBLIC_IPV6:
        return False
    return not any(address in block for block in SPECIAL_IPV6)
