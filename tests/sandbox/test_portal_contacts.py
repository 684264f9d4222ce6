from __future__ import annotations

from typing import Any

import pytest

from slotbridge.sandbox.world import World

from .conftest import Bitrix24

FIND = "crm.duplicate.findbycomm"


@pytest.fixture
def ada(world: World) -> int:
    return world.portal.add_contact("Ada", "Lind", phone="+49 30 123456", email="Ada@example.com")


async def listed(bitrix24: Bitrix24, **params: Any) -> list[str]:
    return [row["ID"] for row in await bitrix24.result("crm.contact.list", params)]


async def test_add_stores_numbers_and_addresses(bitrix24: Bitrix24) -> None:
    fields = {
        "NAME": "Ada",
        "PHONE": [{"VALUE": "+4930123", "VALUE_TYPE": "HOME"}],
        "EMAIL": [{"VALUE": "a@b.example"}],
    }
    assert await bitrix24.result("crm.contact.add", {"fields": fields}) == 1
    contact = await bitrix24.result("crm.contact.get", {"ID": 1})
    assert (contact["ID"], contact["NAME"], contact["LAST_NAME"], contact["HAS_PHONE"]) == ("1", "Ada", None, "Y")
    [phone], [email] = contact["PHONE"], contact["EMAIL"]
    assert (phone["VALUE"], phone["VALUE_TYPE"], phone["TYPE_ID"]) == ("+4930123", "HOME", "PHONE")
    assert (email["VALUE"], email["VALUE_TYPE"]) == ("a@b.example", "WORK")


async def test_the_same_person_twice_is_no_error(bitrix24: Bitrix24) -> None:
    fields = {"NAME": "Ada", "PHONE": [{"VALUE": "1"}]}
    assert [await bitrix24.result("crm.contact.add", {"FIELDS": fields}) for _ in range(2)] == [1, 2]


async def test_an_unknown_contact_has_no_code(bitrix24: Bitrix24) -> None:
    status, body = await bitrix24.call("crm.contact.get", {"id": 9})
    assert (status, body["error"], body["error_description"]) == (400, "", "Not found")


async def test_numbers_are_shown_only_when_selected(bitrix24: Bitrix24, ada: int) -> None:
    [plain] = await bitrix24.result("crm.contact.list")
    assert (plain["NAME"], "PHONE" in plain) == ("Ada", False)
    [chosen] = await bitrix24.result("crm.contact.list", {"select": ["ID", "PHONE"]})
    assert chosen.keys() == {"ID", "PHONE"}
    [both] = await bitrix24.result("crm.contact.list", {"select": ["*", "EMAIL"]})
    assert both["EMAIL"][0]["VALUE"] == "Ada@example.com"
    assert {"NAME", "DATE_CREATE"} <= both.keys()


async def test_the_list_finds_exact_texts_only(world: World, bitrix24: Bitrix24, ada: int) -> None:
    world.portal.add_contact("Bo")
    assert await listed(bitrix24, filter={"PHONE": "+49 30 123456"}) == [str(ada)]
    assert await listed(bitrix24, FILTER={"PHONE": "+4930123456"}) == []
    assert await listed(bitrix24, filter={"EMAIL": ["x", "Ada@example.com"]}) == [str(ada)]
    assert await listed(bitrix24, filter={">ID": ada}) == ["2"]
    assert await listed(bitrix24, order={"ID": "DESC"}) == ["2", "1"]
    assert await listed(bitrix24, filter={"NAME": "bo"}) == ["2"]


async def test_pages_have_real_totals_and_a_next(world: World, bitrix24: Bitrix24) -> None:
    for _ in range(60):
        world.portal.add_contact("x")
    _, body = await bitrix24.call("crm.contact.list")
    assert (len(body["result"]), body["total"], body["next"]) == (50, 60, 50)
    _, body = await bitrix24.call("crm.contact.list", {"start": 50})
    assert (len(body["result"]), body["total"], "next" in body) == (10, 60, False)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"type": "PHONE", "values": ["(+49) 30-123456"]}, True),
        ({"TYPE": "PHONE", "VALUES": ["0", "+4930123456"], "entity_type": "CONTACT"}, True),
        ({"type": "EMAIL", "values": ["ada@EXAMPLE.com"]}, True),
        ({"type": "EMAIL", "values": ["+49 30 123456"]}, False),
        ({"type": "PHONE", "values": [""]}, False),
        ({"type": "PHONE", "values": ["+4930123456"], "entity_type": "COMPANY"}, False),
    ],
)
async def test_numbers_are_compared_by_their_digits(bitrix24: Bitrix24, ada: int, params: object, found: bool) -> None:
    assert await bitrix24.result(FIND, params) == ({"CONTACT": [ada]} if found else [])


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "Communication type is not defined"),
        ({"type": "PHONE"}, "Communication values is not defined"),
        ({"type": "FAX", "values": ["1"]}, "Communication type 'FAX' is not supported in current context"),
    ],
)
async def test_what_cannot_be_looked_for(bitrix24: Bitrix24, params: object, code: str) -> None:
    assert await bitrix24.error(FIND, params) == (400, code)


async def test_at_most_twenty_contacts_are_found_the_oldest_first(world: World, bitrix24: Bitrix24) -> None:
    for _ in range(25):
        world.portal.add_contact("x", phone="123")
    found = await bitrix24.result(FIND, {"type": "PHONE", "values": ["123"]})
    assert found["CONTACT"] == list(range(1, 21))
