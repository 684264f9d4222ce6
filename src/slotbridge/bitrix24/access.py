"""The ways into a portal: by an incoming webhook, or as an OAuth application (`oauth`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Words:
    """How messages speak of a way in.

    `setting` is the key that holds the portal's address, `anew` what to do when the portal no longer accepts us,
    `permissions` how to grant one more, to which its name is appended, `moved` what to do when the portal was renamed.
    """

    name: str
    setting: str
    anew: str
    permissions: str
    moved: str


class Access(Protocol):
    """What a request to the portal needs besides its method and parameters."""

    @property
    def words(self) -> Words:
        """For messages."""

    @property
    def base(self) -> str:
        """The address that method names are appended to. It may be a secret itself, and is no text for a message."""

    @property
    def secrets(self) -> Collection[str]:
        """What must be masked wherever a text of the server's is quoted."""

    async def parameters(self) -> Mapping[str, str]:
        """What is sent along in the body. Raises AccessRefused when there is nothing that would let us in."""

    async def renew(self, used: Mapping[str, str], *, expired: bool) -> bool:
        """Whether there are other parameters now than those `used`, which the portal called expired, or invalid."""

    def granted_anew(self) -> bool:
        """Whether somebody has let us in anew since; the next request goes by that. Asks nobody."""

    async def aclose(self) -> None:
        """Closes what this way in keeps open for itself."""


_PLACE = "(Developer resources, Integrations)"

WEBHOOK_WORDS = Words(
    name="the webhook",
    setting="bitrix24.webhook_url",
    anew=f"Create the inbound webhook {_PLACE} anew in the portal, and put its address into bitrix24.webhook_url",
    permissions=f"Open the inbound webhook {_PLACE} in the portal, and add to its permissions:",
    moved="If the portal was renamed, write its new address into bitrix24.webhook_url",
)


class WebhookAccess:
    """An incoming webhook. Its code, the last part of the address, is the secret; there is nothing to renew."""

    words = WEBHOOK_WORDS

    def __init__(self, url: str) -> None:
        self.base = url.rstrip("/") + "/"
        self.secrets = (url.rstrip("/").rpartition("/")[2],)

    async def parameters(self) -> Mapping[str, str]:
        return {}

    async def renew(self, used: Mapping[str, str], *, expired: bool) -> bool:
        return False

    def granted_anew(self) -> bool:
        return False

    async def aclose(self) -> None:
        """It keeps nothing open."""
