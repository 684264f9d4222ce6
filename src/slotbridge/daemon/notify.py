"""Telling systemd how we are: one datagram to the socket that it names (sd_notify(3)). Elsewhere there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Whoever started us, if it wants to be told.

    `watchdog` are the seconds within which it wants a sign of life, None where it does not.
    """

    def __init__(self, environ: Mapping[str, str], pid: int | None = None) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        meant = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid() if pid is None else pid))
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog: float | None = int(usec) / 1e6 if usec.isdecimal() and int(usec) and meant else None
        self._told = ""

    def ready(self) -> None:
        """The service has started."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def sign_of_life(self) -> None:
        """The watchdog need not bite."""
        if self.watchdog is not None:
            self._send("WATCHDOG=1")

    def status(self, words: str) -> None:
        """One line for `systemctl status`, sent when it has changed."""
        if words != self._told:
            self._told = words
            self._send(f"STATUS={words}")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # A supervisor that went away is no reason to stop working, and a full socket none to wait.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
            line.sendto(state.encode(), self._address)
