"""The way in as an OAuth application: its token lives an hour, and is renewed when the portal calls it expired."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from slotbridge.bitrix24.answers import host_of
from slotbridge.bitrix24.token_server import APPLICATION_WORDS, Application, TokenServer
from slotbridge.errors import AccessRefused
from slotbridge.http.tokens import TokenPair

T = TypeVar("T")

log = structlog.get_logger("slotbridge.bitrix24")


class Keeper(Protocol):
    """Keeps the tokens of applications, for all processes that work on the same database."""

    def load(self, client_id: str) -> TokenPair | None:
        """The pair that was stored last; None if there is none."""

    def save(self, client_id: str, pair: TokenPair) -> None:
        """Stores a pair in place of the last one. When this returns, no power loss can undo it."""

    async def keep(self, client_id: str, pair: TokenPair) -> None:
        """Stores a pair alike which exists nowhere else, and does not give up at the first failure."""

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """As long as this lasts, no other process renews tokens."""


class Unsaved(NamedTuple):
    """A pair that could not be stored, and the refresh token that it came for: it replaces no other."""

    pair: TokenPair
    replaces: str

    def __repr__(self) -> str:
        return "Unsaved()"


class OAuthAccess:
    """One application in one portal. Nothing is renewed before the portal asks for it: the vendor threatens to block
    those who refresh on a schedule.
    """

    words = APPLICATION_WORDS

    def __init__(self, application: Application, server: TokenServer, keeper: Keeper) -> None:
        self._application = application
        self._server = server
        self._keeper = keeper
        self._pair: TokenPair | None = None
        self._before: TokenPair | None = None
        self._unsaved: Unsaved | None = None
        self._doubted: str | None = None
        self._renewing = asyncio.Lock()

    @property
    def base(self) -> str:
        return self._pair.endpoint if self._pair else self._application.endpoint

    @property
    def secrets(self) -> Collection[str]:
        # Those before, too: an answer to a call that was sent with them may still be on its way.
        pairs = [pair for pair in (self._pair, self._before, self._unsaved and self._unsaved.pair) if pair]
        return [
            self._application.client_secret,
            *(t for pair in pairs for t in (pair.access_token, pair.refresh_token)),
        ]

    async def parameters(self) -> Mapping[str, str]:
        """The token, for the body of a request. Raises AccessRefused if nobody has granted access yet."""
        if self._pair is None:
            self._pair = self._keeper.load(self._application.client_id)
        if self._pair is None:
            what = "nobody has granted access to the application yet"
            raise AccessRefused(what, side="bitrix24", hint="Run `slotbridge auth`")
        return {"auth": self._pair.access_token}

    async def renew(self, used: Mapping[str, str], *, expired: bool) -> bool:
        """Whether there is another token than the one used; if nobody has got one meanwhile, it is asked for here.

        A token that came of renewing one that was called invalid, and is called invalid itself, is not renewed again.
        Raises ApiError or StoreError when there should be a new token, and there is none.
        """
        async with self._renewing:
            token = used["auth"]
            if self._pair is not None and self._pair.access_token != token:
                return True
            if not expired and token == self._doubted:
                return False
            return await self._replace(token, expired=expired)

    def granted_anew(self) -> bool:
        """Whether another process has stored a pair since. True once for each: it is the one in use from then on.

        Raises StoreError.
        """
        if self._renewing.locked():
            return False
        stored = self._keeper.load(self._application.client_id)
        if stored is None or (self._pair is not None and stored.access_token == self._pair.access_token):
            return False
        self._use(stored)
        return True

    async def authorize(self, code: str) -> TokenPair:
        """Gets the first pair for a code, and stores it. Raises ApiError or StoreError."""
        async with self._renewing, self._keeper.exclusive():
            return await _to_its_end(self._first(code))

    async def aclose(self) -> None:
        """Closes the connection to the token server."""
        await self._server.aclose()

    async def _replace(self, token: str, *, expired: bool) -> bool:
        async with self._keeper.exclusive():
            stored = self._keeper.load(self._application.client_id) or self._pair
            if stored is None:
                return False
            if stored.access_token != token:
                self._use(stored)
                return True
            fresh = await _to_its_end(self._next(stored))
            self._doubted = None if expired else fresh.access_token
            return True

    async def _first(self, code: str) -> TokenPair:
        pair = await self._server.exchange(code)
        granted, wanted = host_of(pair.endpoint), host_of(self._application.portal)
        if granted != wanted:
            hint = f"If this is your portal, write https://{granted} into bitrix24.oauth.portal; then get another code"
            what = f"the code is one of {granted}, and the configuration names {wanted}"
            raise AccessRefused(what, side="bitrix24", hint=hint)
        return await self._keep(pair)

    async def _next(self, old: TokenPair) -> TokenPair:
        # Stored once more, so that a database that takes nothing is found out while the old pair is still good.
        self._keeper.save(self._application.client_id, old)
        if self._unsaved is None or self._unsaved.replaces != old.refresh_token:
            self._unsaved = Unsaved(await self._server.refresh(old), old.refresh_token)
        pair = await self._keep(self._unsaved.pair)
        self._unsaved = None
        if pair.endpoint != old.endpoint:
            log.warning("bitrix24.portal_moved", host=host_of(pair.endpoint))
        return pair

    async def _keep(self, pair: TokenPair) -> TokenPair:
        await self._keeper.keep(self._application.client_id, pair)
        self._use(pair)
        return pair

    def _use(self, pair: TokenPair) -> None:
        self._before, self._pair = self._pair, pair


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Awaits it, also when cancelled: a new pair that nobody stores is lost, and the old one is worth nothing then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
