"""The wait list and who is on it."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from slotbridge.bitrix24.waitlist import ClientType, ContactRef, WaitListItem
from slotbridge.errors import ApiError, BadAnswer, NotSent, OutcomeUnknown
from tests.bitrix24.answers import batch, listing
from tests.bitrix24.portal import Portal, failed, ok

ANN, FIRM = ContactRef(7), ContactRef(8, "COMPANY")


def client(number: object, code: str = "CONTACT") -> dict[str, object]:
    return {"id": number, "type": {"code": code, "module": "crm"}}


@pytest.mark.parametrize("result", [4, "4", {"id": 4}])
async def test_a_new_entry_has_an_id(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    assert await portal.client.waitlist.add("Ann, mornings: $result[x]") == 4
    assert portal.sent == [("booking.v1.waitlist.add", {"fields": {"note": "Ann, mornings: $result[x]"}})]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(200, text=""),
        failed("INTERNAL_SERVER_ERROR", 500),
        ok(None),
        ok({"waitList": 4}),
    ],
    ids=str,
)
async def test_an_entry_that_may_be_there_is_not_added_again(portal: Portal, answer: Any) -> None:
    portal.script = [answer]
    with pytest.raises(OutcomeUnknown):
        await portal.client.waitlist.add("Ann")
    assert len(portal.sent) == 1


async def test_an_entry_that_never_left_is_sent_again(portal: Portal) -> None:
    portal.script = [httpx.ConnectError("refused"), failed("QUERY_LIMIT_EXCEEDED", 503), ok(4)]
    assert await portal.client.waitlist.add("Ann") == 4
    portal.script = [httpx.ConnectError("refused")] * 9
    with pytest.raises(NotSent):
        await portal.client.waitlist.add("Ann")


@pytest.mark.parametrize(("note", "read"), [("Ann", "Ann"), (None, ""), ("", "")])
async def test_one_entry_is_read(portal: Portal, note: str | None, read: str) -> None:
    portal.script = [ok({"waitList": {"id": 4, "note": note}})]
    assert await portal.client.waitlist.get(4) == WaitListItem(4, read)
    assert portal.sent == [("booking.v1.waitlist.get", {"id": 4})]


@pytest.mark.parametrize("found", [None, [], {"id": 5, "note": "Ann"}, {"id": 4, "note": 1}, {"note": "Ann"}])
async def test_an_answer_without_this_entry_is_bad(portal: Portal, found: Any) -> None:
    portal.script = [ok({"waitList": found})]
    with pytest.raises(BadAnswer):
        await portal.client.waitlist.get(4)


async def test_an_entry_that_is_gone_is_an_error_about_it(portal: Portal) -> None:
    portal.script = [failed("1040")]
    with pytest.raises(ApiError) as caught:
        await portal.client.waitlist.get(4)
    assert (caught.value.item, caught.value.code) == ("wait list entry 4", "1040")


async def test_all_entries_are_listed_by_one_request(portal: Portal) -> None:
    rows = [{"id": each, "note": None} for each in range(60, 0, -1)]
    portal.script = [listing("waitList", rows, total=0)]
    assert await portal.client.waitlist.list() == tuple(WaitListItem(each, "") for each in range(1, 61))
    assert portal.commands()[:2] == [
        ("booking.v1.waitlist.list", {"start": "0"}),
        ("booking.v1.waitlist.list", {"start": "50"}),
    ]


async def test_entries_are_chosen_by_the_day_of_their_creation(portal: Portal) -> None:
    portal.script = [listing("waitList", [])]
    assert await portal.client.waitlist.list((date(2026, 5, 4), date(2026, 12, 31))) == ()
    within = {"from": "04.05.2026", "to": "31.12.2026"}
    assert portal.commands()[0][1] == {"filter": {"createdWithin": within}, "start": "0"}


async def test_a_list_with_an_entry_that_cannot_be_read_is_bad(portal: Portal) -> None:
    portal.script = [batch({"waitList": [{"id": 4}, {"note": "Ann"}]}, *[{"waitList": []}] * 9)]
    with pytest.raises(BadAnswer, match="id is missing"):
        await portal.client.waitlist.list()


async def test_an_entry_is_deleted(portal: Portal) -> None:
    portal.script = [ok(True)]
    await portal.client.waitlist.delete(4)
    assert portal.sent == [("booking.v1.waitlist.delete", {"id": 4})]


async def test_clients_are_read(portal: Portal) -> None:
    portal.script = [ok({"waitListClient": [client("7"), client(8, "COMPANY")]})]
    assert await portal.client.waitlist.clients(4) == (ANN, FIRM)
    assert portal.sent == [("booking.v1.waitlist.client.list", {"waitListId": 4})]


@pytest.mark.parametrize("rows", [None, "x", [None], [{"id": 7}], [{"id": 7, "type": "CONTACT"}]])
async def test_clients_that_cannot_be_read_are_a_bad_answer(portal: Portal, rows: Any) -> None:
    portal.script = [ok({"waitListClient": rows})]
    with pytest.raises(BadAnswer):
        await portal.client.waitlist.clients(4)


async def test_clients_are_set_each_once(portal: Portal) -> None:
    portal.script = [ok(True)]
    await portal.client.waitlist.set_clients(4, [ANN, FIRM, ContactRef(7)])
    clients = [client(7), client(8, "COMPANY")]
    assert portal.sent == [("booking.v1.waitlist.client.set", {"waitListId": 4, "clients": clients})]


async def test_no_clients_are_unset(portal: Portal) -> None:
    portal.script = [ok(True)]
    await portal.client.waitlist.set_clients(4, [])
    assert portal.sent == [("booking.v1.waitlist.client.unset", {"waitListId": 4})]


@pytest.mark.parametrize(
    ("rows", "types"),
    [
        ([], ()),
        ([{"code": "CONTACT", "module": "crm"}], (ClientType("CONTACT", "crm"),)),
        ({"3": {"code": "COMPANY", "module": "crm"}}, (ClientType("COMPANY", "crm"),)),
    ],
)
async def test_client_types_are_read(portal: Portal, rows: Any, types: tuple[ClientType, ...]) -> None:
    portal.script = [ok({"clientType": rows})]
    assert await portal.client.waitlist.client_types() == types
    assert portal.sent == [("booking.v1.clienttype.list", {})]
