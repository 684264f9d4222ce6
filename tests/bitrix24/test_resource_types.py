"""Resource types and their notifications."""

from __future__ import annotations

from typing import Any

import pytest

from slotbridge.bitrix24.resource_types import ResourceType, Setting
from slotbridge.errors import ApiError, BadAnswer, OutcomeUnknown, Rejected
from tests.bitrix24.answers import batch, listing
from tests.bitrix24.portal import Portal, failed, ok

DOCUMENTED = {
    "code": "equipment",
    "confirmationCounterDelay": 10800,
    "confirmationNotificationRepetitions": None,
    "id": 3,
    "infoNotificationDelay": None,
    "isConfirmationNotificationOn": "Y",
    "isFeedbackNotificationOn": "N",
    "name": "Equipment",
    "reminderNotificationDelay": -1,
    "templateTypeConfirmation": "inanimate",
    "templateTypeReminder": "base",
}
NOTIFICATIONS: dict[str, Setting] = {
    "confirmationCounterDelay": 10800,
    "confirmationNotificationRepetitions": 0,
    "infoNotificationDelay": 0,
    "isConfirmationNotificationOn": True,
    "isFeedbackNotificationOn": False,
    "reminderNotificationDelay": -1,
    "templateTypeConfirmation": "inanimate",
    "templateTypeReminder": "base",
}


async def test_one_type_is_read(portal: Portal) -> None:
    portal.script = [ok({"resourceType": DOCUMENTED})]
    assert await portal.client.resource_types.get(3) == ResourceType(3, "equipment", "Equipment", NOTIFICATIONS)
    assert portal.sent == [("booking.v1.resourceType.get", {"id": 3})]


@pytest.mark.parametrize("key", ["resourceType", "resource"])
async def test_the_list_is_under_the_documented_key_or_under_the_real_one(portal: Portal, key: str) -> None:
    other = {"id": "1", "code": None, "name": None}
    portal.script = [listing(key, [DOCUMENTED, other])]
    assert await portal.client.resource_types.list() == (
        ResourceType(1, "", "", {}),
        ResourceType(3, "equipment", "Equipment", NOTIFICATIONS),
    )
    assert portal.commands()[0] == ("booking.v1.resourceType.list", {"order": {"id": "asc"}, "start": "0"})


async def test_more_types_than_ten_pages_hold(portal: Portal) -> None:
    rows = [{"id": each, "code": f"c{each}", "name": ""} for each in range(1, 521)]
    pages = [{"resourceType": rows[start : start + 50]} for start in range(0, 3000, 50)]
    portal.script = [batch(*pages[:10]), batch(*pages[10:])]
    assert [each.id for each in await portal.client.resource_types.list()] == list(range(1, 521))


@pytest.mark.parametrize(
    "changes",
    [
        {"reminderNotificationDelay": "soon"},
        {"templateTypeReminder": 5},
        {"isFeedbackNotificationOn": ["Y"]},
        {"id": "x"},
        {"code": 5},
    ],
)
async def test_a_type_that_cannot_be_read_is_a_bad_answer(portal: Portal, changes: dict[str, object]) -> None:
    portal.script = [ok({"resourceType": {**DOCUMENTED, **changes}})]
    with pytest.raises(BadAnswer):
        await portal.client.resource_types.get(3)


@pytest.mark.parametrize("result", [None, [], {}, True, {"resourceType": []}, {"resourceType": {"id": 4}}])
async def test_an_answer_without_this_type_is_bad(portal: Portal, result: Any) -> None:
    portal.script = [ok(result)]
    with pytest.raises(BadAnswer):
        await portal.client.resource_types.get(3)


async def test_an_update_is_written_as_the_portal_reads_it(portal: Portal) -> None:
    portal.script = [ok(True)]
    fields: dict[str, Setting] = {"name": "E", "isFeedbackNotificationOn": True, "isReminderNotificationOn": False}
    more: dict[str, Setting] = {
        "reminderNotificationDelay": -1,
        "templateTypeReminder": "base",
        "infoNotificationDelay": 0,
    }
    await portal.client.resource_types.update(3, "equipment-2", {**fields, **more})
    wire = {"code": "equipment-2", "name": "E", "isFeedbackNotificationOn": "Y", "isReminderNotificationOn": "N"}
    assert portal.sent == [("booking.v1.resourceType.update", {"id": 3, "fields": {**wire, **more}})]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reminderDelay", 300),
        ("isInfoNotificationOn", True),
        ("isReminderNotificationOn", "Y"),
        ("isReminderNotificationOn", 1),
        ("reminderNotificationDelay", True),
        ("reminderNotificationDelay", "300"),
        ("templateTypeReminder", 5),
        ("name", 5),
        ("code", "twice"),
    ],
)
async def test_what_the_portal_would_ignore_or_misread_is_not_sent(portal: Portal, name: str, value: Any) -> None:
    with pytest.raises(Rejected, match=name):
        await portal.client.resource_types.update(3, "new", {name: value})
    assert portal.sent == []


async def test_a_code_that_exists_is_refused_once(portal: Portal) -> None:
    portal.script = [failed("1011")]
    with pytest.raises(ApiError) as caught:
        await portal.client.resource_types.update(3, "equipment", {"name": "E"})
    assert caught.value.code == "1011"
    assert caught.value.item == "resource type 3"
    assert len(portal.sent) == 1


async def test_an_update_whose_answer_is_lost_is_not_repeated(portal: Portal) -> None:
    portal.script = [failed("INTERNAL_SERVER_ERROR", 500)]
    with pytest.raises(OutcomeUnknown):
        await portal.client.resource_types.update(3, "new", {})
    assert len(portal.sent) == 1
