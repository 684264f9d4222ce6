"""What a run costs in requests: the scarce thing."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import pytest

from tests.sync.decided import opened
from tests.sync.rig import Rig

HOUR = 3600
ZONES = 1
"""Before hours are written the zones are asked for, unless that was a minute ago: one page per hundred services."""


def in_step(rig: Rig, *, minutes_ago: int = 10) -> Rig:
    for pair in rig.ids:
        rig.ranges(("Mon Tue Wed Thu Fri", 540, 1080, 30), pair=pair)
    rig.sync()
    rig.clock.time += 60 * minutes_ago
    return rig


def remembered(rig: Rig) -> dict[str, str | None]:
    """What Bitrix24 held for each pair when a run last knew."""
    with opened(rig) as store:
        return {name: memory.bitrix24_digest for name, memory in store.recall(list(rig.ids)).items()}


@pytest.mark.parametrize("count", [1, 50, 51, 120])
def test_a_quiet_run_costs_one_request_per_fifty_resources_and_one_per_service(
    count: int, make_rig: Callable[..., Rig]
) -> None:
    rig = in_step(make_rig(pairs=count))
    report = rig.run()
    assert report.requests == {"bitrix24": ceil(count / 50), "reservekit": count}
    assert report.count("quiet") == count
    rig.clock.time += HOUR
    assert rig.run().requests == {"bitrix24": ceil(count / 50), "reservekit": count + ceil(count / 100)}


def test_an_edit_in_bitrix24_costs_three_requests_more(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=3))
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1140, 30), ("Sat", 600, 720, 30), pair="pair2")
    report = rig.run()
    assert report.requests == {"bitrix24": 1, "reservekit": 3 + 2 + ZONES}
    assert len(report.pairs[1].changes) == 6


def test_an_edit_in_reservekit_costs_one_request_more_on_each_side(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=3))
    rig.world.reservations.edit_slot(rig.slot_ids("pair3")[2], end=1200)
    assert rig.run().requests == {"bitrix24": 2, "reservekit": 3 + ZONES}


def test_a_look_at_bitrix24_costs_reservekit_nothing_and_knows_what_a_run_has_left(
    make_rig: Callable[..., Rig],
) -> None:
    rig = in_step(make_rig(pairs=3))
    rig.world.reservations.edit_slot(rig.slot_ids("pair3")[2], end=1200)
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1140, 30), pair="pair2")
    rig.ranges(pair="pair1")  # all of it at once: that is held
    statuses = [pair.status for pair in rig.run().pairs]
    assert statuses == ["held", "changed", "changed"]
    before = rig.requests("reservekit")
    assert rig.looked() == remembered(rig)
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1200, 30), pair="pair2")
    assert [name for name, held in rig.looked().items() if held != remembered(rig)[name]] == ["pair2"]
    assert rig.requests("reservekit") == before
    rig.sync()
    assert rig.looked() == remembered(rig)


def test_a_look_sees_what_a_failed_run_has_not_brought_over(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig())
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1140, 30))
    rig.reservekit = {"api_key": "sk_rsv_revoked"}
    assert rig.run().pairs[0].status == "failed"
    assert rig.looked() != remembered(rig)
    rig.reservekit = {}
    rig.sync()
    assert rig.looked() == remembered(rig)


def test_a_second_edit_within_the_minute_does_without_the_zones(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=3))
    for end in (1140, 1200):
        rig.ranges(("Mon Tue Wed Thu Fri", 540, end, 30), pair="pair2")
        report = rig.run()
    assert report.requests == {"bitrix24": 1, "reservekit": 3 + 2}


def test_seventeen_written_pairs_share_two_batches(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=17))
    for pair in rig.ids:
        rig.slot(5, 600, 660, pair=pair)
    assert rig.run().requests == {"bitrix24": 1 + 2, "reservekit": 17 + ZONES}


def test_edits_on_both_sides_cost_one_and_three(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1200)
    rig.ranges(("Mon Tue Wed Thu", 540, 1080, 30), ("Fri", 540, 1200, 30))
    report = rig.run()
    assert report.requests == {"bitrix24": 1 + 1, "reservekit": 1 + 2 + ZONES}
    assert report.count("changed") == 1


def test_hours_that_shrink_cost_the_booking_page(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1020, 30))
    assert rig.run().requests == {"bitrix24": 1, "reservekit": 1 + 1 + 2 + ZONES}


def test_W3_a_reading_that_has_grown_old_is_read_again_before_it_is_written_on(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed Thu Fri", 540, 1020, 30))

    def dawdle(_world: object, _api: str, _method: str, path: str) -> None:
        if path == "/v1/bookings":
            rig.clock.time += 60

    rig.world.on_request.append(dawdle)
    assert rig.run().requests == {"bitrix24": 1, "reservekit": 1 + 1 + 3 + ZONES}


def test_a_deleted_slot_costs_itself_its_bookings_and_the_verifying_read(rig: Rig) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue Wed Thu", 540, 1080, 30))
    report = rig.run()
    # Bitrix24: the read, and the one that confirms the deletion. ReserveKit: read, bookings, delete, verify.
    assert report.requests == {"bitrix24": 2, "reservekit": 4 + ZONES}
    assert len(rig.slot_ids()) == 4


def test_a_deletion_that_waits_costs_its_bookings_alone_however_many_pairs_there_are(
    make_rig: Callable[..., Rig],
) -> None:
    rig = in_step(make_rig(pairs=51))
    rig.ranges(pair="pair7")
    first = rig.run()
    assert [pair.name for pair in first.pairs if pair.holds] == ["pair7"]
    rig.clock.time += 600
    again = rig.run()
    assert again.requests == first.requests == {"bitrix24": 2, "reservekit": 51 + 1}
    assert [hold.id for pair in again.pairs for hold in pair.holds] == [hold.id for hold in first.pairs[6].holds]
    assert len(rig.slot_ids("pair7")) == 5


def test_a_deletion_among_many_pairs_is_read_again_before_it_is_made(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=51))
    rig.ranges(("Mon Tue Wed Thu", 540, 1080, 30), pair="pair7")
    # Bitrix24: both chunks, this pair again, and the reading that confirms it. ReserveKit: read and bookings twice,
    # delete, verify.
    dry = rig.run(dry_run=True)
    assert dry.requests == {"bitrix24": 2, "reservekit": 51 + 1 + ZONES}
    assert dry.pairs[6].status == "changed"
    assert rig.run().requests == {"bitrix24": 4, "reservekit": 51 + 5 + ZONES}
    assert len(rig.slot_ids("pair7")) == 4


def test_a_dry_run_costs_what_reading_costs_and_writes_nothing(rig: Rig) -> None:
    rig.ranges(("Mon", 540, 1080, 30))
    report = rig.run(dry_run=True)
    assert report.requests == {"bitrix24": 1, "reservekit": 2}
    assert not rig.database.exists()
    assert rig.writes() == 0
    assert report.pairs[0].changes == rig.run().pairs[0].changes
