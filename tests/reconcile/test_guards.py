"""What holds a plan back (G1–G3, G5–G7, S5, W6), at its exact boundaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from slotbridge.lenses.items import Odd, Range, Ranges, TimeSlot
from slotbridge.reconcile.model import Direction, Options, Side
from slotbridge.reconcile.oscillation import LIMIT, Streak, streaks
from tests.reconcile.world import MON, TUE, WED, WIDE, World, held, idle, ops, rng, slot, win

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GUARDED = Options(pair="dental")


def week(count: int, options: Options = GUARDED) -> World:
    """So many windows, on as many days, afternoons from the eighth on."""
    items = [rng(DAYS[n % 7], "9-12" if n < 7 else "14-18") for n in range(count)]
    return World.synced(*items, options=options)


@pytest.mark.parametrize("side", ("bitrix24", "reservekit"))
@pytest.mark.parametrize("count", (1, 2, 9))
def test_G1_a_side_that_has_none_any_more_deletes_nothing(side: Side, count: int) -> None:
    world = week(count)
    setattr(world, side, ())
    made = world.sync()
    assert held(made) == ["deletions"]
    assert made.changes == ()
    assert f"had {count} window" in made.holds[0].reason


def test_G1_the_hold_lifts_itself_when_the_windows_are_back() -> None:
    world = week(3)
    there, world.bitrix24 = world.bitrix24, ()
    world.sync()
    world.bitrix24 = there
    made = world.sync()
    assert idle(made)


def test_G1_both_sides_empty_clears_the_base() -> None:
    world = week(9)
    world.bitrix24 = world.reservekit = ()
    made = world.sync()
    assert made.holds == ()
    assert world.base == ()


@pytest.mark.parametrize(
    ("count", "gone", "kept_back"),
    ((8, 4, False), (7, 4, True), (4, 3, False), (6, 3, False), (5, 4, True), (9, 5, True), (10, 5, False)),
)
@pytest.mark.parametrize("side", ("bitrix24", "reservekit"))
def test_G2_more_than_the_ratio_and_more_than_the_count(side: Side, count: int, gone: int, kept_back: bool) -> None:
    world = week(count)
    if side == "bitrix24":
        world.bitrix24 = _without(world.bitrix24, gone)
    else:
        world.reservekit = world.reservekit[gone:]
    made = world.sync()
    assert held(made) == ["deletions"] * kept_back
    assert len(made.changes) == 0 if kept_back else made.deletes


def _without(items: Ranges, gone: int) -> Ranges:
    """The ranges less the windows of the first days."""
    left = []
    for item in items:
        assert isinstance(item, Range)
        taken, gone = item.week_days[:gone], gone - len(item.week_days[:gone])
        if names := item.week_days[len(taken) :]:
            left.append(replace(item, week_days=names))
    return tuple(left)


@pytest.mark.parametrize(
    ("ratio", "count", "kept_back"), ((0.5, 2, True), (0.5, 3, False), (0.6, 2, False), (0.0, 2, True), (1.0, 0, False))
)
def test_G2_both_limits_are_options(ratio: float, count: int, kept_back: bool) -> None:
    world = week(5, replace(GUARDED, max_delete_ratio=ratio, max_delete_count=count))
    world.reservekit = world.reservekit[3:]
    assert held(world.sync()) == ["deletions"] * kept_back


def test_G2_deletions_on_both_sides_are_counted_together() -> None:
    world = week(6)
    world.bitrix24 = _without(world.bitrix24, 2)
    world.reservekit = world.reservekit[:4]
    made = world.sync()
    assert held(made) == ["deletions"]
    assert made.changes == ()


def test_G2_everything_but_the_deletions_goes_on() -> None:
    world = week(7)
    world.reservekit = tuple(
        replace(item, max_bookings=2) if n == 0 and isinstance(item, TimeSlot) else item
        for n, item in enumerate(world.reservekit[4:])
    )
    made = world.sync()
    assert held(made) == ["deletions"]
    assert ops(made, "bitrix24")
    assert len(world.ours) == 7


def test_G2_what_one_way_removes_from_the_target_is_counted() -> None:
    world = week(4, replace(GUARDED, direction="to-reservekit"))
    world.reservekit += tuple(slot(50 + n, n, "20-21") for n in range(4))
    assert held(world.sync()) == ["deletions"]


def test_G2_more_windows_than_were_ever_agreed_on_are_not_told_as_a_part_of_them() -> None:
    world = week(7, replace(GUARDED, direction="to-reservekit"))
    world.reservekit += tuple(slot(50 + n, n % 7, f"{20 + n // 7}-{21 + n // 7}") for n in range(14))
    (hold,) = world.sync().holds
    assert hold.reason == "14 windows would be deleted, and both sides last agreed on 7"


@pytest.mark.parametrize("side", ("bitrix24", "reservekit"))
def test_G1_one_way_a_wiped_target_is_filled_and_a_wiped_source_waits(side: Side) -> None:
    world = week(5, replace(GUARDED, direction="to-reservekit"))
    setattr(world, side, ())
    made = world.sync()
    assert held(made) == ["deletions"] * (side == "bitrix24")
    assert len(world.theirs) == 5


def test_G5_an_outage_holds_every_deletion_and_nothing_else() -> None:
    world = week(7)
    world.reservekit = world.reservekit[1:]
    world.bitrix24 += (rng("Mon", "20-22"),)
    made = world.sync(outage="4 of 5 pairs would lose most of their windows")
    assert [hold.reason for hold in made.holds] == ["4 of 5 pairs would lose most of their windows"]
    assert ops(made, "reservekit") == ["create"]
    assert ops(made, "bitrix24") == []


def test_G6_approval_releases_exactly_what_was_shown() -> None:
    world = week(5)
    world.bitrix24 = ()
    hold = world.sync().holds[0]
    approved = {hold.fingerprint: "approve"}
    world.sync(decisions=approved)
    assert world.theirs == {}


def test_G6_a_plan_that_has_changed_since_is_held_again() -> None:
    world = week(6)
    world.bitrix24 = _without(world.bitrix24, 4)
    hold = world.sync().holds[0]
    world.bitrix24 = _without(world.bitrix24, 1)
    made = world.sync(decisions={hold.fingerprint: "approve"})
    assert held(made) == ["deletions"]
    assert made.holds[0].id != hold.id
    assert len(world.theirs) == 6


@pytest.mark.parametrize("side", ("bitrix24", "reservekit"))
def test_G6_an_approval_stands_for_what_a_broken_run_has_left_of_it(side: Side) -> None:
    world = week(9)
    emptied, left = ("bitrix24", "reservekit") if side == "reservekit" else ("reservekit", "bitrix24")
    setattr(world, emptied, ())
    hold = world.sync().holds[0]
    setattr(world, left, getattr(world, left)[4:])  # the run died then, and the base is the old one

    made = world.plan(decisions={hold.fingerprint: "approve"}, approved=hold)

    assert made.holds == ()
    assert sum(verdict.state == "delete" for verdict in made.verdicts) == 5


def test_G6_an_approval_does_not_stand_for_less_where_somebody_has_edited_what_is_missing() -> None:
    world = week(9)
    world.bitrix24 = ()
    hold = world.sync().holds[0]
    world.reservekit = (slot(1000, MON, "9-11"), *world.reservekit[1:])

    assert held(world.plan(decisions={hold.fingerprint: "approve"}, approved=hold)) == ["deletions"]


def test_G6_accepting_deletes_is_for_one_run_and_for_deletions_only() -> None:
    world = week(5)
    world.bitrix24 = ()
    made = world.sync(accept_deletes=True, booked={1000: "1 upcoming booking"})
    assert held(made) == ["booked"]
    assert list(world.ids) == [1000]


def test_G6_another_word_than_approve_releases_nothing() -> None:
    world = week(5)
    world.bitrix24 = ()
    hold = world.sync().holds[0]
    assert held(world.sync(decisions={hold.fingerprint: "bitrix24"})) == ["deletions"]


def test_G1_a_window_created_on_the_emptied_side_does_not_lift_the_hold() -> None:
    world = week(2)
    world.reservekit = ()
    world.bitrix24 += (rng("Fri", "9-12"),)
    world.run()
    assert held(world.run()) == ["deletions"]
    assert len(world.ours) == 3


def test_G2_windows_created_beside_held_deletions_do_not_lift_the_hold() -> None:
    world = week(6)
    world.bitrix24 = (*_without(world.bitrix24, 4), rng("Mon Tue Wed", "18-20"))
    world.run()
    assert held(world.run()) == ["deletions"]
    assert len(world.theirs) == 9


BOOKED = {1000: "2 upcoming bookings, the next on 2026-11-23"}


@pytest.mark.parametrize(
    ("hours", "kept_back"),
    (("9-12", False), ("8-13", False), ("9-13", False), ("9-11:59", True), ("9:01-12", True), ("10-13", True)),
)
def test_G3_a_booked_slot_is_not_moved_to_hours_that_do_not_contain_the_old_ones(hours: str, kept_back: bool) -> None:
    world = week(3, WIDE)
    world.bitrix24 = (rng("Mon", hours), rng("Tue Wed", "9-12"))
    made = world.sync(booked=BOOKED)
    assert held(made) == ["booked"] * kept_back
    assert world.theirs[win(MON, "9-12" if kept_back else hours)] == 1
    if kept_back:
        assert "time slot 1000 has 2 upcoming bookings" in made.holds[0].reason


def test_G3_a_booked_slot_is_not_deleted_and_the_others_are() -> None:
    world = week(3, WIDE)
    world.bitrix24 = (rng("Wed", "9-12"),)
    made = world.sync(booked=BOOKED)
    assert held(made) == ["booked"]
    assert set(world.ids) == {1000, 1002}


def test_G3_capacity_of_a_booked_slot_may_change_and_its_own_side_may_move_it() -> None:
    world = week(2, WIDE)
    world.bitrix24 = (rng("Mon", "9-12", 90), rng("Tue", "9-12"))
    world.reservekit = (world.reservekit[0], slot(1001, WED, "9-12", 6))
    made = world.sync(booked={1000: "1 upcoming booking", 1001: "1 upcoming booking"})
    assert made.holds == ()
    assert world.ids[1000].max_bookings == 2


def test_G3_proceed_lets_it_go_and_so_does_an_approval() -> None:
    world = week(2, WIDE)
    world.bitrix24 = (rng("Tue", "9-12"),)
    hold = world.sync(booked=BOOKED).holds[0]
    other = week(2, WIDE)
    other.bitrix24 = world.bitrix24
    other.sync(booked=BOOKED, booked_slots="proceed")
    world.sync(booked=BOOKED, decisions={hold.fingerprint: "approve"})
    assert set(world.ids) == set(other.ids) == {1001}


def going(**options: Any) -> World:
    """Monday and Tuesday are booked, and Monday is gone from Bitrix24."""
    world = week(2, replace(WIDE, booked_slots="waitlist", **options))
    world.bitrix24 = (rng("Tue", "9-12"),)
    return world


@pytest.mark.parametrize("released", ({"accept_deletes": True}, {"leaving": frozenset({1000})}))
def test_G3_waitlist_holds_until_it_is_approved_accepted_or_under_way(released: dict[str, Any]) -> None:
    hold = going().sync(booked=BOOKED).holds[0]
    for allowed in (released, {"decisions": {hold.fingerprint: "approve"}}):
        world = going()
        assert held(world.sync(booked=BOOKED)) == ["booked"]
        assert world.run(booked=BOOKED, **allowed).holds == ()
        assert set(world.ids) == {1001}


@pytest.mark.parametrize("policy", ("hold", "waitlist"))
@pytest.mark.parametrize("released", ({"accept_deletes": True}, {"leaving": frozenset({1000})}))
def test_G3_only_a_deletion_that_puts_customers_on_the_wait_list_is_released(
    policy: Literal["hold", "waitlist"], released: dict[str, Any]
) -> None:
    world = week(2, replace(WIDE, booked_slots=policy))
    world.bitrix24 = (rng("Tue", "9-12"),) if policy == "hold" else (rng("Mon", "10-12"), rng("Tue", "9-12"))
    assert held(world.run(booked=BOOKED, **released)) == ["booked"]


def test_G3_a_slot_that_goes_by_half_is_no_deletion() -> None:
    world = World((), [slot(5, MON, "22-2", 4)], options=replace(WIDE, booked_slots="waitlist"))
    world.sync()
    world.bitrix24 = tuple(item for item in world.bitrix24 if isinstance(item, Range) and "Mon" in item.week_days)
    assert held(world.run(booked={5: "1 upcoming booking"}, accept_deletes=True)) == ["booked"]


def test_G3_an_overnight_slot_that_goes_as_a_whole_is_released() -> None:
    world = World((), [slot(5, MON, "22-2", 4)], options=replace(WIDE, booked_slots="waitlist"))
    world.sync()
    world.bitrix24 = ()
    world.run(booked={5: "1 upcoming booking"}, accept_deletes=True)
    assert world.ids == {}


@pytest.mark.parametrize("released", ({"accept_deletes": True}, {"leaving": frozenset({1000})}, {}))
def test_G3_G6_customers_who_cannot_be_moved_hold_their_slot_and_the_approval_stands(released: dict[str, Any]) -> None:
    world = going()
    shown = world.run(booked=BOOKED).holds[0]
    approved = {"decisions": {shown.fingerprint: "approve"}} | released
    made = world.run(booked=BOOKED, stranded={1000: "the permission `crm` is missing"}, **approved)
    assert (made.holds[0].id, world.theirs[win(MON, "9-12")]) == (shown.id, 1)
    assert made.holds[0].reason.endswith("the next on 2026-11-23; the permission `crm` is missing")
    world.run(booked=BOOKED, **approved)
    assert set(world.ids) == {1001}


def test_G3_customers_whose_slot_nobody_knows_cannot_be_moved() -> None:
    world = going()
    made = world.run(booked=BOOKED | {0: "1 upcoming booking"}, accept_deletes=True)
    assert "names no time slot" in made.holds[0].reason
    assert set(world.ids) == {1000, 1001}


@pytest.mark.parametrize("frozen", ("reservekit", None))
def test_G3_what_was_released_and_waits_for_another_hold_stays_listed(frozen: Side | None) -> None:
    made = going().run(booked=BOOKED, accept_deletes=True, frozen={frozen: "read-only key"} if frozen else {})
    assert held(made) == (["booked", "read-only"] if frozen else [])


def test_G3_G6_an_approval_is_for_the_bookings_that_were_shown() -> None:
    world = week(2, WIDE)
    world.bitrix24 = (rng("Tue", "9-12"),)
    hold = world.sync(booked=BOOKED).holds[0]
    made = world.sync(booked={1000: "7 upcoming bookings"}, decisions={hold.fingerprint: "approve"})
    assert held(made) == ["booked"]


def test_G3_an_approved_deletion_does_not_release_a_booked_slot() -> None:
    world = week(2)
    world.bitrix24, world.reservekit = (), world.reservekit[:1]
    hold = world.sync().holds[0]
    made = world.sync(booked=BOOKED, decisions={hold.fingerprint: "approve"})
    assert held(made) == ["booked"]


def test_G3_one_part_of_an_overnight_slot_cannot_be_cut_off() -> None:
    world = World((), [slot(5, MON, "22-2", 4)])
    world.sync()
    world.bitrix24 = tuple(item for item in world.bitrix24 if isinstance(item, Range) and "Mon" in item.week_days)
    assert held(world.sync(booked={5: "1 upcoming booking"})) == ["booked"]


def test_G3_a_booked_overnight_slot_is_not_split_in_two() -> None:
    world = World((), [slot(5, MON, "22-2", 4)])
    world.sync()
    late, early = world.bitrix24
    assert isinstance(early, Range)
    world.bitrix24 = (late, replace(early, slot_size=60))
    made = world.sync(booked={5: "1 upcoming booking"})
    assert held(made) == ["booked"]
    assert world.theirs == {win(MON, "22-24"): 1, win(TUE, "0-2"): 1}
    assert list(world.ids) == [5]


def test_M3_G3_a_decided_conflict_on_a_booked_slot_can_be_carried_through() -> None:
    world = week(2, WIDE)
    world.bitrix24 = (rng("Mon", "10-12"), rng("Tue", "9-12"))
    world.reservekit = (slot(1000, MON, "9-11", 6), world.reservekit[1])
    answers = {"conflict": "bitrix24", "booked": "approve"}
    decisions: dict[str, str] = {}
    for _ in range(4):
        holds = world.run(booked=BOOKED, decisions=decisions).holds
        # As the store does it: decisions end with the hold that they answer.
        decisions = {hold.fingerprint: answers[hold.kind] for hold in holds}
    assert world.ids[1000] == slot(1000, MON, "10-12", 4)


@pytest.mark.parametrize("side", ("bitrix24", "reservekit"))
def test_W6_what_a_closed_side_should_get_waits_and_the_other_gets_what_it_is_due(side: Side) -> None:
    world = week(3, WIDE)
    world.bitrix24 = (rng("Mon", "9-13"), rng("Tue Wed", "9-12"), rng("Fri", "9-12"))
    world.reservekit = (world.reservekit[0], slot(1001, TUE, "9-14", 6), world.reservekit[2], slot(7, 5, "9-12", 6))
    made = world.sync(frozen={side: "the key may read but not write"})
    assert held(made) == ["read-only"]
    assert {change.side for change in made.changes} == {"reservekit" if side == "bitrix24" else "bitrix24"}
    assert len(made.holds[0].items) == 2
    made = world.sync()
    assert world.ours == world.theirs
    assert made.holds == ()


def test_W6_a_deletion_on_the_open_side_is_not_held() -> None:
    world = week(2, WIDE)
    world.reservekit = world.reservekit[1:]
    made = world.sync(frozen={"reservekit": "the key may read but not write"})
    assert made.holds == ()
    assert world.ours == {win(TUE, "9-12"): 1}


def test_W6_a_first_sync_with_a_closed_side_is_no_agreement_yet() -> None:
    world = World([rng("Mon", "9-12")])
    made = world.sync(frozen={"reservekit": "the key may read but not write"})
    assert held(made) == ["read-only"]
    assert world.base is None
    world.sync()
    assert world.ours == world.theirs


def test_G7_S12_a_window_undone_three_runs_in_a_row_pauses_its_pair_until_that_is_approved() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Tue", "9-12"), options=replace(WIDE, direction="to-reservekit"))
    counted: dict[str, Streak] = {}
    for _ in range(LIMIT):
        world.reservekit = (slot(1000, MON, "10-12", 4), world.reservekit[1])
        made = world.run(streaks=counted)
        assert ops(made, "reservekit") == ["update"]
        counted = streaks(made, counted)
    world.reservekit = (slot(1000, MON, "10-12", 4), world.reservekit[1])
    world.bitrix24 += (rng("Fri", "9-12"),)
    made = world.sync(streaks=counted)
    assert held(made) == ["oscillation"]
    assert made.changes == ()
    world.run(streaks=counted, decisions={made.holds[0].fingerprint: "approve"})
    assert world.ours == world.theirs


def test_G7_what_was_not_undone_does_not_count() -> None:
    world = World.synced(rng("Mon", "9-12"))
    counted: dict[str, Streak] = {}
    for hour in range(13, 22):
        world.bitrix24 = (rng("Mon", f"9-{hour}"),)
        made = world.run(streaks=counted)
        assert idle(made) is False
        assert made.holds == ()
        counted = streaks(made, counted)
        assert [streak.times for streak in counted.values()] == [1]


MARS = Range(540, 720, "Mars/Olympus", ("Mon",), 30)


def test_S5_V7_an_odd_item_alone_is_no_change_and_no_hold() -> None:
    world = week(2)
    world.bitrix24 += (MARS, Odd('{"from":[]}', "from is a list"))
    world.reservekit += (slot(9, MON, "9-12", 0), Odd('{"id":10}', "no start_time", 10))
    made = world.sync()
    assert idle(made)
    assert len(made.problems["bitrix24"]) == len(made.problems["reservekit"]) == 2


def test_S5_a_window_that_an_odd_range_may_stand_for_is_kept() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.bitrix24 = (MARS,)
    made = world.sync(accept_deletes=True)
    assert world.theirs == {win(MON, "9-12"): 1}
    assert [verdict.state for verdict in made.verdicts].count("kept") == 1
    assert MARS in world.bitrix24


def test_S5_a_slot_that_became_odd_is_not_deleted_across() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    closed = replace(world.ids[1000], max_bookings=0)
    world.reservekit = (closed, world.reservekit[1])
    made = world.sync()
    assert idle(made)
    world.reservekit = (replace(closed, max_bookings=6), world.reservekit[1])
    assert world.sync().changes == ()


def test_S5_a_slot_that_became_odd_on_another_day_is_known_by_its_id() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.reservekit = (replace(world.ids[1000], max_bookings=0, day_of_week=5), world.reservekit[1])
    assert world.sync().changes == ()


def test_S5_an_edit_that_waits_behind_an_odd_item_is_held_and_travels_once_that_is_corrected() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    closed = replace(world.ids[1000], max_bookings=0)
    world.reservekit = (closed, world.reservekit[1])
    world.bitrix24 = (rng("Mon", "9-13"), rng("Thu", "9-12"))

    made = world.sync()

    assert (held(made), made.changes) == (["unsupported"], ())
    assert "ReserveKit's time slot 1000 cannot be read" in made.holds[0].reason
    assert [item["base"] for item in made.holds[0].items] == [str(win(MON, "9-12"))]
    world.reservekit = (replace(closed, max_bookings=6), world.reservekit[1])
    assert world.sync().holds == ()
    assert win(MON, "9-13") in world.theirs


@pytest.mark.parametrize(("direction", "kinds"), [("to-reservekit", ["unsupported"]), ("to-bitrix24", [])])
def test_S5_M7_the_target_of_a_one_way_pair_has_no_edit_that_could_wait(direction: Direction, kinds: list[str]) -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.options = replace(WIDE, direction=direction)
    world.reservekit = (replace(world.ids[1000], max_bookings=0), world.reservekit[1])
    world.bitrix24 = (rng("Mon", "9-13"), rng("Thu", "9-12"))
    assert held(world.sync()) == kinds


def test_S5_when_the_odd_item_is_gone_the_deletion_is_seen() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.bitrix24 = (MARS, rng("Thu", "9-12"))
    world.sync()
    world.bitrix24 = (rng("Thu", "9-12"),)
    world.sync()
    assert list(world.theirs) == [win(3, "9-12")]


def test_S5_a_range_that_bitrix24_would_refuse_closes_it_and_reservekit_gets_what_is_due() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.bitrix24 = (rng("Mon", "9-13"), rng("Thu", "9-12"), Odd('{"from":[]}', "from is a list"))
    world.reservekit = (world.reservekit[0], slot(1001, 3, "9-15", 6))
    made = world.sync()
    assert held(made) == ["odd-range"]
    assert "range 3: from is a list" in made.holds[0].reason
    assert world.theirs[win(MON, "9-13")] == 1
    assert world.ours[win(3, "9-12")] == 1


def test_S5_a_range_that_it_would_take_back_is_carried_along() -> None:
    world = World.synced(rng("Mon", "9-12"), rng("Thu", "9-12"))
    world.bitrix24 = (MARS, *world.bitrix24)
    world.reservekit = (world.reservekit[0], slot(1001, 3, "9-15", 6))
    assert world.sync().holds == ()
    assert world.bitrix24[0] == MARS
