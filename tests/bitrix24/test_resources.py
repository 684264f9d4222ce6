"""What resources are called."""

from __future__ import annotations

import pytest

from slotbridge.bitrix24 import Resource
from slotbridge.errors import BadAnswer, NotFound, OutcomeUnknown
from tests.bitrix24.answers import batch
from tests.bitrix24.portal import Portal, failed, ok

DOCUMENTED = {
    "confirmationCounterDelay": 10800,
    "confirmationNotificationRepetitions": None,
    "description": None,
    "id": 15,
    "isMain": "Y",
    "name": "Dr. Weiß",
    "reminderNotificationDelay": -1,
    "typeId": 1,
}


@pytest.mark.parametrize(
    ("changes", "resource"),
    [
        ({}, Resource(15, "Dr. Weiß", 1, "")),
        ({"description": "Second floor"}, Resource(15, "Dr. Weiß", 1, "Second floor")),
        ({"id": "15", "typeId": "3", "name": None}, Resource(15, "", 3, "")),
        ({"typeId": None, "description": "", "senderCode": "bitrix24"}, Resource(15, "Dr. Weiß", None, "")),
    ],
)
async def test_one_resource_is_read(portal: Portal, changes: dict[str, object], resource: Resource) -> None:
    portal.script = [ok({"resource": {**DOCUMENTED, **changes}})]
    assert await portal.client.get_resource(15) == resource
    assert portal.sent == [("booking.v1.resource.get", {"id": 15})]


@pytest.mark.parametrize("changes", [{"typeId": "x"}, {"description": 5}, {"name": ["A"]}, {"id": None}])
async def test_a_member_of_the_wrong_kind_makes_a_bad_answer(portal: Portal, changes: dict[str, object]) -> None:
    portal.script = [ok({"resource": {**DOCUMENTED, **changes}})]
    with pytest.raises(BadAnswer, match=f"a resource cannot be read: {next(iter(changes))} is"):
        await portal.client.get_resource(15)


async def test_fifty_resources_are_read_by_one_request(portal: Portal) -> None:
    portal.names = {each: f"R{each}" for each in range(1, 52)}
    found = await portal.client.get_resources(list(portal.names))
    assert found == {each: Resource(each, f"R{each}") for each in range(1, 52)}
    assert [len(portal.commands(index)) for index in range(len(portal.sent))] == [50, 1]


async def test_reading_no_resource_costs_nothing(portal: Portal) -> None:
    assert await portal.client.get_resources([]) == {}
    assert portal.sent == []


async def test_one_resources_error_is_its_own(portal: Portal) -> None:
    portal.script = [batch({"resource": DOCUMENTED}, None, {"resource": {**DOCUMENTED, "id": 9}}, errors={1: "1009"})]
    found = await portal.client.get_resources([15, 16, 17, 15])
    assert list(found) == [15, 16, 17]
    assert found[15] == Resource(15, "Dr. Weiß", 1)
    missing, other = found[16], found[17]
    assert isinstance(missing, NotFound)
    assert missing.item == "resource 16"
    assert isinstance(other, BadAnswer)
    assert other.item == "resource 17"


async def test_an_update_is_sent_as_it_is_written(portal: Portal) -> None:
    portal.script = [ok(True)]
    fields = {"name": "Zürich $result[x]", "description": ""}
    await portal.client.resources.update(15, fields)
    assert portal.sent == [("booking.v1.resource.update", {"id": 15, "fields": fields})]


async def test_an_update_whose_answer_is_lost_is_not_repeated(portal: Portal) -> None:
    portal.script = [failed("INTERNAL_SERVER_ERROR", 500)]
    with pytest.raises(OutcomeUnknown):
        await portal.client.resources.update(15, {"name": "B"})
    assert len(portal.sent) == 1
