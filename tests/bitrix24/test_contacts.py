"""People in the portal's CRM."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from slotbridge.bitrix24.contacts import Contact
from slotbridge.errors import AccessRefused, ApiError, BadAnswer, OutcomeUnknown
from tests.bitrix24.answers import batch
from tests.bitrix24.portal import Portal, failed, ok

PHONE, EMAIL = "+49 30 123456", "ann@example.com"
DOCUMENTED = {
    "ID": "43",
    "NAME": "Ann",
    "LAST_NAME": None,
    "HAS_PHONE": "Y",
    "PHONE": [{"ID": "156", "VALUE": PHONE, "VALUE_TYPE": "WORK"}, {"ID": "157", "VALUE": None}],
    "EMAIL": {"1": {"VALUE": EMAIL}},
}


def search(kind: str, text: str) -> tuple[str, dict[str, object]]:
    return "crm.duplicate.findbycomm", {"type": kind, "values": [text], "entity_type": "CONTACT"}


@pytest.mark.parametrize(
    ("result", "ids"),
    [
        ({"CONTACT": [2297, "275"]}, (275, 2297)),
        ({"CONTACT": {"3": 5}, "LEAD": [1]}, (5,)),
        ({"CONTACT": []}, ()),
        ({"CONTACT": None}, ()),
        ([], ()),
        ({}, ()),
    ],
)
async def test_contacts_are_found_by_phone(portal: Portal, result: Any, ids: tuple[int, ...]) -> None:
    portal.script = [ok(result)]
    assert await portal.client.contacts.find(phone=f" {PHONE}") == ids
    assert portal.sent == [search("PHONE", PHONE)]


async def test_who_has_both_comes_first_and_both_are_looked_for_by_one_request(portal: Portal) -> None:
    portal.script = [batch({"CONTACT": [9, 5, 7]}, {"CONTACT": [7, 3]})]
    assert await portal.client.contacts.find(phone=PHONE, email=EMAIL) == (7, 3, 5, 9)
    assert portal.commands() == [search("PHONE", PHONE), search("EMAIL", EMAIL)]


async def test_what_a_batch_would_alter_is_looked_for_by_calls_of_its_own(portal: Portal) -> None:
    portal.script = [ok({"CONTACT": [5]}), ok([])]
    assert await portal.client.contacts.find(phone=PHONE, email="$time@example.com") == (5,)
    assert portal.sent == [search("PHONE", PHONE), search("EMAIL", "$time@example.com")]


async def test_looking_for_nothing_costs_nothing(portal: Portal) -> None:
    assert await portal.client.contacts.find(phone=" ", email="") == ()
    assert portal.sent == []


@pytest.mark.parametrize("result", [None, True, "x", {"CONTACT": "5"}, {"CONTACT": ["x"]}, {"CONTACT": [None]}])
async def test_nobody_is_found_only_if_the_portal_says_so(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    with pytest.raises(BadAnswer):
        await portal.client.contacts.find(email=EMAIL)


async def test_one_search_that_failed_fails_both(portal: Portal) -> None:
    portal.script = [batch({"CONTACT": [9]}, None, errors={1: "insufficient_scope"})]
    with pytest.raises(AccessRefused):
        await portal.client.contacts.find(phone=PHONE, email=EMAIL)


NO_SEARCH = failed("ERROR_METHOD_NOT_FOUND", status=404)


@pytest.mark.parametrize(("kind", "text"), [("PHONE", PHONE), ("EMAIL", EMAIL)])
async def test_a_portal_without_that_search_is_asked_for_its_list(kind: str, text: str, portal: Portal) -> None:
    rows = [{"ID": "9", kind: [{"VALUE": text.upper()}]}, {"ID": "4", kind: [{"VALUE": "other"}]}, {"ID": "3"}]
    portal.script = [NO_SEARCH, ok(rows)]
    assert await portal.client.contacts.find(**{kind.lower(): text}) == (9,), "those that only came along are nobody"
    listing = {"filter": {kind: text}, "select": ["ID", kind], "order": {"ID": "ASC"}}
    assert portal.sent == [search(kind, text), ("crm.contact.list", listing)]


async def test_nobody_in_the_list_is_nobody(portal: Portal) -> None:
    portal.script = [NO_SEARCH, ok([])]
    assert await portal.client.contacts.find(phone=PHONE) == ()


async def test_one_contact_is_read(portal: Portal) -> None:
    portal.script = [ok(DOCUMENTED)]
    assert await portal.client.contacts.get(43) == Contact(43, "Ann", "", (PHONE,), (EMAIL,))
    assert portal.sent == [("crm.contact.get", {"id": 43})]


async def test_a_contact_without_phone_and_address_has_neither_member(portal: Portal) -> None:
    portal.script = [ok({"ID": 43})]
    assert await portal.client.contacts.get(43) == Contact(43, "", "", (), ())


@pytest.mark.parametrize("result", [None, [], {}, {"ID": "44"}, {"ID": 43, "PHONE": "1"}, {"ID": 43, "NAME": 1}])
async def test_an_answer_without_this_contact_is_bad(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    with pytest.raises(BadAnswer):
        await portal.client.contacts.get(43)


async def test_an_error_with_an_empty_code_is_one(portal: Portal) -> None:
    portal.script = [failed("", description="Not found")]
    with pytest.raises(ApiError) as caught:
        await portal.client.contacts.get(43)
    assert caught.value.item == "contact 43"


async def test_a_new_contact_has_an_id(portal: Portal) -> None:
    portal.script = [ok(44), ok("45")]
    assert await portal.client.contacts.add("Ann", phone=PHONE, email=EMAIL) == 44
    assert await portal.client.contacts.add("Bob") == 45
    ways = {kind: [{"VALUE": text, "VALUE_TYPE": "WORK"}] for kind, text in (("PHONE", PHONE), ("EMAIL", EMAIL))}
    assert portal.sent == [
        ("crm.contact.add", {"fields": {"NAME": "Ann", **ways}}),
        ("crm.contact.add", {"fields": {"NAME": "Bob"}}),
    ]


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(502), ok(False), ok([])], ids=str)
async def test_a_contact_that_may_be_there_is_not_added_again(portal: Portal, answer: Any) -> None:
    portal.script = [answer]
    with pytest.raises(OutcomeUnknown) as caught:
        await portal.client.contacts.add("Ann", phone=PHONE)
    assert len(portal.sent) == 1
    assert PHONE not in str(caught.value)
