"""The way into the portal that the configuration names."""

from __future__ import annotations

from random import Random
from typing import Any
from urllib.parse import urlsplit

from slotbridge.bitrix24.access import Access, WebhookAccess
from slotbridge.bitrix24.oauth import OAuthAccess
from slotbridge.bitrix24.token_server import Application, TokenServer
from slotbridge.clock import Clock
from slotbridge.errors import ConfigurationError
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from slotbridge.settings import OAuthSettings, Settings
from slotbridge.settings.kinds import is_loopback
from slotbridge.settings.limits import Limits
from slotbridge.store.tokens import Tokens

# The token server's limits are not documented; the vendor asks for no more than a renewal now and then.
_TOKEN_SERVER = Limits(rate=1, burst=3)


def access_to(settings: Settings, *, clock: Clock, random: Random, network: Any = None) -> Access:
    """The webhook or the application. `network` is an HTTP transport to use in place of the real network."""
    if (webhook := settings.bitrix24.webhook_url) is not None:
        return WebhookAccess(webhook.get_secret_value())
    return application_access(settings, clock=clock, random=random, network=network)


def application_access(settings: Settings, *, clock: Clock, random: Random, network: Any = None) -> OAuthAccess:
    """The application, with its tokens in the configured database. Raises ConfigurationError if none is configured."""
    oauth = settings.bitrix24.oauth
    if oauth is None:
        raise ConfigurationError("no application is configured", hint="Set up [bitrix24.oauth], or webhook_url")
    application = application_of(oauth)
    transport = transport_to(application.token_url, _TOKEN_SERVER, clock, network)
    server = TokenServer(application, transport, clock=clock, random=random)
    return OAuthAccess(application, server, Tokens(settings.store.url, clock))


def application_of(oauth: OAuthSettings) -> Application:
    """The application as its client knows it."""
    return Application(
        oauth.client_id.get_secret_value(), oauth.client_secret.get_secret_value(), oauth.portal, oauth.token_url
    )


def transport_to(address: str, limits: Limits, clock: Clock, network: Any = None) -> Transport:
    """A transport to one of Bitrix24's servers, at its own pace. It counts for nothing but itself."""
    # A proxy knows its own loopback only, and not the sandbox on ours.
    trusting = not is_loopback(urlsplit(address).hostname or "")
    limiter = Limiter(limits.rate, limits.burst, clock)
    return Transport("bitrix24", limiter, clock, handler=network, trust_env=trusting)
