"""First syncs, new agreements, and one-way pairs (M6, M7, M12, S2, S9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbridge.reconcile.agreement import Agreement, disagreement
from slotbridge.reconcile.model import Direction, Initial, Options, Policy
from tests.reconcile.world import MON, TUE, WED, WIDE, World, held, idle, ops, rng, slot, win

ONE_WAY: tuple[Direction, Direction] = ("to-reservekit", "to-bitrix24")


def different(options: Options = WIDE) -> World:
    """Monday equal, Tuesday overlapping, Wednesday in Bitrix24 alone, Thursday in ReserveKit alone."""
    return World(
        [rng("Mon", "9-12", 60), rng("Tue", "9-12", 60), rng("Wed", "9-12", 60)],
        [slot(1, MON, "9-12", 3), slot(2, TUE, "10-13", 3), slot(3, 3, "9-12", 3)],
        options=options,
    )


def test_M6_an_empty_service_is_filled() -> None:
    world = World([rng("Mon Tue", "9-17", 30)])
    made = world.sync()
    assert world.theirs == {win(MON, "9-17"): 1, win(TUE, "9-17"): 1}
    assert ops(made, "bitrix24") == []


def test_M6_an_empty_resource_is_filled() -> None:
    world = World((), [slot(1, MON, "9-17", 16), slot(2, TUE, "9-17", 16)])
    made = world.sync()
    assert world.bitrix24 == (rng("Mon Tue", "9-17", 30),)
    assert ops(made, "reservekit") == []


def test_M6_both_empty_is_agreed() -> None:
    world = World()
    made = world.sync()
    assert idle(made)
    assert world.base == ()


def test_M6_equal_sides_are_linked_without_a_write_as_after_a_lost_database() -> None:
    world = World.synced(rng("Mon Tue", "9-17", 30), rng("Mon Tue", "9-17", 30), rng("Fri", "22-24", 45))
    before = world.base
    world.base = None
    made = world.sync()
    assert idle(made)
    assert world.base == before


def test_M6_different_sides_wait() -> None:
    world = different()
    made = world.sync()
    assert held(made) == ["first-sync"]
    assert made.changes == ()
    assert world.base is None
    # Everything that differs is shown, what is equal is not.
    assert len(made.holds[0].items) == 3


def test_M6_merge_links_equals_takes_the_union_and_holds_what_overlaps() -> None:
    world = different(replace(WIDE, initial="merge"))
    made = world.sync()
    assert held(made) == ["conflict"]
    both = {win(MON, "9-12"): 1, win(WED, "9-12"): 1, win(3, "9-12"): 1}
    assert world.ours == both | {win(TUE, "9-12"): 1}
    assert world.theirs == both | {win(TUE, "10-13"): 1}
    assert {1, 2, 3} <= set(world.ids)


@pytest.mark.parametrize(("policy", "hours"), (("bitrix24", "9-12"), ("reservekit", "10-13")))
def test_M6_merge_with_a_conflict_policy(policy: Policy, hours: str) -> None:
    world = different(replace(WIDE, initial="merge", conflict=policy))
    world.sync()
    assert world.ours == world.theirs
    assert world.ours[win(TUE, hours)] == 1
    assert {1, 2, 3} <= set(world.ids)


@pytest.mark.parametrize("policy", ("bitrix24", "reservekit"))
def test_M6_initial_makes_the_other_side_equal(policy: Initial) -> None:
    world = different(replace(WIDE, initial=policy))
    ours, theirs = world.ours, world.theirs
    made = world.sync()
    assert world.ours == world.theirs == (ours if policy == "bitrix24" else theirs)
    assert 2 in world.ids
    assert made.overruled


@pytest.mark.parametrize("decision", ("merge", "bitrix24", "reservekit"))
def test_M6_G6_the_held_first_sync_is_resolved_by_a_decision(decision: str) -> None:
    world = different()
    hold = world.sync().holds[0]
    changed = different()
    changed.reservekit += (slot(9, 5, "9-12", 3),)
    assert held(changed.sync(decisions={hold.fingerprint: decision})) == ["first-sync"]
    made = world.sync(decisions={hold.fingerprint: decision})
    assert held(made) == ["conflict"] * (decision == "merge")
    assert world.base is not None


def test_M6_a_conflict_of_the_first_sync_is_resolved_by_a_decision() -> None:
    world = different(replace(WIDE, initial="merge"))
    hold = world.sync().holds[0]
    made = world.sync(decisions={hold.fingerprint: "bitrix24"})
    assert made.holds == ()
    assert world.ours == world.theirs
    assert world.ids[2] == slot(2, TUE, "9-12", 3)


def test_S2_several_windows_that_overlap_are_one_conflict() -> None:
    world = World(
        [rng("Mon", "9-12"), rng("Mon", "14-18"), rng("Tue", "9-12")],
        [slot(1, MON, "11-15", 4), slot(2, TUE, "8-9", 1)],
        options=replace(WIDE, initial="merge"),
    )
    made = world.sync()
    assert held(made) == ["conflict"]
    world.sync(decisions={made.holds[0].fingerprint: "reservekit"})
    assert world.ours == world.theirs
    assert [window for window in world.ours if window.weekday == MON] == [win(MON, "11-15")]


def test_S2_new_on_both_overlapping_is_a_conflict_with_a_base_too() -> None:
    world = World.synced(rng("Sun", "9-12"))
    world.bitrix24 += (rng("Mon", "9-12"),)
    world.reservekit += (slot(5, MON, "10-13", 6),)
    assert held(world.sync()) == ["conflict"]


def test_M6_deletions_of_a_first_sync_are_guarded() -> None:
    many = [slot(number, number, "9-12", 3) for number in range(1, 6)]
    world = World([rng("Mon", "14-16", 60)], many, options=Options(initial="bitrix24"))
    made = world.run()
    assert held(made) == ["deletions"]
    assert len(world.theirs) == 6
    assert held(world.run()) == ["deletions"]
    world.run(accept_deletes=True)
    assert world.ours == world.theirs == {win(MON, "14-16"): 1}


def test_G6_held_deletions_of_a_first_sync_keep_their_id() -> None:
    many = [slot(number, number, "9-12", 3) for number in range(1, 6)]
    World([rng("Mon", "14-16", 60)], many, options=Options(initial="bitrix24")).sync()


@pytest.mark.parametrize("direction", ONE_WAY)
@pytest.mark.parametrize("initial", ("hold", "merge"))
def test_S9_initial_holds_for_one_way_pairs_too(direction: Direction, initial: Initial) -> None:
    world = different(replace(WIDE, direction=direction, initial=initial))
    ours, theirs = world.ours, world.theirs
    made = world.sync()
    assert held(made) == ["first-sync"]
    assert (world.ours, world.theirs) == (ours, theirs)


def test_S9_merging_one_way_adds_what_the_target_lacks() -> None:
    options = replace(WIDE, direction="to-reservekit", initial="merge")
    world = World([rng("Mon Tue", "9-12", 60)], [slot(1, MON, "9-12", 3)], options=options)
    world.sync()
    assert world.theirs == {win(MON, "9-12"): 1, win(TUE, "9-12"): 1}


@pytest.mark.parametrize("direction", ONE_WAY)
def test_S9_the_side_that_is_not_followed_cannot_be_kept(direction: Direction) -> None:
    target: Initial = "reservekit" if direction == "to-reservekit" else "bitrix24"
    world = different(replace(WIDE, direction=direction, initial=target))
    assert held(world.sync()) == ["first-sync"]
    source: Initial = "bitrix24" if direction == "to-reservekit" else "reservekit"
    world.options = replace(world.options, initial=source)
    assert world.sync().holds == ()


@pytest.mark.parametrize("direction", ONE_WAY)
def test_S9_an_empty_target_is_filled_and_an_empty_source_empties_nothing(direction: Direction) -> None:
    options = replace(WIDE, direction=direction)
    ours, theirs = [rng("Mon", "9-12", 60)], [slot(1, MON, "9-12", 3)]
    to_reservekit = direction == "to-reservekit"
    filled = World(ours if to_reservekit else (), () if to_reservekit else theirs, options=options)
    filled.sync()
    assert filled.ours == filled.theirs == {win(MON, "9-12"): 1}
    emptied = World(() if to_reservekit else ours, theirs if to_reservekit else (), options=options)
    assert held(emptied.sync()) == ["first-sync"]


@pytest.mark.parametrize("direction", ONE_WAY)
def test_M7_the_target_becomes_the_source_and_the_plan_says_so(direction: Direction) -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Tue", "9-12", 60), rng("Wed", "9-12", 60))
    world.options = replace(WIDE, direction=direction, conflict="hold")
    world.bitrix24 = (rng("Mon", "9-13", 60), rng("Wed", "9-12", 45), rng("Fri", "9-12", 60))
    world.reservekit = (
        slot(1000, MON, "8-12", 5),
        slot(1001, TUE, "9-12", 3),
        slot(1002, WED, "9-12", 9),
        slot(7, 5, "9-12", 3),
    )
    ours, theirs = world.ours, world.theirs
    made = world.sync()
    assert world.ours == world.theirs == (ours if direction == "to-reservekit" else theirs)
    assert made.holds == ()
    target = "reservekit" if direction == "to-reservekit" else "bitrix24"
    assert {change.side for change in made.changes} == {target}
    assert {lost.side for lost in made.overruled} == {target}
    assert 1000 in world.ids
    assert any("follows" in change.why or "not in" in change.why for change in made.changes)


def test_M7_capacity_edits_on_the_target_are_overwritten() -> None:
    world = World.synced(rng("Mon", "9-12", 60), options=replace(WIDE, direction="to-reservekit"))
    world.reservekit = (slot(1000, MON, "9-12", 9),)
    made = world.sync()
    assert world.ids[1000].max_bookings == 3
    assert "follows Bitrix24" in made.changes[0].why


def test_M7_split_mode_leaves_the_targets_own_capacity() -> None:
    options = replace(WIDE, direction="to-reservekit", capacity="fixed", max_bookings=2)
    world = World.synced(rng("Mon", "9-12", 60), options=options)
    world.reservekit = (slot(1000, MON, "9-12", 9),)
    assert world.sync().changes == ()


NOW = Agreement(15, 123, "Europe/Kyiv", "window", "derive", "monday", "auto", "naive")


def test_M12_the_same_terms_are_an_agreement() -> None:
    assert disagreement(NOW, NOW) is None
    assert disagreement(NOW._replace(zone="Europe/Kiev"), NOW) is None
    assert disagreement(NOW._replace(time_form=None), NOW) is None
    assert disagreement(NOW, NOW._replace(time_form=None)) is None


@pytest.mark.parametrize(
    "change",
    (
        {"resource_id": 16},
        {"service_id": 5},
        {"zone": "Europe/Berlin"},
        {"slots": "split"},
        {"capacity": "fixed"},
        {"day_zero": "sunday"},
        {"time_basis": "utc"},
        {"time_form": "zoned"},
    ),
)
def test_M12_every_other_change_of_terms_is_named(change: dict[str, Any]) -> None:
    said = disagreement(NOW, NOW._replace(**change))
    (name,) = change
    assert said is not None
    assert said.startswith(name.replace("_", " "))


def test_M12_a_change_of_terms_is_previewed_and_never_a_wave_of_deletions() -> None:
    world = World.synced(rng("Mon Tue Wed Thu", "9-12", 60))
    world.terms = replace(world.terms, day_zero="sunday")
    world.options = replace(WIDE, disagreement="day zero changed from monday to sunday", initial="bitrix24")
    made = world.sync()
    assert held(made) == ["agreement"]
    assert made.holds[0].reason == "day zero changed from monday to sunday"
    assert made.changes == ()


def test_M12_what_a_person_names_for_this_run_counts() -> None:
    world = World.synced(rng("Mon Tue Wed Thu", "9-12", 60))
    world.terms = replace(world.terms, day_zero="sunday")
    world.options = replace(WIDE, disagreement="day zero changed", initial="bitrix24")
    world.sync(insisted=True, accept_deletes=True)
    assert world.ours == world.theirs


def test_M12_equal_sides_agree_anew_without_a_question() -> None:
    world = World.synced(rng("Mon", "9-12", 60))
    world.options = replace(WIDE, disagreement="capacity changed from derive to fixed")
    made = world.sync()
    assert idle(made)
    assert made.agreed


def test_M12_a_new_resource_is_compared_and_not_merged_by_the_old_base() -> None:
    world = World.synced(rng("Mon", "9-12", 60), rng("Tue", "9-12", 60))
    world.bitrix24 = (rng("Wed", "9-12", 60),)
    world.options = replace(WIDE, disagreement="resource id changed from 15 to 16")
    made = world.sync()
    assert held(made) == ["agreement"]
    assert len(world.theirs) == 2
    made = world.sync(decisions={made.holds[0].fingerprint: "merge"})
    assert len(world.ours) == len(world.theirs) == 3
