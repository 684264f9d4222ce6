"""Edits that come in between our requests (W2, W3): none is lost, none is swallowed into the base."""

from __future__ import annotations

from collections.abc import Callable

from tests.sync.rig import Rig


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
