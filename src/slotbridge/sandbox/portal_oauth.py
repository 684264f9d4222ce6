"""`/oauth/authorize/` of the portal and `/oauth/token/` of the token server, under one address."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_application import CLIENT_ID, CLIENT_SECRET, Tokens
from slotbridge.sandbox.portal_binding import Refusal
from slotbridge.sandbox.portal_events import MEMBER_ID
from slotbridge.sandbox.portal_state import PortalState
from slotbridge.sandbox.wire import Answer, Call, json_answer

_TEXT = {"content-type": "text/plain; charset=utf-8"}
_SECRETS = {"authorization_code": "code", "refresh_token": "refresh_token"}


def oauth_answer(state: PortalState, call: Call) -> Answer:
    """Answers one request. Both addresses take their parameters from the query, as documented."""
    query = {name: php.to_text(value) for name, value in php.parse_query(call.query, 100).items()}
    match call.path.strip("/").lower():
        case "oauth/authorize":
            return _authorize(state, query)
        case "oauth/token":
            return _token(state, call.method, query)
        case _:
            return Answer(404, _TEXT, b"Not found")


def scopes(state: PortalState) -> list[str]:
    """What was granted, to the webhook and to the application alike."""
    granted = {"booking": state.behaviour.booking_scope, "crm": state.behaviour.crm_scope}
    return [name for name, given in granted.items() if given]


def _authorize(state: PortalState, query: Mapping[str, str]) -> Answer:
    """Opening the address stands for the person's consent. Without an address to return to, the code is shown."""
    if query.get("client_id") != CLIENT_ID:
        return Answer(400, _TEXT, b"The application is not installed")
    code = state.application.authorize()
    if "redirect_uri" not in query:
        return Answer(200, _TEXT, f"code: {code}\n".encode())
    given = {
        "code": code,
        "state": query.get("state", ""),
        "domain": state.host,
        "member_id": MEMBER_ID,
        "scope": ",".join(scopes(state)),
        "server_domain": state.host,
    }
    target = query["redirect_uri"]
    return Answer(302, {"location": f"{target}{'&' if '?' in target else '?'}{urlencode(given)}"}, b"")


def _token(state: PortalState, method: str, query: Mapping[str, str]) -> Answer:
    try:
        tokens = _tokens(state, method, query)
    except Refusal as refusal:
        return json_answer(refusal.status, refusal.body())
    return json_answer(200, _shown(state, tokens))


def _tokens(state: PortalState, method: str, query: Mapping[str, str]) -> Tokens:
    kind = query.get("grant_type", "")
    if method != "GET" or kind not in _SECRETS or not query.get(_SECRETS[kind]):
        raise Refusal("invalid_request", "An incorrectly formatted authorization request was provided")
    if query.get("client_id") != CLIENT_ID and state.behaviour.unknown_client == "wrong_client":
        raise Refusal("wrong_client", "Wrong client", 200)
    if (query.get("client_id"), query.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        raise Refusal("invalid_client", "Invalid client data was provided")
    given, life = query[_SECRETS[kind]], state.behaviour.token_seconds
    if kind == "refresh_token":
        tokens = state.application.refresh(given, life, keep_old=state.behaviour.old_tokens == "alive")
    else:
        tokens = state.application.exchange(given, life)
    if tokens is None:
        raise Refusal("invalid_grant", "Invalid authorization tokens were provided")
    return tokens


def _shown(state: PortalState, tokens: Tokens) -> dict[str, object]:
    return {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "expires": int(tokens.expires.timestamp()),
        "expires_in": state.behaviour.token_seconds,
        "client_endpoint": state.endpoint,
        "server_endpoint": state.endpoint,
        "domain": state.host,
        "member_id": MEMBER_ID,
        "scope": ",".join(scopes(state)),
        "status": "L",
        "user_id": 1,
    }
