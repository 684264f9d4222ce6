"""A death while a name is written: the hours are never lost, and their absence never taken for a wish (W4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from slotbridge.reconcile.model import Side
from tests.sync.called import BrokenOff, Doomed, called, in_step, killed, resource, service
from tests.sync.decided import opened
from tests.sync.rig import Rig
from tests.sync.test_names import EDIT, HOURS

MakeRig = Callable[..., Rig]


def ready(make_rig: MakeRig, leader: Side) -> Rig:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, "Dr. Adams", "Dentist")
    return rig


def noted(rig: Rig) -> bool:
    with opened(rig) as store:
        return store.recall(["pair1"])["pair1"].rescue is not None


def broken_off(make_rig: MakeRig) -> Rig:
    """The resource is renamed by half, its ranges are gone, and the process is dead."""
    rig = ready(make_rig, "reservekit")
    assert killed(rig, BrokenOff(rig))
    assert rig.in_bitrix24() == []
    assert noted(rig)
    return rig


@pytest.mark.parametrize("leader", ["bitrix24", "reservekit"])
def test_a_death_at_any_request_changes_nothing_in_the_end(leader: Side, make_rig: MakeRig) -> None:
    rig, doom = ready(make_rig, leader), 0
    slots = rig.slot_ids()
    while killed(rig, Doomed(rig, doom)):
        assert rig.in_bitrix24() == HOURS
        rig.sync()
        assert called(rig) == (("Dr. Adams", "Dentist"),) * 2
        assert (rig.in_bitrix24(), rig.slot_ids(), noted(rig)) == (HOURS, slots, False)
        resource(rig, "Doctor pair1", "")
        service(rig, "Doctor pair1", "")
        rig.run()
        EDIT[leader](rig, "Dr. Adams", "Dentist")
        doom += 1
    assert doom >= 10


def test_ranges_that_an_update_took_along_are_set_again_by_the_next_run(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    slots = rig.slot_ids()
    report = rig.sync()
    assert report.holds == ()
    assert [(change.side, change.op) for change in report.changes] == [("bitrix24", "create"), ("bitrix24", "update")]
    assert "broken off" in report.changes[0].why
    assert (rig.in_bitrix24(), rig.slot_ids(), noted(rig)) == (HOURS, slots, False)
    assert called(rig)[0] == ("Dr. Adams", "Dentist")


def test_a_death_while_they_are_set_again_changes_nothing_in_the_end(make_rig: MakeRig) -> None:
    rig, doom, died = in_step(make_rig(names="reservekit")), 0, True
    while died:
        service(rig, f"Dr. Adams {doom}")
        assert killed(rig, BrokenOff(rig))
        died = killed(rig, Doomed(rig, doom))
        rig.sync()
        assert (rig.in_bitrix24(), called(rig)[0][0], noted(rig)) == (HOURS, f"Dr. Adams {doom}", False)
        doom += 1
    assert doom >= 10


def test_a_dry_run_tells_that_they_would_be_set_again_and_leaves_them(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    told = rig.run(dry_run=True).pairs[0]
    assert rig.in_bitrix24() == []
    assert noted(rig)
    assert told.changes == rig.run().pairs[0].changes


def test_a_look_shows_no_deletion_that_nobody_wished(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    look, writes = rig.look(), rig.writes()
    assert (look.plan.changes, look.plan.holds) == ((), ())
    assert look.restored == rig.run(dry_run=True).pairs[0].changes[: len(look.restored)]
    assert [change.op for change in look.restored] == ["create"]
    assert (rig.in_bitrix24(), noted(rig), rig.writes()) == ([], True, writes)
    rig.sync()
    assert rig.look().restored == ()


def test_verify_tells_that_a_broken_write_took_them_and_not_that_somebody_did(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    writes = rig.writes()
    points = [point for point in rig.verified().disagreements if point.kind != "name"]
    assert [(point.kind, point.between_sides) for point in points] == [("broken-off", True)] * 3
    assert points[0].what.startswith("Mon 09:00–18:00, slotSize 30, is missing in Bitrix24; a write of ours was broken")
    assert (rig.in_bitrix24(), noted(rig), rig.writes()) == ([], True, writes)
    rig.sync()
    assert rig.verified().disagreements == ()


def test_verify_tells_what_reservekit_edited_meanwhile_beside_what_is_missing(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)
    points = rig.verified().disagreements
    assert [point.kind for point in points] == ["broken-off"] * 3 + ["hours", "name", "name"]
    assert points[3].what.endswith("; edited in ReserveKit")
    rig.sync()
    assert not any(point.between_sides for point in rig.verified().disagreements)


def test_they_are_set_again_even_if_names_are_off_by_now(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.options["names"] = "off"
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == HOURS


def test_they_are_set_again_in_a_pair_that_is_held(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.options["slots"] = "split"  # M12: needs a new agreement
    assert rig.sync().status == "held"
    assert rig.in_bitrix24() == HOURS


def test_they_are_set_again_although_reservekit_is_down(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.reservekit = {"api_key": "sk_rsv_revoked"}
    rig.clock.time += 7200  # not even the zones are known any more
    assert rig.run().pairs[0].status == "failed"
    assert rig.in_bitrix24() == HOURS
    rig.reservekit = {}
    rig.sync()
    assert called(rig)[0] == ("Dr. Adams", "Dentist")


def test_what_reservekit_edited_meanwhile_travels_in_the_same_run(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)
    rig.sync()
    assert rig.in_bitrix24() == [("Mon", 540, 900, 30), ("Tue Wed", 540, 1080, 30)]


def test_what_a_person_set_meanwhile_stays(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    rig.ranges(("Mon Tue Wed", 540, 1020, 30))
    rig.sync()
    assert rig.in_bitrix24() == [("Mon Tue Wed", 540, 1020, 30)]
    assert not noted(rig)


def test_an_edit_right_before_they_are_set_again_is_put_back(make_rig: MakeRig) -> None:
    rig = broken_off(make_rig)
    edited = ("Mon Tue Wed", 600, 1080, 30)
    requests = rig.requests("bitrix24")

    def edit(_world: object, api: str, _method: str, _path: str) -> None:
        if api == "bitrix24" and rig.requests("bitrix24") == requests + 2:
            rig.ranges(edited)

    rig.world.on_request.append(edit)
    rig.sync(quiet_after=False)
    rig.world.on_request.clear()
    rig.sync()
    assert rig.in_bitrix24() == [edited]
    assert rig.in_reservekit() == [(day, 600, 1080, 16) for day in range(3)]


def test_hours_that_are_wiped_by_a_person_later_are_no_rescue(make_rig: MakeRig) -> None:
    rig = ready(make_rig, "reservekit")
    rig.run()
    assert not noted(rig)
    rig.ranges()
    assert [hold.kind for hold in rig.sync().holds] == ["deletions"]
    assert rig.in_bitrix24() == []


def test_hours_that_could_not_be_set_after_the_update_are_set_at_once(make_rig: MakeRig) -> None:
    rig = ready(make_rig, "reservekit")
    rig.world.portal.behaviour = replace(
        rig.world.portal.behaviour, batch_fails_from=2, batch_fails_with="INTERNAL_SERVER_ERROR"
    )
    rig.run()
    assert rig.in_bitrix24() == HOURS
    assert rig.sync().status in ("quiet", "changed")
    assert called(rig)[0] == ("Dr. Adams", "Dentist")
    assert not noted(rig)


def filled_again(make_rig: MakeRig, *ranges: tuple[str, int, int, int]) -> Rig:
    """Somebody finds the form that our update has emptied, and enters ranges before the next run."""
    rig = broken_off(make_rig)
    rig.ranges(*ranges)
    return rig


def test_what_is_missing_in_a_form_that_we_had_emptied_is_nobodys_wish(make_rig: MakeRig) -> None:
    rig = filled_again(make_rig, ("Wed", 540, 1080, 30))
    slots = rig.slot_ids()
    report = rig.sync()
    assert [(hold.kind, "broken off" in hold.reason) for hold in report.holds] == [("deletions", True)]
    assert (rig.in_bitrix24(), rig.slot_ids(), noted(rig)) == ([("Wed", 540, 1080, 30)], slots, True)


def test_an_addition_to_a_form_that_we_had_emptied_travels_at_once(make_rig: MakeRig) -> None:
    rig = filled_again(make_rig, ("Sun", 600, 700, 20))
    assert rig.sync().status == "held"
    assert rig.in_reservekit() == [(0, 540, 1080, 18), (1, 540, 1080, 18), (2, 540, 1080, 18), (6, 600, 700, 5)]


def test_entering_the_ranges_one_after_another_deletes_nothing_on_the_way(make_rig: MakeRig) -> None:
    rig = filled_again(make_rig, ("Wed", 540, 1080, 30))
    slots = rig.slot_ids()
    for days in ("Wed", "Tue Wed"):
        rig.ranges((days, 540, 1080, 30))
        assert rig.sync().status == "held"
    rig.ranges(("Mon Tue Wed", 540, 1080, 30))
    assert rig.sync().holds == ()
    assert (rig.slot_ids(), noted(rig)) == (slots, False)


def test_a_deletion_that_is_in_doubt_goes_once_it_is_approved(make_rig: MakeRig) -> None:
    rig = filled_again(make_rig, ("Wed", 540, 1080, 30))
    rig.sync()
    rig.run(accept_deletes=True)
    assert rig.in_reservekit() == [(2, 540, 1080, 18)]
    assert not noted(rig)
    assert rig.sync().status in ("quiet", "changed")


def test_a_name_waits_for_as_long_as_hours_are_in_doubt(make_rig: MakeRig) -> None:
    rig = filled_again(make_rig, ("Wed", 540, 1080, 30))
    rig.sync()
    assert called(rig)[0][0] == "half renamed"
    rig.run(accept_deletes=True)
    rig.sync()
    assert (called(rig)[0], rig.in_bitrix24()) == (("Dr. Adams", "Dentist"), [("Wed", 540, 1080, 30)])


def test_a_small_edit_after_an_update_that_never_went_out_travels(make_rig: MakeRig) -> None:
    rig = ready(make_rig, "reservekit")
    doom = 0
    while not noted(rig):
        assert killed(rig, Doomed(rig, doom))
        doom += 1
    rig.ranges(("Mon Tue", 540, 1080, 30))
    assert rig.sync().holds == ()
    assert len(rig.in_reservekit()) == 2
    assert not noted(rig)
