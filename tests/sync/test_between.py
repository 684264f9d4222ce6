"""A list around our set that lacks what is there, or has what cannot be: nothing goes for it (W2, G1, G2, S5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sync.called import in_step as named
from tests.sync.rig import Rig

WEEK = [("Mon Tue Wed Thu Fri", 540, 1080, 30), ("Sat", 0, 240, 60), ("Sun", 1200, 1440, 20)]
EDITED = sorted([WEEK[0], ("Sat", 60, 240, 60), WEEK[2]])

MakeRig = Callable[..., Rig]


def results(envelope: Any) -> Any:
    return envelope["result"]["result"]


def about_to_write(rig: Rig) -> Rig:
    """In step, with an edit in ReserveKit that is to be carried over."""
    rig.ranges(*WEEK)
    rig.sync()
    saturday = next(slot.id for slot in rig.world.reservations.slots(rig.ids["pair1"][1]) if slot.day == 5)
    rig.world.reservations.edit_slot(saturday, start=60)
    return rig


def lists_nothing_before(envelope: Any) -> None:
    results(envelope)["c0"] = {"slots": []}
    results(envelope)[list(results(envelope))[-2]] = {"slots": []}


def lists_nothing_before_and_leaves_out_the_last(envelope: Any) -> None:
    lists_nothing_before(envelope)
    del results(envelope)["c2"]


def answers_lists_throughout(envelope: Any) -> None:
    envelope["result"] = {"result": {"c0": {"slots": []}, "c1": {"slots": []}}, "result_error": []}


def lists_one_range_before_and_denies_the_set(envelope: Any) -> None:
    del results(envelope)["c0"]["slots"][0]
    results(envelope)["c1"] = False


@pytest.mark.parametrize(
    "spoil",
    [
        lists_nothing_before,
        lists_nothing_before_and_leaves_out_the_last,
        answers_lists_throughout,
        lists_one_range_before_and_denies_the_set,
    ],
)
def test_G1_G2_what_the_list_before_our_set_lacks_in_an_odd_answer_is_not_taken_away_by_a_write_back(
    rig: Rig, spoil: Callable[[Any], object]
) -> None:
    about_to_write(rig)
    rig.garble("slots.set", spoil)
    report = rig.sync()
    assert report.status == "failed"
    assert "were missing there" in str(report.error)
    assert rig.in_bitrix24() == EDITED
    assert len(rig.in_reservekit()) == 7
    assert rig.sync().status == "quiet"


def test_W2_G1_who_empties_a_resource_between_our_read_and_our_set_has_it_empty_and_reservekit_is_held(
    rig: Rig,
) -> None:
    about_to_write(rig)
    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", rig.ranges))
    report = rig.sync()
    assert (report.status, [hold.kind for hold in report.holds]) == ("held", ["deletions"])
    assert rig.in_bitrix24() == [("Sat", 60, 240, 60)]
    assert len(rig.in_reservekit()) == 7


def test_W2_a_single_deletion_in_between_is_still_merged_and_written_back(rig: Rig) -> None:
    about_to_write(rig)
    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", lambda: rig.ranges(*WEEK[:2])))
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED[:2]
    assert len(rig.in_reservekit()) == 6


def test_G1_a_list_that_lacks_everything_before_an_edit_is_put_back_costs_neither_hours_nor_the_edit(rig: Rig) -> None:
    about_to_write(rig)
    longer = ("Sun", 1140, 1440, 20)

    def edit() -> None:
        rig.ranges(*WEEK[:2], longer)
        rig.garble("slots.set", lists_nothing_before)

    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", edit))
    assert rig.sync().status == "failed"
    assert rig.in_bitrix24() == sorted([*EDITED[:2], longer])
    assert (6, 1140, 1440, 15) in rig.in_reservekit()


def test_G1_a_list_that_lacks_everything_before_a_name_is_written_costs_no_hours(make_rig: MakeRig) -> None:
    rig = named(make_rig(names="reservekit"))
    hours = rig.in_bitrix24()
    rig.world.reservations.services[rig.ids["pair1"][1]].name = "Dr. Adams"
    rig.garble("resource.update", lists_nothing_before)
    assert "were missing there" in str(rig.sync().error)
    assert rig.in_bitrix24() == hours
    assert rig.world.portal.resources[rig.ids["pair1"][0]].name == "Dr. Adams"


def names_no_such_day(listing: str) -> Callable[[Any], None]:
    def spoil(envelope: Any) -> None:
        results(envelope)[listing]["slots"][0]["weekDays"][0] = "Xyz"

    return spoil


def test_S5_a_range_that_the_portal_would_refuse_is_not_written_back_and_the_pair_is_held(rig: Rig) -> None:
    about_to_write(rig)
    rig.garble("slots.set", names_no_such_day("c0"))
    report = rig.sync(quiet_after=False)
    assert report.status == "held"
    assert [(hold.kind, "weekday 'Xyz' is unknown" in hold.reason) for hold in report.holds] == [("odd-range", True)]
    assert rig.in_bitrix24() == EDITED
    assert rig.sync().status == "quiet"
    assert not rig.sync().holds
    assert all(point.silent for point in rig.verified().disagreements)


def test_S5_an_edit_that_came_in_beside_such_a_range_is_written_back(rig: Rig) -> None:
    about_to_write(rig)
    longer = ("Sun", 1140, 1440, 20)

    def edit() -> None:
        rig.ranges(*WEEK[:2], longer)

    rig.before_request("bitrix24", lambda: rig.garble("slots.set", names_no_such_day("c0")))
    rig.before_request("bitrix24", lambda: rig.before_request("bitrix24", edit))
    assert rig.sync(quiet_after=False).status == "held"
    assert rig.in_bitrix24() == sorted([*EDITED[:2], longer])
    assert (6, 1140, 1440, 15) in rig.in_reservekit()
    assert rig.sync().status == "quiet"


def test_S5_such_a_range_in_the_list_after_our_set_is_not_written_over(rig: Rig) -> None:
    about_to_write(rig)

    def spoil(envelope: Any) -> None:
        names_no_such_day("c2")(envelope)
        results(envelope)["c0"]["slots"].pop()

    rig.garble("slots.set", spoil)
    assert rig.sync(quiet_after=False).status == "held"
    assert rig.in_bitrix24() == EDITED
    assert rig.sync().status == "quiet"


def test_S5_a_range_that_the_portal_would_refuse_before_a_name_is_written_costs_no_hours(make_rig: MakeRig) -> None:
    rig = named(make_rig(names="reservekit"))
    hours = rig.in_bitrix24()
    rig.world.reservations.services[rig.ids["pair1"][1]].name = "Dr. Adams"
    rig.garble("resource.update", names_no_such_day("c0"))
    assert rig.sync(quiet_after=False).status == "held"
    assert rig.in_bitrix24() == hours
    assert rig.sync().status == "quiet"
