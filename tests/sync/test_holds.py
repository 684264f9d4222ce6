"""Holds from their beginning to their end (M3, M6, M12, G1 to G3, G5, G6): through the store, as people decide them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from slotbridge.reconcile.model import Hold, Side
from slotbridge.sandbox.traffic import Fault
from slotbridge.store import Decision
from tests.sync.decided import decide, kinds, only_hold, open_holds, overruled
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]

WEEK = ("Mon Tue Wed Thu Fri", 540, 1080, 30)
NOON = ("Mon Tue Wed Thu Fri", 540, 720, 30)


def in_step(rig: Rig, pair: str = "pair1") -> Rig:
    rig.ranges(WEEK, pair=pair)
    rig.sync()
    return rig


def in_conflict(rig: Rig) -> Rig:
    """Monday is 10–18 in Bitrix24, 9–15 in ReserveKit."""
    in_step(rig)
    rig.ranges(("Mon", 600, 1080, 30), ("Tue Wed Thu Fri", 540, 1080, 30))
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)
    return rig


def monday(rig: Rig) -> dict[str, Any]:
    return {
        "bitrix24": next(found[1:3] for found in rig.in_bitrix24() if "Mon" in found[0]),
        "reservekit": rig.in_reservekit()[0][1:3],
    }


# Conflicts


@pytest.mark.parametrize(("keep", "hours"), [("bitrix24", (600, 1080)), ("reservekit", (540, 900))])
def test_M3_a_conflict_waits_until_a_person_decides_it_either_way(rig: Rig, keep: Side, hours: tuple[int, int]) -> None:
    held = in_conflict(rig).sync()
    assert (held.status, kinds(held), held.changes) == ("held", ["conflict"], ())
    assert monday(rig) == {"bitrix24": (600, 1080), "reservekit": (540, 900)}

    decide(rig, only_hold(held), keep)
    report = rig.sync()

    assert (report.status, report.holds) == ("changed", ())
    assert monday(rig) == {"bitrix24": hours, "reservekit": hours}
    assert open_holds(rig) == []


def test_M3_what_a_person_overrules_stays_whole_in_the_history(rig: Rig) -> None:
    decide(rig, only_hold(in_conflict(rig).sync()), "bitrix24")
    rig.sync()

    (lost,) = overruled(rig)

    assert (lost.side, lost.before) == ("reservekit", {"weekday": 0, "start": 540, "end": 900, "capacity": 18})


def test_M3_the_rest_of_a_week_goes_on_while_one_window_is_held(rig: Rig) -> None:
    held = only_hold(in_conflict(rig).sync())
    rig.world.reservations.edit_slot(rig.slot_ids()[1], end=960)

    report = rig.sync()

    assert (report.status, only_hold(report)) == ("held", held)
    assert ("Tue", 540, 960, 30) in rig.in_bitrix24()


def test_S11_a_dry_run_shows_what_a_decision_will_do(rig: Rig) -> None:
    decide(rig, only_hold(in_conflict(rig).sync()), "bitrix24")

    (report,) = rig.run(dry_run=True).pairs

    assert [change.side for change in report.changes] == ["reservekit"]
    assert report.holds == ()
    assert len(open_holds(rig)) == 1


def test_G6_a_decision_counts_only_for_exactly_what_was_shown(rig: Rig) -> None:
    shown = only_hold(in_conflict(rig).sync())
    decide(rig, shown, "bitrix24")
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=960)

    again = rig.sync()

    assert (kinds(again), again.changes) == (["conflict"], ())
    assert only_hold(again).id != shown.id
    assert monday(rig) == {"bitrix24": (600, 1080), "reservekit": (540, 960)}


def test_G6_a_decision_for_what_was_shown_once_does_not_come_back_with_it(rig: Rig) -> None:
    shown = only_hold(in_conflict(rig).sync())
    decide(rig, shown, "bitrix24")
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=960)
    rig.sync()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)

    assert only_hold(rig.sync()).id == shown.id


def test_G6_a_conflict_lifts_itself_when_the_sides_come_to_agree(rig: Rig) -> None:
    in_conflict(rig).sync()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], start=600, end=1080, max_bookings=16)

    report = rig.sync()

    assert (report.status, report.changes, open_holds(rig)) == ("quiet", (), [])


def test_G6_a_conflict_lifts_itself_when_one_side_takes_its_edit_back(rig: Rig) -> None:
    in_conflict(rig).sync()
    rig.ranges(WEEK)

    report = rig.sync()

    assert (report.status, open_holds(rig)) == ("changed", [])
    assert monday(rig) == {"bitrix24": (540, 900), "reservekit": (540, 900)}


# Deletions


def test_G1_an_emptied_side_is_held_until_it_is_approved(rig: Rig) -> None:
    in_step(rig)
    rig.ranges()
    held = rig.sync()
    assert (held.status, kinds(held), len(rig.slot_ids())) == ("held", ["deletions"], 5)

    decide(rig, only_hold(held), "approve")
    report = rig.sync()

    assert (report.status, rig.slot_ids(), rig.base(), open_holds(rig)) == ("changed", [], [], [])


def test_G1_deletions_can_be_accepted_for_one_run(rig: Rig) -> None:
    in_step(rig)
    rig.ranges()

    assert rig.sync(accept_deletes=True).status == "changed"
    assert (rig.slot_ids(), open_holds(rig)) == ([], [])


def test_G1_an_approval_does_not_cover_a_window_that_was_not_shown(rig: Rig) -> None:
    in_step(rig)
    rig.ranges()
    shown = only_hold(rig.sync())
    decide(rig, shown, "approve")
    rig.world.reservations.edit_slot(rig.slot_ids()[0], max_bookings=5)

    held = rig.sync()

    # The edited one comes back by itself, since an edit beats a deletion; the others wait anew.
    assert rig.in_bitrix24() == [("Mon", 540, 1080, 108)]
    assert (kinds(held), only_hold(held).id != shown.id, len(rig.slot_ids())) == (["deletions"], True, 5)


def test_G1_the_hold_lifts_itself_when_the_hours_come_back(rig: Rig) -> None:
    in_step(rig)
    rig.ranges()
    rig.sync()
    rig.ranges(WEEK)

    report = rig.sync()

    assert (report.status, report.changes, open_holds(rig)) == ("quiet", (), [])


def test_G2_most_of_a_week_at_once_is_held_and_a_few_days_are_not(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Fri", 540, 1080, 30))
    held = rig.sync()
    assert (kinds(held), len(rig.slot_ids())) == (["deletions"], 5)
    assert only_hold(held).reason == "4 of 5 windows would be deleted"

    rig.ranges(("Thu Fri", 540, 1080, 30))
    assert rig.sync().status == "changed"
    assert len(rig.slot_ids()) == 2


@pytest.mark.parametrize("way", ["approve", "accept"])
def test_G2_what_is_approved_or_accepted_goes(rig: Rig, way: str) -> None:
    in_step(rig)
    rig.ranges(("Fri", 540, 1080, 30))
    held = only_hold(rig.sync())
    if way == "approve":
        decide(rig, held, "approve")

    assert rig.sync(accept_deletes=way == "accept").status == "changed"
    assert rig.in_reservekit() == [(4, 540, 1080, 18)]


@pytest.mark.parametrize("ends", ["failure", "another failure"])
def test_G6_an_approved_deletion_that_broke_off_in_the_middle_goes_on(rig: Rig, ends: str) -> None:
    in_step(rig)
    rig.ranges()
    decide(rig, only_hold(rig.sync()), "approve")
    for skip in [2] if ends == "failure" else [2, 1]:
        rig.world.faults.append(Fault("DELETE", "answer", status=500, skip=skip, times=20))
        assert rig.run().pairs[0].status == "failed"
        rig.world.faults.clear()
    assert len(rig.slot_ids()) == (3 if ends == "failure" else 2)

    report = rig.sync()

    assert (report.status, report.holds, rig.slot_ids(), open_holds(rig)) == ("changed", (), [], [])


def test_S5_an_edit_behind_an_unsupported_item_keeps_its_pair_from_being_in_step(rig: Rig) -> None:
    in_step(rig)
    monday_slot = rig.slot_ids()[0]
    rig.world.reservations.edit_slot(monday_slot, max_bookings=0)
    rig.ranges(("Mon", 600, 1080, 30), ("Tue Wed Thu Fri", 540, 1080, 30))

    report = rig.sync()

    assert (report.status, kinds(report), report.changes) == ("held", ["unsupported"], ())
    assert [waiting.kind for waiting in open_holds(rig)] == ["unsupported"]
    rig.world.reservations.edit_slot(monday_slot, max_bookings=18)
    assert (rig.sync().status, open_holds(rig)) == ("changed", [])
    assert monday(rig) == {"bitrix24": (600, 1080), "reservekit": (600, 1080)}


# Booked slots


def booked(rig: Rig) -> int:
    """Monday's slot has a booking, and Monday is gone from Bitrix24; the booking's id."""
    in_step(rig)
    booking = rig.world.reservations.add_booking(rig.slot_ids()[0], "2026-05-18")
    rig.ranges(("Tue Wed Thu Fri", 540, 1080, 30))
    return booking


def test_G3_a_booked_slot_is_held_and_goes_when_it_is_approved(rig: Rig) -> None:
    booked(rig)
    held = rig.sync()
    assert (kinds(held), len(rig.slot_ids())) == (["booked"], 5)
    assert only_hold(held).reason.endswith("has 1 upcoming booking, the next on 2026-05-18")

    decide(rig, only_hold(held), "approve")

    assert rig.sync().status == "changed"
    assert len(rig.slot_ids()) == 4


def test_G3_accepting_deletions_does_not_release_a_booked_slot(rig: Rig) -> None:
    booked(rig)

    held = rig.sync(accept_deletes=True)

    assert (kinds(held), len(rig.slot_ids())) == (["booked"], 5)


def test_G3_cancelling_the_booking_lifts_the_hold(rig: Rig) -> None:
    booking = booked(rig)
    rig.sync()
    rig.world.reservations.bookings[booking].status = "cancelled"

    assert rig.sync().status == "changed"
    assert (len(rig.slot_ids()), open_holds(rig)) == (4, [])


def test_G3_one_booking_more_than_was_shown_is_held_again(rig: Rig) -> None:
    booked(rig)
    shown = only_hold(rig.sync())
    decide(rig, shown, "approve")
    rig.world.reservations.add_booking(rig.slot_ids()[0], "2026-05-25")

    held = rig.sync()

    assert only_hold(held).id != shown.id
    assert len(rig.slot_ids()) == 5


def test_G3_a_booked_slot_may_be_extended_and_not_moved(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.add_booking(rig.slot_ids()[0], "2026-05-18")
    rig.ranges(("Mon", 480, 1140, 30), ("Tue Wed Thu Fri", 540, 1080, 30))
    assert rig.sync().status == "changed"

    rig.ranges(("Mon", 540, 1080, 30), ("Tue Wed Thu Fri", 540, 1080, 30))
    held = rig.sync()

    assert kinds(held) == ["booked"]
    assert rig.in_reservekit()[0] == (0, 480, 1140, 22)


# An outage, or a wrong key


def without_monday(rig: Rig, names: list[str]) -> None:
    for name in names:
        rig.ranges(("Tue Wed Thu Fri", 540, 1080, 30), pair=name)


@pytest.mark.parametrize(("pairs", "enough"), [(4, 3), (60, 31)])
def test_G5_deletions_in_most_pairs_of_a_run_are_held(make_rig: MakeRig, pairs: int, enough: int) -> None:
    rig = make_rig(pairs=pairs)
    names = list(rig.ids)
    for name in names:
        rig.ranges(WEEK, pair=name)
    rig.run()
    without_monday(rig, names[:enough])
    rig.ranges(NOON, pair=names[-1])

    report = rig.run()

    held = [pair for pair in report.pairs if pair.holds]
    assert [pair.name for pair in held] == names[:enough]
    assert {kind for pair in held for kind in kinds(pair)} == {"deletions"}
    assert f"{enough} of {pairs} pairs would delete" in held[0].holds[0].reason
    assert report.exit_code() == 3
    assert all(len(rig.slot_ids(name)) == 5 for name in names)
    assert rig.in_reservekit(names[-1])[0] == (0, 540, 720, 6)
    rig.is_quiet(report)


@pytest.mark.parametrize(("pairs", "few"), [(4, 2), (60, 30)])
def test_G5_deletions_in_half_of_the_pairs_are_everyday_work(make_rig: MakeRig, pairs: int, few: int) -> None:
    rig = make_rig(pairs=pairs)
    names = list(rig.ids)
    for name in names:
        rig.ranges(WEEK, pair=name)
    rig.run()
    without_monday(rig, names[:few])

    assert rig.run().count("changed") == few
    assert [len(rig.slot_ids(name)) for name in names] == [4] * few + [5] * (pairs - few)


def test_G5_what_is_held_by_itself_counts_among_what_looks_like_an_outage(make_rig: MakeRig) -> None:
    rig = make_rig(pairs=52)
    names = list(rig.ids)
    for name in names:
        rig.ranges(WEEK, pair=name)
    rig.run()
    for name in names[:14]:
        rig.ranges(pair=name)
    without_monday(rig, names[14:27])

    report = rig.run()

    assert report.count("held") == 27
    assert {pair.holds[0].reason.startswith("27 of 52 pairs would delete") for pair in report.pairs[14:27]} == {True}
    assert all(len(rig.slot_ids(name)) == 5 for name in names)
    rig.is_quiet(report)


def test_G5_one_pair_can_be_approved_out_of_an_outage(make_rig: MakeRig) -> None:
    rig = make_rig(pairs=4)
    for name in rig.ids:
        rig.ranges(WEEK, pair=name)
    rig.run()
    without_monday(rig, list(rig.ids)[:3])
    decide(rig, only_hold(rig.run().pairs[0]), "approve")

    rig.run()

    assert [len(rig.slot_ids(name)) for name in rig.ids] == [4, 5, 5, 5]


def test_G5_an_outage_that_is_over_lifts_every_hold(make_rig: MakeRig) -> None:
    rig = make_rig(pairs=4)
    for name in rig.ids:
        rig.ranges(WEEK, pair=name)
    rig.run()
    without_monday(rig, list(rig.ids)[:3])
    rig.run()
    for name in rig.ids:
        rig.ranges(WEEK, pair=name)

    assert rig.run().count("quiet") == 4
    assert open_holds(rig) == []


def test_G5_a_run_of_a_few_pairs_lifts_nothing_that_a_larger_one_held(make_rig: MakeRig) -> None:
    rig = make_rig(pairs=4)
    for name in rig.ids:
        rig.ranges(WEEK, pair=name)
    rig.run()
    everybody = dict(rig.ids)
    without_monday(rig, list(everybody)[:3])
    rig.run()
    rig.ids = {"pair1": everybody["pair1"]}
    held = rig.sync()
    assert (kinds(held), len(rig.slot_ids())) == (["deletions"], 5)
    assert "3 of 4 pairs" in held.holds[0].reason

    decide(rig, only_hold(held), "approve")
    rig.sync()
    assert len(rig.slot_ids()) == 4

    rig.ids = everybody
    rig.ranges(WEEK, pair="pair2")
    rig.run()
    assert open_holds(rig) == []


# The first sync, and every new agreement


@pytest.mark.parametrize(("keep", "day"), [("bitrix24", 0), ("reservekit", 1)])
def test_M6_a_first_sync_is_decided_either_way(rig: Rig, keep: Decision, day: int) -> None:
    rig.ranges(("Mon", 540, 720, 30))
    rig.slot(1, 540, 720, 6)
    held = rig.sync()
    assert (kinds(held), rig.base()) == (["first-sync"], [])

    decide(rig, only_hold(held), keep)
    report = rig.sync()

    assert (report.status, open_holds(rig)) == ("changed", [])
    assert [slot[0] for slot in rig.in_reservekit()] == [day]
    assert [found[0] for found in rig.in_bitrix24()] == [("Mon", "Tue")[day]]


def test_M6_a_first_sync_can_be_merged_by_decision(rig: Rig) -> None:
    rig.ranges(("Mon", 540, 720, 30))
    rig.slot(1, 540, 720, 6)
    decide(rig, only_hold(rig.sync()), "merge")

    assert rig.sync().status == "changed"
    assert [slot[0] for slot in rig.in_reservekit()] == [0, 1]


@pytest.mark.parametrize(("keep", "hours"), [("bitrix24", (540, 720)), ("reservekit", (600, 780))])
def test_S2_what_overlaps_at_a_first_sync_is_decided_either_way(
    make_rig: MakeRig, keep: Side, hours: tuple[int, int]
) -> None:
    rig = make_rig(initial="merge")
    rig.ranges(("Mon Tue", 540, 720, 30))
    rig.slot(0, 600, 780, 6)
    held = rig.sync()
    assert (kinds(held), len(rig.slot_ids())) == (["conflict"], 2)

    decide(rig, only_hold(held), keep)

    assert rig.sync().status == "changed"
    assert monday(rig) == {"bitrix24": hours, "reservekit": hours}


def a_week_to_be_given_up(rig: Rig) -> Hold:
    """A first sync was decided for Bitrix24, which has Monday alone; what would go in ReserveKit is held."""
    rig.ranges(("Mon", 540, 720, 30))
    for day in range(1, 6):
        rig.slot(day, 540, 720, 6)
    decide(rig, only_hold(rig.sync()), "bitrix24")
    held = rig.sync(quiet_after=False)
    assert (kinds(held), len(rig.slot_ids())) == (["deletions"], 6)
    return only_hold(held)


def test_M6_a_first_sync_that_would_delete_a_whole_week_shows_that_before_it_does(rig: Rig) -> None:
    a_week_to_be_given_up(rig)
    decide(rig, only_hold(rig.sync()), "approve")

    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(0, 540, 720, 6)]


def test_G6_the_deletions_of_a_first_sync_can_be_approved_as_soon_as_they_are_shown(rig: Rig) -> None:
    decide(rig, a_week_to_be_given_up(rig), "approve")

    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(0, 540, 720, 6)]


def test_G6_a_first_sync_lifts_itself_when_the_sides_come_to_agree(rig: Rig) -> None:
    rig.ranges(("Mon", 540, 720, 30))
    rig.slot(1, 540, 720, 6)
    rig.sync()
    rig.ranges(("Tue", 540, 720, 30))

    report = rig.sync()

    assert (report.status, open_holds(rig), len(rig.base())) == ("quiet", [], 1)


def move_to_kyiv(rig: Rig) -> None:
    rig.world.reservations.services[rig.ids["pair1"][1]].timezone = "Europe/Kyiv"
    rig.clock.time += 3700  # zones are read once an hour


def split(rig: Rig) -> None:
    rig.options["slots"] = "split"


def fix_capacity(rig: Rig) -> None:
    rig.options |= {"capacity": "fixed", "max_bookings": 2, "slot_minutes": 20}
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1020, 30))


def swap_resource(rig: Rig) -> None:
    other = rig.world.portal.add_resource("another")
    rig.ids["pair1"] = (other, rig.ids["pair1"][1])
    rig.ranges(("Sat", 540, 720, 30))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (move_to_kyiv, "zone changed from Europe/Berlin to Europe/Kyiv"),
        (split, "slots changed from window to split"),
        (fix_capacity, "capacity changed from derive to fixed (2 bookings, 20 minutes)"),
        (swap_resource, "resource id changed from 1 to 2"),
    ],
)
def test_M12_other_terms_are_previewed_and_held_and_never_a_wave_of_deletions(
    rig: Rig, change: Callable[[Rig], None], reason: str
) -> None:
    in_step(rig)
    base, slots = rig.base(), rig.in_reservekit()
    change(rig)
    ranges = rig.in_bitrix24()

    (preview,) = rig.run(dry_run=True).pairs
    held = rig.sync()

    assert (kinds(preview), preview.changes) == (["agreement"], ())
    assert (only_hold(held).kind, only_hold(held).reason) == ("agreement", reason)
    assert (rig.base(), rig.in_reservekit(), rig.in_bitrix24()) == (base, slots, ranges)


@pytest.mark.parametrize("edit", [(540, 1020), None])
def test_M12_hours_that_moved_with_the_zone_within_the_hour_are_nobody_s_edit(
    rig: Rig, edit: tuple[int, int] | None
) -> None:
    in_step(rig)
    rig.clock.time += 600
    ranges = rig.in_bitrix24()
    rig.world.reservations.services[rig.ids["pair1"][1]].timezone = "America/New_York"
    if edit:
        rig.world.reservations.edit_slot(rig.slot_ids()[0], start=edit[0], end=edit[1])
    else:
        rig.ranges(WEEK, ("Sat", 540, 600, 30))
        ranges = rig.in_bitrix24()
    slots = rig.in_reservekit()

    (preview,) = rig.run(dry_run=True).pairs
    held = rig.sync()

    assert (kinds(preview), preview.changes) == (["agreement"], ())
    assert only_hold(held).reason == "zone changed from Europe/Berlin to America/New_York"
    assert (rig.in_reservekit(), rig.in_bitrix24()) == (slots, ranges)


def test_M12_the_new_agreement_is_made_by_a_decision(rig: Rig) -> None:
    in_step(rig)
    move_to_kyiv(rig)
    decide(rig, only_hold(rig.sync()), "bitrix24")

    report = rig.sync()

    assert (report.status, open_holds(rig)) == ("changed", [])
    assert rig.in_reservekit()[0] == (0, 600, 1140, 18)


def test_M12_setting_the_option_back_lifts_the_hold(rig: Rig) -> None:
    in_step(rig)
    split(rig)
    rig.sync()
    rig.options.clear()

    assert (rig.sync().status, open_holds(rig)) == ("quiet", [])


def test_M12_a_new_resource_without_hours_gets_those_of_the_service(rig: Rig) -> None:
    in_step(rig)
    rig.ids["pair1"] = (rig.world.portal.add_resource("another"), rig.ids["pair1"][1])

    report = rig.sync()

    assert {change.op for change in report.changes} == {"create"}
    assert (len(rig.slot_ids()), rig.in_bitrix24()) == (5, [WEEK])


def test_M12_other_capacities_over_equal_hours_are_agreed_on_at_once(rig: Rig) -> None:
    in_step(rig)
    rig.options |= {"capacity": "fixed", "max_bookings": 2, "slot_minutes": 20}

    report = rig.sync()

    assert (report.status, report.changes, rig.in_bitrix24()) == ("quiet", (), [WEEK])


# Loud


def test_G6_a_hold_is_logged_once_when_it_begins_and_once_when_it_ends(rig: Rig) -> None:
    in_conflict(rig)
    with capture_logs() as logged:
        held = only_hold(rig.run().pairs[0])
        rig.run()
        decide(rig, held, "reservekit")
        rig.run()
        rig.run()

    events = [(entry["event"], entry["hold"], entry["kind"]) for entry in logged if entry["event"].startswith("hold.")]
    assert events == [("hold.began", held.id, "conflict"), ("hold.ended", held.id, "conflict")]


def test_G6_a_pair_that_cannot_be_read_keeps_its_hold_and_its_decision(rig: Rig) -> None:
    decide(rig, only_hold(in_conflict(rig).sync()), "bitrix24")
    rig.world.reservations.key, key = "another", rig.world.reservations.key
    with capture_logs() as logged:
        assert rig.run().pairs[0].status == "failed"
    assert len(open_holds(rig)) == 1
    assert "hold.ended" not in {entry["event"] for entry in logged}
    rig.world.reservations.key = key

    assert rig.sync().status == "changed"
    assert monday(rig) == {"bitrix24": (600, 1080), "reservekit": (600, 1080)}


def test_G6_deletions_and_the_bookings_among_them_are_held_apart_and_approved_apart(rig: Rig) -> None:
    days = "Mon Tue Wed Thu Fri Sat Sun"
    rig.ranges((days, 540, 720, 60), (days, 780, 900, 60))
    rig.sync()
    booked = rig.slot_ids()[0]
    rig.world.reservations.add_booking(booked, "2026-06-01")
    rig.ranges(("Sun", 540, 720, 60))
    held = rig.sync()
    assert sorted(kinds(held)) == ["booked", "deletions"]

    decide(rig, next(hold for hold in held.holds if hold.kind == "deletions"), "approve")
    left = rig.sync()
    assert kinds(left) == ["booked"]
    assert len(rig.in_reservekit()) == 2
    assert booked in rig.slot_ids()

    decide(rig, only_hold(left), "approve")
    rig.sync()
    assert len(rig.in_reservekit()) == 1
