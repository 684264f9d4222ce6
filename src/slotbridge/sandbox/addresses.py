"""Which addresses are this machine's own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(address: str) -> bool:
    """Whether an address or name, without a port, is loopback."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def stays_here(url: str) -> bool:
    """Whether a request to this plain http address would not leave the machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def origin(host: str) -> str:
    """The address of a host header: plain http on this machine, https anywhere else."""
    url = f"http://{host}"
    return url if stays_here(url) else f"https://{host}"
