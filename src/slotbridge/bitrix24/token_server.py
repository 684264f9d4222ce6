"""The server that gives applications their tokens: a code for the first pair, a pair for the next one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NoReturn
from urllib.parse import urlencode

from slotbridge.bitrix24.access import Words
from slotbridge.bitrix24.answers import host_of, parsed
from slotbridge.bitrix24.codes import EXCHANGE, REFRESH, error_for, is_known
from slotbridge.clock import Clock
from slotbridge.errors import AccessRefused, ApiError, NotSent, OutcomeUnknown
from slotbridge.http.redact import excerpt
from slotbridge.http.retry import retried
from slotbridge.http.tokens import TokenPair
from slotbridge.http.transport import Response, Transport
from slotbridge.secrecy import hide
from slotbridge.settings.kinds import address_parts

LIFETIME = 3600.0
"""Seconds that an access token lives, according to the API documentation, should an answer not say."""

ITEM = "the tokens"

APPLICATION_WORDS = Words(
    name="the application",
    setting="bitrix24.oauth.portal",
    anew="Run `slotbridge auth`, and let the portal grant access to the application again",
    permissions="Open the application (Developer resources) in the portal, save it with one more of the application's "
    "permissions, and run `slotbridge auth`. It is:",
    moved="If the portal was renamed, write its new address into bitrix24.oauth.portal, and run `slotbridge auth`",
)


@dataclass(frozen=True, slots=True)
class Application:
    """An OAuth application as the configuration names it. No repr shows its secret."""

    client_id: str
    client_secret: str
    portal: str
    token_url: str

    @property
    def address(self) -> str:
        """Where a person grants access to it; the browser is sent on to an address with a code in it."""
        return f"{self.portal.rstrip('/')}/oauth/authorize/?{urlencode({'client_id': self.client_id})}"

    @property
    def endpoint(self) -> str:
        """Where the portal's methods are, as far as the configuration knows."""
        return f"{self.portal.rstrip('/')}/rest/"

    def __repr__(self) -> str:
        return f"Application({self.client_id!r})"


class TokenServer:
    """Asks for tokens. What it sends stands in the address, as the API documentation has it, and nowhere else."""

    def __init__(self, application: Application, transport: Transport, *, clock: Clock, random: Random) -> None:
        self._application = application
        self._transport = transport
        self._clock = clock
        self._random = random

    async def exchange(self, code: str) -> TokenPair:
        """The first pair, for a code. Raises ApiError; a code can be used only once, also if the answer is lost."""

        async def attempt() -> TokenPair:
            return await self._ask(EXCHANGE, {"grant_type": "authorization_code", "code": code}, None)

        try:
            return await retried(attempt, clock=self._clock, repeatable=False, random=self._random)
        except OutcomeUnknown as error:
            lost = error
        raise _lost(lost, "Open the address again for another code")

    async def refresh(self, pair: TokenPair) -> TokenPair:
        """The next pair. Raises AccessRefused when only a person can help, NotSent when nothing was used up.

        An answer that was lost is asked for once more: the old pair may still be good. If it is not, we are locked out.
        """

        async def attempt() -> TokenPair:
            parameters = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token}
            return await self._ask(REFRESH, parameters, pair)

        try:
            return await retried(attempt, clock=self._clock, repeatable=True, attempts=2, random=self._random)
        except OutcomeUnknown as error:
            lost = error
        # The portal has refused the old token and there is no new one: nothing was asked of it.
        hint = "If it stays so, run `slotbridge auth`"
        raise NotSent(lost.what, side="bitrix24", item=ITEM, hint=hint, status=lost.status)

    async def aclose(self) -> None:
        """Closes the connection."""
        await self._transport.aclose()

    async def _ask(self, method: str, parameters: Mapping[str, str], old: TokenPair | None) -> TokenPair:
        us = {"client_id": self._application.client_id, "client_secret": self._application.client_secret}
        url = self._application.token_url.rstrip("/") + "/"
        answer = await self._transport.send("GET", url, item=ITEM, params={**us, **parameters})
        secrets = [us["client_secret"], *(value for name, value in parameters.items() if name != "grant_type")]
        secrets += [old.access_token] if old else []
        if 300 <= answer.status < 400:
            _moved(answer, secrets)
        fields = parsed(answer.body.decode("utf-8", "replace"))
        if isinstance(fields, dict) and isinstance(code := fields.get("error"), str) and code:
            raise _refusal(code, fields.get("error_description"), method, answer.status, secrets)
        pair = self._pair(fields, old) if isinstance(fields, dict) else None
        if pair is None:
            hint = "Check bitrix24.oauth.token_url"
            what = "the token server's answer has no tokens"
            raise OutcomeUnknown(what, side="bitrix24", item=ITEM, hint=hint, status=answer.status)
        return pair

    def _pair(self, fields: Mapping[str, object], old: TokenPair | None) -> TokenPair | None:
        access = _plain(fields.get("access_token"))
        refresh = _plain(fields.get("refresh_token") or (old and old.refresh_token))
        if access is None or refresh is None:
            return None
        known = old.endpoint if old else self._application.endpoint
        return TokenPair(
            access_token=access,
            refresh_token=refresh,
            expires_at=_expiry(fields.get("expires_in"), self._clock.now()),
            endpoint=_endpoint(fields.get("client_endpoint")) or known,
            member_id=_plain(fields.get("member_id")) or (old.member_id if old else None),
        )


def _plain(value: object) -> str | None:
    """A text of visible ASCII: anything else can neither be sent nor stored, or is no token."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]+", value) else None


def _expiry(seconds: object, now: datetime) -> datetime:
    try:
        return now + timedelta(seconds=float(str(seconds)))
    except (ValueError, OverflowError):
        return now + timedelta(seconds=LIFETIME)


def _endpoint(address: object) -> str | None:
    """The portal's address as the token server has it, if tokens may be sent there: it follows a renamed portal."""
    known = _plain(address)
    try:
        path = address_parts(known or "", "no address").path.rstrip("/")
    except ValueError:
        return None
    return known.rstrip("/") + "/" if known and path.endswith("/rest") else None


def _refusal(code: str, description: object, method: str, status: int, secrets: list[str]) -> ApiError:
    known, said = is_known(code, method), excerpt(hide(str(description or ""), secrets))
    shown = code if known else excerpt(hide(code, secrets))
    return error_for(shown, said, item=ITEM, write=False, status=status, method=method, words=APPLICATION_WORDS)


def _moved(answer: Response, secrets: list[str]) -> NoReturn:
    host = excerpt(hide(host_of(answer.headers.get("location", "")), secrets))
    hint = "Write the token server's address into bitrix24.oauth.token_url"
    what = f"the token server sends us on to {host}"
    raise ApiError(what, side="bitrix24", item=ITEM, hint=hint, status=answer.status)


def _lost(error: OutcomeUnknown, hint: str) -> AccessRefused:
    return AccessRefused(error.what, side="bitrix24", item=ITEM, hint=hint, status=error.status)
