"""`events`: what is bound, binding and unbinding it; and the way by hand that a webhook leaves."""

from __future__ import annotations

import io

import pytest

from slotbridge.bitrix24.events import RESOURCE_EVENTS, EventHandler
from slotbridge.cli.events import Wish, show_events
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.decisions import Counsel
from slotbridge.cli.render.events import by_hand_lines, standing_json, standing_lines
from slotbridge.clock import SystemClock
from slotbridge.http.tokens import TokenPair
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import CLIENT_ID, CLIENT_SECRET
from slotbridge.store.tokens import Tokens
from slotbridge.sync.binding import hook_address, standing

from .conftest import Result, Shell

PUBLIC = "https://sync.example.com"
ADDRESS = f"{PUBLIC}/hooks/bitrix24"
ELSEWHERE = "https://old.example.com/hooks/bitrix24"


@pytest.fixture
def application(shell: Shell) -> Shell:
    """The sample business with an application that was granted access, in place of the webhook."""
    text = shell.config.read_text(encoding="utf-8")
    url = text.partition('webhook_url = "')[2].partition("/rest/")[0]
    lines = [line for line in text.splitlines() if not line.startswith("webhook_url")]
    oauth = f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\nportal = "{url}"\n'
    table = f'\n[bitrix24.oauth]\n{oauth}token_url = "{url}/oauth/token/"\n'
    shell.config.write_text("\n".join(lines) + table, encoding="utf-8")
    tokens = shell.world.portal.application.issue(3600)
    pair = TokenPair(tokens.access, tokens.refresh, tokens.expires, f"{url}/rest/")
    Tokens(f"sqlite:///{shell.database}", SystemClock()).save(CLIENT_ID, pair)
    return shell


def events(shell: Shell, wish: Wish = "show", *, as_json: bool = False, public: str | None = PUBLIC) -> Result:
    out, err = io.StringIO(), io.StringIO()
    environ = {"SLOTBRIDGE_SECRETS_DIR": str(shell.folder / "none"), "COLUMNS": "200"}
    if public:
        environ["SLOTBRIDGE_DAEMON__PUBLIC_URL"] = public
    invocation = Invocation(out, err, environ, config=shell.config, as_json=as_json)
    try:
        ended = show_events(invocation, wish)
    except Exception as error:
        ended = invocation.failed(error)
    return Result(ended, out.getvalue(), err.getvalue())


def bound(shell: Shell) -> list[tuple[str | None, str]]:
    return [(each.event, each.url) for each in shell.world.portal.events.handlers]


def bind_elsewhere(shell: Shell, event: str = RESOURCE_EVENTS[0]) -> None:
    listeners = shell.world.portal.events
    listeners.handlers.append(listeners.listen(ELSEWHERE, "t0ken", event))


def test_what_is_not_bound_is_shown_and_left_alone(application: Shell) -> None:
    done = events(application)
    assert (done.code, done.err) == (0, "")
    assert "  · ONBOOKINGRESOURCEUPDATE: not announced to this daemon\n" in done.out
    assert f"{application.program} events --bind" in done.last
    assert bound(application) == []


def test_binding_binds_each_event_once(application: Shell) -> None:
    done = events(application, "bind")
    assert (done.code, done.err) == (0, "")
    assert f"  ✓ ONBOOKINGRESOURCEUPDATE: announced to {ADDRESS}\n" in done.out
    assert bound(application) == [(event, ADDRESS) for event in RESOURCE_EVENTS]
    assert 'application_token = "…"' in done.last
    assert events(application, "bind").code == 0
    assert len(bound(application)) == 3


def test_binding_goes_on_where_it_was_broken_off(application: Shell) -> None:
    broken = Fault("event.bind", "answer", skip=1, status=400, body='{"error": "ERROR_EVENT_NOT_FOUND"}')
    application.world.faults.append(broken)
    done = events(application, "bind")
    assert (done.code, len(bound(application))) == (1, 2)
    assert "25.600" in done.err
    assert events(application, "bind").code == 0
    assert len(bound(application)) == 3


def test_what_another_process_binds_meanwhile_keeps_no_other_event_from_it(application: Shell) -> None:
    refusal = '{"error": "ERROR_CORE", "error_description": "Handler already binded"}'
    application.world.faults.append(Fault("event.bind", "answer", executed=True, status=400, body=refusal))
    done = events(application, "bind")
    assert (done.code, done.err) == (0, "")
    assert len(bound(application)) == 3


def test_a_portal_that_says_yes_and_binds_nothing_exits_with_1(application: Shell) -> None:
    application.world.faults.append(Fault("event.bind", "answer", times=3, status=200, body='{"result": true}'))
    assert events(application, "bind").code == 1


def test_unbinding_leaves_what_is_bound_elsewhere(application: Shell) -> None:
    bind_elsewhere(application)
    events(application, "bind")
    done = events(application, "unbind")
    assert (done.code, bound(application)) == (0, [(RESOURCE_EVENTS[0], ELSEWHERE)])
    assert f"ONBOOKINGRESOURCEADD: announced to {ELSEWHERE} as well\n" in done.out


def test_without_an_address_nothing_can_be_bound(application: Shell) -> None:
    for done in (events(application, "bind", public=None), events(application, "unbind", public=None)):
        assert (done.code, application.world.log) == (2, [])
        assert 'public_url = "https://sync.example.com" in [daemon]' in done.err


def test_the_document(application: Shell) -> None:
    bind_elsewhere(application)
    document = events(application, "bind", as_json=True).document
    assert document == {
        "version": 1,
        "way": "application",
        "address": ADDRESS,
        "events": [{"event": event, "bound": True} for event in RESOURCE_EVENTS],
        "elsewhere": [{"event": RESOURCE_EVENTS[0], "handler": ELSEWHERE}],
        "application_token": False,
    }


def test_with_a_webhook_the_way_by_hand_is_explained(shell: Shell) -> None:
    done = events(shell)
    assert (done.code, done.err) == (0, "")
    assert f"2. The address of its handler: {ADDRESS}\n" in done.out
    assert "ONBOOKINGRESOURCEADD, ONBOOKINGRESOURCEUPDATE, ONBOOKINGRESOURCEDELETE" in done.out
    assert 'in [bitrix24]: application_token = "…"' in done.last
    assert [events(shell, "bind").code, events(shell, "unbind").code] == [2, 2]
    document = events(shell, "bind", as_json=True).document
    assert (document["way"], document["address"]) == ("by hand", ADDRESS)
    assert {each["bound"] for each in document["events"]} == {None}
    assert "gets in by a webhook" in document["error"]["what"]
    assert "outbound webhook" in document["error"]["hint"]
    assert events(shell, as_json=True).document["error"] is None
    assert shell.world.log == []


# Words and judgement


@pytest.mark.parametrize("public", [PUBLIC, f"{PUBLIC}/"])
def test_the_address_is_where_the_daemon_listens(public: str) -> None:
    assert hook_address(public) == ADDRESS
    assert hook_address(None) is None


def test_offline_and_foreign_handlers_do_not_count() -> None:
    update = RESOURCE_EVENTS[1]
    found = standing(
        [EventHandler(update, ADDRESS, True), EventHandler("ONCRMDEALADD", ADDRESS, False)],
        ADDRESS,
    )
    assert (found.bound, found.missing, found.elsewhere) == ((), RESOURCE_EVENTS, ())
    assert standing([EventHandler(update, ADDRESS, False)] * 2, ADDRESS).bound == (update,)


def test_addresses_from_the_portal_cannot_command_the_terminal() -> None:
    found = standing([EventHandler(RESOURCE_EVENTS[0], "https://x.example/\x1b[2J", False)], None)
    assert "\x1b" not in "".join(line.plain for line in standing_lines(found, Counsel(), token=True))


def test_without_an_address_the_setting_is_told() -> None:
    lines = [line.plain for line in standing_lines(standing([], None), Counsel(), token=False)]
    assert lines[-1].endswith('write in [daemon]: public_url = "https://sync.example.com"')
    by_hand = [line.plain for line in by_hand_lines(None, token=True)]
    assert any('public_url = "https://sync.example.com"' in line for line in by_hand)
    assert by_hand[-1].endswith("(there is one; compare it)")


def test_a_known_token_is_not_asked_for() -> None:
    found = standing([EventHandler(event, ADDRESS, False) for event in RESOURCE_EVENTS], ADDRESS)
    assert len(list(standing_lines(found, Counsel(), token=True))) == 3
    assert standing_json(found, token=True)["application_token"] is True
