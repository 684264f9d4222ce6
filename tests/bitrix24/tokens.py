"""A token server, a portal behind it and a keeper, for tests: each has its own small memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import httpx

from slotbridge.bitrix24.gateway import Gateway
from slotbridge.bitrix24.oauth import OAuthAccess
from slotbridge.bitrix24.token_server import Application, TokenServer
from slotbridge.http.limiter import Limiter
from slotbridge.http.tokens import TokenPair
from slotbridge.http.transport import Transport
from tests.http.clock import FakeClock

CLIENT, CLIENT_SECRET = "local.1", "v3ryS3cr3t"
CODE = "c0deOfTheUser"
PORTAL = "https://example.bitrix24.com"
TOKEN_URL = "https://oauth.example/oauth/token"


class MemoryKeeper:
    """Keeps what two processes would share. `broken` fails the next saving."""

    def __init__(self) -> None:
        self.pairs: dict[str, TokenPair] = {}
        self.broken: Exception | None = None

    def load(self, client_id: str) -> TokenPair | None:
        return self.pairs.get(client_id)

    def save(self, client_id: str, pair: TokenPair) -> None:
        if self.broken:
            raise self.broken
        self.pairs[client_id] = pair

    async def keep(self, client_id: str, pair: TokenPair) -> None:
        self.save(client_id, pair)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        yield


class Cloud:
    """The vendor: refresh tokens are good once, and only the newest access token is.

    `script` holds what the token server does next instead of its duty: answers, after which nothing was used up, or
    errors, after which the old token is used up if `lossy`.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.keeper = MemoryKeeper()
        self.number = 0
        self.expired = False
        self.refusal = "expired_token"
        self.lossy = False
        self.delay = 0.0
        self.reached = asyncio.Event()
        self.renamed = PORTAL
        self.script: list[httpx.Response | Exception] = []
        self.asked: list[httpx.URL] = []
        self.calls: list[str | None] = []
        self.hosts: list[str] = []
        self.access = self.another_access()
        self.gateway = self.another_gateway(self.access)

    @property
    def pair(self) -> tuple[str, str]:
        return f"acc3ss{self.number}x", f"r3fr3sh{self.number}x"

    def another_access(self) -> OAuthAccess:
        """What another process has: the same database, nothing in hand."""
        application = Application(CLIENT, CLIENT_SECRET, PORTAL, TOKEN_URL)
        transport = Transport(
            "bitrix24", Limiter(5, 50, self.clock), self.clock, handler=httpx.MockTransport(self.give_tokens)
        )
        server = TokenServer(application, transport, clock=self.clock, random=Random(1))
        return OAuthAccess(application, server, self.keeper)

    def another_gateway(self, access: OAuthAccess) -> Gateway:
        limiter = Limiter(5, 50, self.clock)
        transport = Transport("bitrix24", limiter, self.clock, handler=httpx.MockTransport(self.answer))
        return Gateway(access, transport, clock=self.clock, random=Random(1))

    def granted(self) -> None:
        """Somebody has run `slotbridge auth`."""
        self.number += 1
        self.keeper.pairs[CLIENT] = TokenPair(*self.pair, self.clock.now(), f"{PORTAL}/rest/", "member")

    def tokens(self) -> dict[str, object]:
        access, refresh = self.pair
        endpoint = f"{self.renamed}/rest/"
        return {"access_token": access, "refresh_token": refresh, "expires_in": 3600, "client_endpoint": endpoint}

    async def give_tokens(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        self.reached.set()
        await asyncio.sleep(self.delay)
        self.asked.append(request.url)
        planned = self.script.pop(0) if self.script else None
        if isinstance(planned, httpx.Response):
            return planned
        sent = request.url.params
        if (sent["client_id"], sent["client_secret"]) != (CLIENT, CLIENT_SECRET):
            return httpx.Response(400, json={"error": "invalid_client"})
        if sent.get("refresh_token", self.pair[1]) != self.pair[1] or sent.get("code", CODE) != CODE:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": f"bad {sent}"})
        if not isinstance(planned, Exception) or self.lossy:
            self.number += 1
            self.expired = False
        if planned:
            raise planned
        return httpx.Response(200, json=self.tokens())

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert "auth" not in request.url.params
        body = json.loads(request.content)
        self.calls.append(body.get("auth"))
        self.hosts.append(str(request.url.host))
        if self.expired or body.get("auth") != self.pair[0]:
            description = f"token {body.get('auth')} of {self.pair}"
            return httpx.Response(401, json={"error": self.refusal, "error_description": description})
        return httpx.Response(200, json={"result": {key: body[key] for key in body if key != "auth"}})
