"""Edits that come in between our requests (W2, W3): none is lost, none is swallowed into the base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.sandbox.traffic import Fault, FaultKind
from tests.sync.called import Death
from tests.sync.rig import Rig

EDITED = [("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30), ("Wed", 600, 1080, 30)]
THURSDAY = ("Thu", 600, 660, 30)

Ranges = tuple[str, int, int, int]


def in_step(rig: Rig) -> Rig:
    rig.ranges(("Mon Tue Wed", 540, 1080, 30))
    rig.sync()
    return rig


def before_the_set(rig: Rig, edit: Callable[[], None]) -> None:
    """Edits once, right before the second batch of the next run: the first one reads."""
    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", edit))


def test_W2_an_edit_between_our_read_and_our_set_is_merged_and_written_back(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)
    # The first batch reads; right before the second, which sets, somebody saves the form.
    before_the_set(rig, lambda: rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 600, 1080, 30)))
    report = rig.sync(quiet_after=False)
    assert report.status == "changed"
    assert rig.in_bitrix24() == [("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30), ("Wed", 600, 1080, 30)]
    assert rig.in_reservekit() == [(0, 540, 1020, 18), (1, 540, 1080, 18), (2, 600, 1080, 16)]
    assert rig.sync().status == "quiet"


def raced(rig: Rig, then: Callable[[], None] | None = None) -> Rig:
    """An edit in ReserveKit is about to be carried over, and one in Bitrix24 comes in right before our set."""
    in_step(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)

    def edit() -> None:
        rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 600, 1080, 30))
        if then is not None:  # once more, before the next batch
            rig.before_request("bitrix24", then)

    before_the_set(rig, edit)
    return rig


@pytest.mark.parametrize("kind", ["drop-before", "bad-gateway", "malformed", "drop-after"])
def test_W2_an_edit_that_could_not_be_written_back_is_put_back_by_the_next_run(rig: Rig, kind: FaultKind) -> None:
    raced(rig)
    rig.world.faults.append(Fault("slots.set", kind, skip=1, api="bitrix24"))
    assert rig.sync(quiet_after=False).status == "failed"
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED
    assert rig.in_reservekit() == [(0, 540, 1020, 18), (1, 540, 1080, 18), (2, 600, 1080, 16)]


def test_W4_a_death_before_the_write_back_leaves_the_edit_to_the_next_run(rig: Rig) -> None:
    raced(rig)

    def die() -> None:
        raise Death

    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", die)))
    with pytest.raises(Death):
        rig.run()
    dry = rig.run(dry_run=True).pairs[0]
    assert dry.status == "changed"
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED


def test_W2_what_somebody_sets_after_a_broken_write_back_is_their_latest_wish(rig: Rig) -> None:
    raced(rig)
    rig.world.faults.append(Fault("slots.set", "drop-before", skip=1, api="bitrix24"))
    assert rig.sync(quiet_after=False).status == "failed"
    rig.ranges(("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30), ("Wed", 660, 1080, 30))
    assert rig.sync().status == "changed"
    assert ("Wed", 660, 1080, 30) in rig.in_bitrix24()
    assert (2, 660, 1080, 14) in rig.in_reservekit()


def test_W2_a_second_edit_before_the_write_back_of_the_first_loses_neither(rig: Rig) -> None:
    """Found by the soak: what the first set had left was edited again, and the second edit passed for both."""
    raced(rig, lambda: rig.ranges(("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30), THURSDAY))
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == sorted([*EDITED, THURSDAY])
    assert rig.in_reservekit() == [(0, 540, 1020, 18), (1, 540, 1080, 18), (2, 600, 1080, 16), (3, 600, 660, 2)]


def test_W2_a_second_edit_of_the_same_hours_before_the_write_back_is_the_latest_wish(rig: Rig) -> None:
    raced(rig, lambda: rig.ranges(("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30), ("Wed", 660, 1080, 30)))
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == [("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30), ("Wed", 660, 1080, 30)]


def test_W2_what_somebody_adds_after_a_broken_write_back_stands_beside_what_is_put_back(rig: Rig) -> None:
    raced(rig)
    rig.world.faults.append(Fault("slots.set", "drop-before", skip=1, api="bitrix24"))
    assert rig.sync(quiet_after=False).status == "failed"
    rig.ranges(("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30), THURSDAY)
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == sorted([*EDITED, THURSDAY])


def test_W2_what_somebody_takes_away_after_a_write_back_that_nobody_heard_of_stays_away(rig: Rig) -> None:
    raced(rig)
    rig.world.faults.append(Fault("slots.set", "drop-after", skip=1, api="bitrix24"))
    assert rig.sync(quiet_after=False).status == "failed"
    assert rig.in_bitrix24() == EDITED
    rig.ranges(("Mon", 540, 1020, 30), ("Tue", 540, 1080, 30))
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED[:2]
    assert rig.in_reservekit() == [(0, 540, 1020, 18), (1, 540, 1080, 18)]


def test_W3_a_write_that_was_undone_at_once_is_sent_again_when_a_side_has_changed(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed", 540, 1080, 30), ("Thu", 540, 600, 30))
    rig.before_request(
        "PATCH", lambda: rig.before_request("GET", lambda: rig.world.reservations.remove_slot(rig.slot_ids()[-1]))
    )
    assert rig.sync().status == "failed"
    assert rig.sync().status == "failed"  # as long as nothing changes, nothing is sent
    rig.ranges(("Mon Wed", 540, 1080, 30), ("Tue", 600, 1080, 30), ("Thu", 540, 600, 30))
    assert rig.sync().status == "changed"
    assert {(1, 600, 1080, 16), (3, 540, 600, 2)} <= set(rig.in_reservekit())


def test_W2_a_conflicting_edit_in_between_is_restored_and_held(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)
    before_the_set(rig, lambda: rig.ranges(("Tue Wed", 540, 1080, 30), ("Mon", 540, 900, 30)))
    report = rig.sync()
    assert report.status == "held"
    assert ("Mon", 540, 900, 30) in rig.in_bitrix24()
    assert (0, 540, 1020, 18) in rig.in_reservekit()


def test_W3_an_edit_of_the_slot_before_the_verifying_read_is_noticed_and_not_swallowed(rig: Rig) -> None:
    in_step(rig)
    slot = rig.slot_ids()[0]
    rig.ranges(("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30))
    patched: list[str] = []

    def edit(_world: object, _api: str, method: str, _path: str) -> None:
        if patched == ["PATCH"]:
            patched.append("edited")
            rig.world.reservations.edit_slot(slot, end=900)
        if method == "PATCH":
            patched.append(method)

    rig.world.on_request.append(edit)
    report = rig.sync(quiet_after=False)
    assert report.status == "failed"
    after = rig.sync()
    assert after.status == "held"
    assert rig.in_reservekit()[0] == (0, 540, 900, 16)
    assert ("Mon", 540, 1020, 30) in rig.in_bitrix24()


def test_an_edit_after_our_last_read_is_an_ordinary_change_of_the_next_run(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed", 540, 1020, 30))
    rig.run()
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)
    assert rig.sync().status == "changed"
    assert ("Mon", 540, 900, 30) in rig.in_bitrix24()


def test_M10_going_back_travels_back(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed", 540, 1020, 30))
    rig.sync()
    assert rig.in_reservekit()[0][2] == 1020
    for slot in rig.slot_ids():
        rig.world.reservations.edit_slot(slot, end=1080, max_bookings=18)
    rig.sync()
    assert rig.in_bitrix24() == [("Mon Tue Wed", 540, 1080, 30)]


@pytest.mark.parametrize(
    ("theirs", "come_to"),
    [
        ([("Mon Tue Wed", 540, 1080, 30)], []),
        ([("Mon Tue Wed", 540, 1080, 30), ("Fri", 540, 600, 30)], [("Fri", 540, 600, 30)]),
    ],
)
def test_W2_of_two_sets_at_once_that_stand_beside_each_other_nothing_is_doubled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, theirs: list[Ranges], come_to: list[Ranges]
) -> None:
    in_step(rig)
    rig.slot(3, 600, 660, 2)
    ours = [("Mon Tue Wed", 540, 1080, 30), ("Thu", 600, 660, 30)]
    set_slots = Bitrix24Client.set_slots

    async def beside(self: Bitrix24Client, wanted: Any, *more: Any) -> Any:
        monkeypatch.undo()
        (resource,) = wanted
        written: Any = (await set_slots(self, wanted, *more))[resource]
        rig.ranges(*ours, *theirs)
        return {resource: replace(written, after=tuple(rig.world.portal.slots(resource)))}

    monkeypatch.setattr(Bitrix24Client, "set_slots", beside)
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == sorted([*ours, *come_to])
    assert len(rig.in_reservekit()) == 4 + len(come_to)
