"""Event handlers and permissions."""

from __future__ import annotations

from typing import Any

import pytest

from slotbridge.bitrix24.events import RESOURCE_EVENTS, EventHandler
from slotbridge.errors import AccessRefused, BadAnswer, OutcomeUnknown, Rejected
from tests.bitrix24.portal import Portal, failed, ok

HANDLER = "https://bridge.example.com/hooks/bitrix24"
EVENT = "ONBOOKINGRESOURCEUPDATE"


@pytest.mark.parametrize(
    ("rows", "handlers"),
    [
        ([], ()),
        (
            [{"event": EVENT, "handler": HANDLER, "auth_type": "0", "offline": 0}],
            (EventHandler(EVENT, HANDLER, False),),
        ),
        ([{"event": "onBookingResourceUpdate", "handler": HANDLER}], (EventHandler(EVENT, HANDLER, False),)),
        ({"2": {"event": EVENT, "handler": None, "offline": "1"}}, (EventHandler(EVENT, "", True),)),
    ],
)
async def test_handlers_are_read(portal: Portal, rows: Any, handlers: tuple[EventHandler, ...]) -> None:
    portal.script = [ok(rows)]
    assert await portal.client.events.get() == handlers
    assert portal.sent == [("event.get", {})]


@pytest.mark.parametrize("offline", [False, 0, "0", "N", "", None, True, 1, "1", "Y"])
async def test_a_yes_or_no_is_read_in_every_form(portal: Portal, offline: object) -> None:
    portal.script = [ok([{"event": EVENT, "handler": HANDLER, "offline": offline}])]
    (found,) = await portal.client.events.get()
    assert found.offline == (offline in (True, "1", "Y"))


@pytest.mark.parametrize("strange", [{"handler": ["a"]}, {"offline": "maybe"}, {"handler": 5}])
async def test_a_strange_handler_of_another_event_is_left_out(portal: Portal, strange: dict[str, object]) -> None:
    portal.script = [ok([{"event": "ONOTHER", **strange}, {"event": EVENT, "handler": HANDLER}])]
    assert await portal.client.events.get() == (EventHandler(EVENT, HANDLER, False),)
    portal.script = [ok([{"event": EVENT, **strange}])]
    with pytest.raises(BadAnswer):
        await portal.client.events.get()


@pytest.mark.parametrize("result", [None, True, "x", [None], [{"handler": HANDLER}], [{"event": 5}]])
async def test_handlers_that_cannot_be_read_are_a_bad_answer(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    with pytest.raises(BadAnswer):
        await portal.client.events.get()


async def test_a_handler_is_bound_and_unbound(portal: Portal) -> None:
    portal.script = [ok(True), ok({"count": 1})]
    await portal.client.events.bind(EVENT, HANDLER)
    assert await portal.client.events.unbind(EVENT, HANDLER) == 1
    parameters = {"event": EVENT, "handler": HANDLER}
    assert portal.sent == [("event.bind", parameters), ("event.unbind", parameters)]


async def test_an_unreadable_count_of_what_was_unbound_is_an_unknown_outcome(portal: Portal) -> None:
    portal.script = [ok({"count": "many"})]
    with pytest.raises(OutcomeUnknown):
        await portal.client.events.unbind(EVENT, HANDLER)


@pytest.mark.parametrize(("event", "handler"), [("", HANDLER), (EVENT, "")])
async def test_half_a_handler_is_never_sent_since_it_would_unbind_others(
    portal: Portal, event: str, handler: str
) -> None:
    with pytest.raises(Rejected):
        await portal.client.events.unbind(event, handler)
    with pytest.raises(Rejected):
        await portal.client.events.bind(event, handler)
    assert portal.sent == []


async def test_a_webhook_may_not_bind(portal: Portal) -> None:
    portal.script = [failed("WRONG_AUTH_TYPE", 403)]
    with pytest.raises(AccessRefused):
        await portal.client.events.bind(EVENT, HANDLER)


def test_a_resource_is_added_updated_and_deleted() -> None:
    assert {name.removeprefix("ONBOOKINGRESOURCE") for name in RESOURCE_EVENTS} == {"ADD", "UPDATE", "DELETE"}


@pytest.mark.parametrize(
    ("result", "scopes"), [(["CRM", "booking"], {"crm", "booking"}), ([], set()), ({"1": "booking"}, {"booking"})]
)
async def test_permissions_are_read(portal: Portal, result: Any, scopes: set[str]) -> None:
    portal.script = [ok(result)]
    assert await portal.client.scopes() == frozenset(scopes)
    assert portal.sent == [("scope", {})]


@pytest.mark.parametrize("result", [None, True, 5, [5], [["booking"]]])
async def test_no_permissions_only_if_the_portal_says_so(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    with pytest.raises(BadAnswer):
        await portal.client.scopes()


@pytest.mark.parametrize("code", ["ERROR_METHOD_NOT_FOUND", "insufficient_scope", "WRONG_AUTH_TYPE"])
async def test_a_portal_that_does_not_let_us_ask_for_permissions_refuses_nothing_else(
    portal: Portal, code: str
) -> None:
    portal.script = [failed(code)]
    assert await portal.client.scopes() is None


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "PORTAL_DELETED", "ACCESS_DENIED"])
async def test_a_portal_that_refuses_the_way_in_refuses_the_permissions_as_well(portal: Portal, code: str) -> None:
    portal.script = [failed(code)]
    with pytest.raises(AccessRefused):
        await portal.client.scopes()
