"""What `auth` says: where to get a code, and what the portal granted for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from slotbridge.bitrix24.token_server import Application
from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.words import clean
from slotbridge.http.tokens import TokenPair

NEEDED = ("booking",)
"""Permissions without which nothing works; `crm` is for customers on the wait list alone."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the application may do in the portal. `expires_at` is when it renews its token for the first time.

    `scopes` is None where the portal does not tell.
    """

    portal: str
    scopes: Collection[str] | None
    expires_at: datetime

    @property
    def missing(self) -> list[str]:
        """The permissions that it needs and is known not to have."""
        return [scope for scope in NEEDED if self.scopes is not None and scope not in self.scopes]


def unneeded_lines() -> Iterator[Text]:
    yield Text("Nothing is needed: the configuration names a webhook, which carries its permissions in its address.")


def unneeded_json() -> dict[str, Any]:
    return {"version": 1, "status": "not needed"}


def question_lines(application: Application, before: TokenPair | None) -> Iterator[Text]:
    """For a person at a terminal, who answers on the line after these."""
    yield from _address_lines(application, before)
    yield Text("Paste that address, or the code alone, here at once; a code is good for 30 seconds:")


def waiting_lines(application: Application, before: TokenPair | None, counsel: Counsel) -> Iterator[Text]:
    """For whoever runs the next command."""
    yield from _address_lines(application, before)
    yield Text(f"Then run, within 30 seconds, with the value of `code` in that address: {_next(counsel)}")


def _address_lines(application: Application, before: TokenPair | None) -> Iterator[Text]:
    if before is not None:
        yield Text.assemble(("Access was granted before", "bold green"), "; nothing needs to be done while it lasts.")
        yield Text("To have it granted anew:")
    yield Text("Open this address in a browser, as a user who may use online booking, and grant access:")
    yield Text(f"  {application.address}", style="bold")
    yield Text("The browser is then sent on to an address with `code=…` in it, whether a page appears there or not.")


def waiting_json(application: Application, before: TokenPair | None, counsel: Counsel) -> dict[str, Any]:
    """Where access is granted; `status` says whether it was granted before."""
    status = "waiting" if before is None else "granted before"
    return {"version": 1, "status": status, "address": application.address, "next": _next(counsel)}


def _next(counsel: Counsel) -> str:
    return counsel.call("auth --code CODE")


def granted_lines(granted: Granted) -> Iterator[Text]:
    """The permissions, what is missing among them, and how long it lasts."""
    scopes = ", ".join(sorted(map(clean, granted.scopes or ()))) or "nothing"
    told = (
        ". The portal does not tell for what: `slotbridge doctor` tries it" if granted.scopes is None else f": {scopes}"
    )
    yield Text.assemble(("Access granted", "bold green"), f" by {clean(granted.portal)}{told}.")
    for scope in granted.missing:
        yield Text.assemble(("missing: ", "bold red"), scope)
        yield Text(f"Add {scope} to the application's permissions in the portal, and run `slotbridge auth` again.")
    yield Text(
        f"The token is good until {granted.expires_at:%Y-%m-%d %H:%M} UTC and renewed when it is needed. "
        "After 180 days without any run, access has to be granted again."
    )


def granted_json(granted: Granted) -> dict[str, Any]:
    return {
        "version": 1,
        "status": "granted",
        "portal": granted.portal,
        "scopes": None if granted.scopes is None else sorted(granted.scopes),
        "missing": granted.missing,
        "expires_at": granted.expires_at.isoformat(),
    }
