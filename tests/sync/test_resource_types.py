"""`[[resource_types]]`: sent once, as far as they differ; the portal's trap ends in a message and in no repetition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from slotbridge.settings import ResourceTypeSettings, Settings
from slotbridge.sync.bridge import Bridge
from slotbridge.sync.report import RunReport, TypeReport
from tests.sync.decided import opened
from tests.sync.rig import Network, Rig


class Declaring(Rig):
    """A rig whose configuration declares resource types."""

    declared: tuple[ResourceTypeSettings, ...] = ()

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"resource_types": self.declared})


@pytest.fixture
def rig(tmp_path: Any) -> Declaring:
    rig = Declaring(tmp_path)
    rig.type_id = rig.world.portal.add_type("Doctors", "doctors")  # type: ignore[attr-defined]
    rig.ranges(("Mon", 540, 1080, 30))
    rig.run()
    return rig


def declare(rig: Declaring, **fields: Any) -> None:
    rig.declared = (ResourceTypeSettings(**{"id": rig.type_id, **fields}),)  # type: ignore[attr-defined]


def only(report: RunReport) -> TypeReport:
    (kind,) = report.resource_types
    return kind


def stored(rig: Declaring) -> Any:
    return rig.world.portal.types[rig.type_id]  # type: ignore[attr-defined]


def updates(rig: Declaring) -> int:
    return sum("resourcetype.update" in logged.path.lower() for logged in rig.world.log)


def test_without_a_declaration_nobody_asks(rig: Declaring) -> None:
    report = rig.run()
    assert report.requests["bitrix24"] == 1
    assert report.as_json()["resource_types"] == []


def test_what_differs_is_sent_once_and_read_back(rig: Declaring) -> None:
    declare(rig, code="doctors_2", name="Dentists", isReminderNotificationOn=not _is_on(rig))
    report = rig.run()
    assert only(report).status == "changed"
    assert report.as_json()["resource_types"][0]["changes"][0]["after"] == {
        "code": "doctors_2",
        "name": "Dentists",
        "isReminderNotificationOn": _is_on(rig),
    }
    assert (stored(rig).code, stored(rig).name) == ("doctors_2", "Dentists")
    again = rig.run()
    assert (only(again).status, again.requests["bitrix24"], updates(rig)) == ("quiet", 2, 1)
    with opened(rig) as store:
        (record,) = store.history(f"resource type {only(report).id}")
    assert record.after == only(report).changes[0].after


def _is_on(rig: Declaring) -> bool:
    return bool(stored(rig).settings["isReminderNotificationOn"] == "Y")


def test_W8_a_dry_run_tells_it_and_sends_nothing(rig: Declaring) -> None:
    declare(rig, code="doctors_2", reminderNotificationDelay=3600)
    before = rig.database.read_bytes()
    told = rig.run(dry_run=True)
    assert (rig.database.read_bytes(), updates(rig)) == (before, 0)
    assert told.exit_code(tell_changes=True) == 4
    assert only(told).changes == only(rig.run()).changes


@pytest.mark.parametrize("code", [None, "doctors", "DOCTORS"])
def test_a_code_that_the_portal_would_refuse_is_not_sent(rig: Declaring, code: str | None) -> None:
    declare(rig, code=code, name="Dentists")
    report = rig.run()
    assert (only(report).status, report.exit_code(), report.pairs[0].status) == ("failed", 1, "quiet")
    assert 'code = "doctors_2"' in str(only(report).error)
    assert (updates(rig), stored(rig).name) == (0, "Doctors")


def test_a_refusal_is_not_asked_for_again_until_something_changes(rig: Declaring) -> None:
    declare(rig, code="doctors_2", templateTypeReminder="no such template")
    first, second, third = rig.run(), rig.run(), rig.run()
    assert (only(first).status, only(second).status, updates(rig)) == ("failed", "failed", 1)
    told = only(first).error
    assert told is not None
    assert told.hint is not None
    for later in (second, third):
        assert str(only(later).error).endswith(
            f"{told.what}. {told.hint}. It is not sent again until the declaration or the type has changed"
        )
    declare(rig, code="doctors_2", name="Dentists")
    assert (only(rig.run()).status, updates(rig)) == ("changed", 2)
    with opened(rig) as store:
        assert store.recall([only(first).name])[only(first).name].refused == {}


@pytest.mark.parametrize("fields", [{"name": "Dentists"}, {"isConfirmationNotificationOn": False}])
def test_what_the_portal_takes_and_does_not_store_is_not_sent_again(rig: Declaring, fields: Any) -> None:
    declare(rig, code="doctors_2", **fields)
    rig.world.faults.append(Fault("resourceType.update", "answer", times=100, status=200, body='{"result": true}'))
    reports = [only(rig.run()) for _ in range(3)]
    assert [report.status for report in reports] == ["failed"] * 3
    assert all("did not read back as sent" in str(report.error) for report in reports)
    assert updates(rig) == 1
    rig.world.faults.clear()
    declare(rig, code="doctors_3", **fields)
    assert (only(rig.run()).status, only(rig.run()).status) == ("changed", "quiet")


def test_a_code_that_somebody_takes_in_between_is_a_message(rig: Declaring) -> None:
    declare(rig, code="doctors_2", name="Dentists")
    rig.before_request("resourceType.update", lambda: rig.world.portal.add_type("Others", "doctors_2"))
    assert only(rig.run()).status == "failed"
    assert "another type has that code" in str(only(rig.run()).error)
    assert updates(rig) == 1


@pytest.mark.parametrize("kind", ["drop-before", "drop-after"])
def test_W5_an_update_of_unknown_outcome_is_looked_at(rig: Declaring, kind: Any) -> None:
    declare(rig, code="doctors_2", name="Dentists")
    rig.world.faults.append(Fault("resourceType.update", kind))
    statuses = [only(rig.run()).status, only(rig.run()).status]
    assert statuses == (["failed", "changed"] if kind == "drop-before" else ["changed", "quiet"])
    assert stored(rig).name == "Dentists"


def test_an_id_that_does_not_exist_is_a_message(rig: Declaring) -> None:
    declare(rig, id=99, name="Dentists")
    told = str(only(rig.run()).error)
    assert "resource type 99: there is none" in told
    names = ", ".join(f"{one.id} ({one.name})" for one in rig.world.portal.types.values())
    assert told.endswith(f"Check the id in [[resource_types]]; the portal has {names}")


def test_of_many_types_a_message_names_the_first_ones(rig: Declaring) -> None:
    for number in range(12):
        rig.world.portal.add_type(f"Kind {number}", f"kind_{number}")
    declare(rig, id=99)
    more = len(rig.world.portal.types) - 10
    assert str(only(rig.run()).error).endswith(f" and {more} more")


def test_a_list_that_cannot_be_read_fails_the_declarations_alone(rig: Declaring) -> None:
    declare(rig, code="doctors_2")
    rig.world.faults.append(Fault("resourceType.list", "answer", status=400, times=9))
    report = rig.run()
    assert (only(report).status, report.pairs[0].status, report.exit_code()) == ("failed", "quiet", 1)


def looks_at_types(rig: Declaring, *runs: tuple[Sequence[str], float]) -> list[bool]:
    """Whether unattended runs over these pairs, each so many seconds after the one before, look at the types."""
    settings = rig.settings.model_copy(update={"pairs": tuple(rig.pairs)})

    async def go() -> list[bool]:
        looked = []
        with opened(rig) as store:
            how: dict[str, Any] = {"clock": rig.clock, "random": Random(1), "network": Network(rig.world)}
            bridge = Bridge.connect(settings, store, unattended=True, **how)
            for names, later in runs:
                rig.clock.time += later
                report = await bridge.sync([pair for pair in rig.pairs if pair.name in names])
                looked.append(bool(report.resource_types))
            await bridge.aclose()
        return looked

    return asyncio.run(go())


def test_where_nobody_watches_types_are_looked_at_although_no_run_has_all_pairs(tmp_path: Any) -> None:
    rig = Declaring(tmp_path, pairs=2)
    rig.type_id = rig.world.portal.add_type("Doctors", "doctors")  # type: ignore[attr-defined]
    declare(rig, code="doctors_2", name="Dentists")
    one, two = ["pair1"], ["pair2"]
    assert looks_at_types(rig, (one, 0), (two, 10), (one, 290), (two, 10)) == [True, False, True, False]
    assert stored(rig).name == "Dentists"
