"""Somebody edits a name while a run is at it: the leader's name wins, and no edit is lost to the history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slotbridge.reconcile.model import Side
from tests.sync.called import called, in_step, resource, service
from tests.sync.decided import overruled
from tests.sync.rig import Rig
from tests.sync.test_names import EDIT, FOLLOWER, HOURS, LEADERS, names_sent

MakeRig = Callable[..., Rig]


def at_request(rig: Rig, number: int, api: str, edit: Callable[[], object]) -> None:
    """Calls `edit` right before the request of that number to that side from now on."""
    count = 0

    def hook(_world: object, to: str, _method: str, _path: str) -> None:
        nonlocal count
        count += to == api
        if to == api and count == number:
            edit()

    rig.world.on_request.append(hook)


@pytest.mark.parametrize("leader", LEADERS)
def test_an_edit_of_the_follower_right_after_our_write_is_overruled_by_the_next_run(
    leader: Side, make_rig: MakeRig
) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, "Dr. Adams")
    # Slots, names, the write, and then the reading that verifies.
    at_request(rig, 4, FOLLOWER[leader], lambda: EDIT[FOLLOWER[leader]](rig, "Somebody else"))
    first = rig.run().pairs[0]
    assert (first.status, first.changes) == ("failed", ())
    assert "Somebody may have edited it meanwhile" in str(first.error)
    rig.sync()
    assert called(rig) == (("Dr. Adams", ""),) * 2
    assert [record.before for record in overruled(rig)] == [{"name": "Somebody else"}]
    assert rig.sync().status == "quiet"


def test_W3_a_server_that_alters_a_text_is_sent_it_twice_and_not_again(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    stored = rig.world.reservations.services[rig.ids["pair1"][1]]
    EDIT["bitrix24"](rig, "Dr. Adams", "Room 3")

    def alter(_world: object, _api: str, method: str, path: str) -> None:
        if method == "GET" and path == "/v1/services" and stored.name == "Dr. Adams":
            stored.name = "DR. ADAMS"

    rig.world.on_request.append(alter)
    first = rig.run().pairs[0]
    assert (first.status, [change.after for change in first.changes]) == ("failed", [{"description": "Room 3"}])
    assert [rig.run().pairs[0].status for _ in range(3)] == ["failed"] * 3
    assert names_sent(rig) == 2
    stored.name = "Dr. Adams"
    rig.world.on_request.clear()
    assert rig.sync().status == "quiet"


@pytest.mark.parametrize("text", ["Dr. Adams", "Dr $result[c0]"])
def test_an_edit_of_the_resource_right_before_our_update_is_kept_in_the_history(text: str, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, text)
    # Slots and names are read; then comes the batch, or, where it would distort the text, a `get` before the rest.
    at_request(rig, 3, "bitrix24", lambda: resource(rig, "Somebody else", "a colleague"))
    report = rig.run().pairs[0]
    assert (report.status, called(rig)[0][0], rig.in_bitrix24()) == ("changed", text, HOURS)
    assert [record.before for record in overruled(rig)] == [{"name": "Somebody else"}]
    assert "right before" in overruled(rig)[0].why
    rig.sync()
    assert called(rig) == ((text, ""),) * 2
    assert {"description": "a colleague"} in [record.before for record in overruled(rig)]


def test_hours_that_somebody_sets_while_a_name_goes_by_single_calls_are_put_back(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr $result[c0]")
    edited = ("Mon Tue Wed", 600, 1080, 30)
    # Slots, names; get, list, update, and the list before the set.
    at_request(rig, 6, "bitrix24", lambda: rig.ranges(edited))
    rig.run()
    assert (rig.in_bitrix24(), called(rig)[0][0]) == ([edited], "Dr $result[c0]")
    rig.sync()
    assert rig.in_reservekit() == [(day, 600, 1080, 16) for day in range(3)]
