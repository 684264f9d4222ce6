"""The portal's one local application: its codes and tokens, and how long they are good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slotbridge.clock import Clock

CLIENT_ID = "local.sandbox"
CLIENT_SECRET = "sandboxclientsecret"  # noqa: S105 - the sandbox's, known to everybody
_CODE_LIFE = timedelta(seconds=30)
_REFRESH_LIFE = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair as it was issued. `expires` is the end of the access token."""

    access: str
    refresh: str
    expires: datetime


class Application:
    """What the portal and the token server have given to the application.

    Codes and refresh tokens are good for one use each.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued = 0
        self._codes: dict[str, datetime] = {}
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, tuple[Tokens, datetime]] = {}

    def authorize(self) -> str:
        """A code, as a person's consent yields it; good for 30 seconds."""
        code = self._text("code")
        self._codes[code] = self._clock.now() + _CODE_LIFE
        return code

    def exchange(self, code: str, seconds: float) -> Tokens | None:
        """The first pair for a code, its access token good for so many seconds; None if the code is not good."""
        expires = self._codes.pop(code, None)
        return self.issue(seconds) if expires is not None and self._clock.now() < expires else None

    def refresh(self, token: str, seconds: float, *, keep_old: bool = False) -> Tokens | None:
        """The next pair for a refresh token; None if it is not good. The old pair dies unless it is to be kept."""
        old, expires = self._refresh.get(token, (None, self._clock.now()))
        if old is None or self._clock.now() >= expires:
            return None
        if not keep_old:
            del self._refresh[token]
            self._access.pop(old.access, None)
        return self.issue(seconds)

    def issue(self, seconds: float) -> Tokens:
        """A new pair."""
        now = self._clock.now()
        tokens = Tokens(self._text("access"), self._text("refresh"), now + timedelta(seconds=seconds))
        self._access[tokens.access] = tokens.expires
        self._refresh[tokens.refresh] = tokens, now + _REFRESH_LIFE
        return tokens

    def knows(self, access: str) -> bool:
        """Whether the access token was issued and has not been replaced; it may have expired."""
        return access in self._access

    def is_expired(self, access: str) -> bool:
        return self._clock.now() >= self._access[access]

    def _text(self, kind: str) -> str:
        self._issued += 1
        return f"sandbox{kind}{self._issued:016d}"
