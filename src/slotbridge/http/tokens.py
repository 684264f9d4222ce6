"""An OAuth application's tokens as data, for the client that uses them and the store that keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What lets an application in. Each refresh makes a new pair, and the old one is worth nothing then.

    `endpoint` is the address that method names are appended to, with a slash at its end. No repr shows the tokens.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    endpoint: str
    member_id: str | None = None
