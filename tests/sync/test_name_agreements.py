"""Whose name it is (M12): while nobody has agreed that two items are a pair, neither is called like the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slotbridge.reconcile.model import Side
from slotbridge.sandbox.traffic import Fault
from tests.sync.called import called, in_step, resource, service
from tests.sync.decided import decide, kinds, only_hold, overruled
from tests.sync.rig import Rig
from tests.sync.test_names import EDIT, FOLLOWER, LEADERS

MakeRig = Callable[..., Rig]


def mistyped(make_rig: MakeRig, leader: Side) -> Rig:
    """The pair names another resource by now, with other hours, where the typing was wrong."""
    rig = in_step(make_rig(pairs=2, names=leader))
    rig.ranges(("Sat", 540, 600, 30), pair="pair2")
    (_, service_id), (resource_id, _) = rig.ids["pair1"], rig.ids.pop("pair2")
    rig.ids["pair1"] = (resource_id, service_id)
    return rig


def lost_names(rig: Rig) -> list[object]:
    return [record.before for record in overruled(rig) if "name" in (record.before or {})]


@pytest.mark.parametrize("leader", LEADERS)
def test_M12_the_name_of_another_resource_stays_while_its_hours_are_held(leader: Side, make_rig: MakeRig) -> None:
    rig = mistyped(make_rig, leader)
    assert rig.run(dry_run=True).pairs[0].changes == ()
    held = rig.sync()
    assert (kinds(held), held.changes) == (["agreement"], ())
    assert called(rig) == (("Doctor pair2", ""), ("Doctor pair1", ""))


@pytest.mark.parametrize("leader", LEADERS)
def test_M12_the_name_of_another_resource_stays_where_its_hours_cannot_be_read(leader: Side, make_rig: MakeRig) -> None:
    rig = mistyped(make_rig, leader)
    rig.world.faults.append(Fault("GET /v1/time-slots", "answer", status=400, times=9))
    assert rig.run().pairs[0].status == "failed"
    assert called(rig) == (("Doctor pair2", ""), ("Doctor pair1", ""))


@pytest.mark.parametrize("leader", LEADERS)
def test_M12_once_the_hours_are_agreed_on_the_name_follows_and_nobody_is_overruled(
    leader: Side, make_rig: MakeRig
) -> None:
    rig = mistyped(make_rig, leader)
    decide(rig, only_hold(rig.run().pairs[0]), "bitrix24")
    assert rig.sync().status == "changed"
    name = "Doctor pair2" if leader == "bitrix24" else "Doctor pair1"
    assert called(rig) == ((name, ""),) * 2
    assert lost_names(rig) == []
    EDIT[FOLLOWER[leader]](rig, "Somebody else")
    rig.sync()
    assert lost_names(rig) == [{"name": "Somebody else"}]


def test_M6_a_first_sync_that_waits_keeps_the_name_waiting(make_rig: MakeRig) -> None:
    rig = make_rig(names="bitrix24")
    rig.ranges(("Mon", 540, 600, 30))
    rig.slot(1, 540, 600)
    resource(rig, "Dr. Adams")
    service(rig, "Dr. Brown")
    held = rig.sync()
    assert (kinds(held), called(rig)[1][0]) == (["first-sync"], "Dr. Brown")
    assert rig.run(initial="merge").pairs[0].status == "changed"
    assert called(rig)[1][0] == "Dr. Adams"
