"""`auth`: lets a portal grant access to the configured application, once. It works next to a running daemon."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs

from rich.text import Text

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.bitrix24.answers import host_of
from slotbridge.bitrix24.token_server import Application
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.auth import (
    Granted,
    granted_json,
    granted_lines,
    question_lines,
    unneeded_json,
    unneeded_lines,
    waiting_json,
    waiting_lines,
)
from slotbridge.errors import ConfigurationError
from slotbridge.http.tokens import TokenPair
from slotbridge.settings import Settings
from slotbridge.store.tokens import Tokens
from slotbridge.sync.access import application_access, application_of, transport_to


def authorize(invocation: Invocation, given: str | None) -> int:
    """Exchanges a code for tokens, stores them and tries them; without a code says where to get one, or asks for it.

    Returns 1 if the application lacks a permission. Raises SlotbridgeError when the portal does not grant access.
    """
    settings = invocation.settings()
    oauth = settings.bitrix24.oauth
    if oauth is None:
        return _told(invocation, unneeded_json(), unneeded_lines())
    tokens = Tokens(settings.store.url, invocation.clock)
    tokens.prepare()  # a code lives too short to find out afterwards
    application = application_of(oauth)
    if given is None:
        before, counsel = tokens.load(application.client_id), invocation.counsel()
        given = _asked(invocation, application, before)
    if given is None:
        waiting = waiting_lines(application, before, counsel)
        return _told(invocation, waiting_json(application, before, counsel), waiting)
    granted = asyncio.run(_authorize(invocation, settings, application, code_in(given, application)))
    _told(invocation, granted_json(granted), granted_lines(granted))
    return 1 if granted.missing else 0


async def _authorize(invocation: Invocation, settings: Settings, application: Application, code: str) -> Granted:
    clock, random = invocation.clock, invocation.random
    transport = transport_to(application.portal, settings.bitrix24.limits, clock)
    async with (
        aclosing(application_access(settings, clock=clock, random=random)) as access,
        aclosing(transport),
    ):
        invocation.hide_those_of(access)
        client = Bitrix24Client(access, transport, clock=clock, random=random)
        pair = await access.authorize(code)
        return Granted(host_of(pair.endpoint), await client.scopes(), pair.expires_at)


def _asked(invocation: Invocation, application: Application, before: TokenPair | None) -> str | None:
    """What a person pastes; None where there is no person."""
    if invocation.as_json or not (sys.stdin.isatty() and invocation.stdout.isatty()):
        return None
    invocation.say(question_lines(application, before))
    return sys.stdin.readline()


def code_in(given: str, application: Application) -> str:
    """The code in what a person gave: itself, or the address that the browser was sent to.

    Raises ConfigurationError if there is none, or the address is one of another portal.
    """
    text = given.strip()
    query = parse_qs(text.partition("?")[2].partition("#")[0] or text)
    wanted = host_of(application.portal)
    granted = host_of(f"//{query['domain'][0]}") if "domain" in query else wanted
    if granted != wanted:
        hint = "Grant access in the portal that the configuration names, or change bitrix24.oauth.portal"
        raise ConfigurationError(f"the code is one of {granted}, and the configuration names {wanted}", hint=hint)
    code = query.get("code", ["" if "?" in text else text])[0]
    if not code.isascii() or not code.isprintable() or not code or " " in code:
        hint = f"Open {application.address}, and give the value of `code` in the address that the browser is sent to"
        raise ConfigurationError("there is no code in what was given", hint=hint)
    return code


def _told(invocation: Invocation, document: Mapping[str, Any], lines: Iterable[Text]) -> int:
    if invocation.as_json:
        invocation.emit(document)
    else:
        invocation.say(lines)
    return 0
