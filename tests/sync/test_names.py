"""Names and descriptions follow the side that leads, and never at the expense of the hours (issue of both sides, 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import Side
from slotbridge.sandbox.portal_binding import Refusal
from slotbridge.sandbox.portal_methods import _METHODS
from slotbridge.sandbox.traffic import Fault
from tests.sync.called import called, in_step, resource, run, service
from tests.sync.decided import kinds, opened, overruled
from tests.sync.rig import ZONE, Network, Rig
from tests.sync.test_undo import last_run, undo

MakeRig = Callable[..., Rig]
HOURS = [("Mon Tue Wed", 540, 1080, 30)]
LEADERS: list[Side] = ["bitrix24", "reservekit"]
EDIT: dict[Side, Callable[..., None]] = {"bitrix24": resource, "reservekit": service}
FOLLOWER: dict[Side, Side] = {"bitrix24": "reservekit", "reservekit": "bitrix24"}


def behave(rig: Rig, **how: Any) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, **how)


def names_sent(rig: Rig) -> int:
    return sum(logged.method == "PATCH" and "/services/" in logged.path for logged in rig.world.log)


@pytest.mark.parametrize("leader", LEADERS)
def test_a_name_follows_and_the_hours_stay_as_they_are(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    ids = rig.slot_ids()
    EDIT[leader](rig, "Dr. Adams", "Room 3\nsecond floor")
    report = rig.sync()
    assert [change["side"] for change in report.as_json()["changes"]] == [FOLLOWER[leader]]
    assert report.as_json()["changes"][0] == {
        "side": FOLLOWER[leader],
        "op": "update",
        "before": {"name": "Doctor pair1", "description": ""},
        "after": {"name": "Dr. Adams", "description": "Room 3\nsecond floor"},
        "why": f"edited in {'Bitrix24' if leader == 'bitrix24' else 'ReserveKit'}",
    }
    assert called(rig) == (("Dr. Adams", "Room 3\nsecond floor"),) * 2
    assert rig.in_bitrix24() == HOURS
    assert rig.slot_ids() == ids


@pytest.mark.parametrize("leader", LEADERS)
def test_only_the_field_that_was_edited_is_told_and_sent(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, description="On holiday")
    (change,) = rig.sync().changes
    assert (change.before, change.after) == ({"description": ""}, {"description": "On holiday"})
    assert called(rig) == (("Doctor pair1", "On holiday"),) * 2


@pytest.mark.parametrize("leader", LEADERS)
def test_an_edit_of_the_side_that_follows_is_overruled_and_kept_whole(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[FOLLOWER[leader]](rig, "Somebody else")
    (change,) = rig.sync().changes
    assert "but" in change.why
    assert called(rig)[0][0] == called(rig)[1][0] == "Doctor pair1"
    (record,) = overruled(rig)
    assert (record.side, record.before, record.after) == (FOLLOWER[leader], {"name": "Somebody else"}, None)


@pytest.mark.parametrize("leader", LEADERS)
def test_the_first_run_gives_the_leaders_name_whatever_the_other_is_called(leader: Side, make_rig: MakeRig) -> None:
    rig = make_rig(names=leader)
    rig.ranges(*HOURS)
    EDIT[leader](rig, "Dr. Adams", "Dentist")
    assert {change.side for change in rig.sync().changes if "name" in (change.after or {})} == {FOLLOWER[leader]}
    assert called(rig) == (("Dr. Adams", "Dentist"),) * 2
    assert rig.in_bitrix24() == HOURS
    assert overruled(rig) == []


def test_S3_what_is_called_alike_already_is_linked_without_a_write(make_rig: MakeRig) -> None:
    rig = in_step(make_rig())
    rig.options["names"] = "reservekit"
    writes = rig.writes()
    report = rig.run()
    assert (report.pairs[0].status, report.pairs[0].linked, rig.writes()) == ("quiet", True, writes)
    resource(rig, "Dr. Adams")
    service(rig, "Dr. Adams")
    assert rig.sync().status == "quiet"
    assert names_sent(rig) == 0


def test_off_means_that_nobody_asks(make_rig: MakeRig) -> None:
    rig = in_step(make_rig())
    resource(rig, "Dr. Adams", "Dentist")
    report = rig.run()
    assert report.requests == {"bitrix24": 1, "reservekit": 1}
    assert called(rig)[1] == ("Doctor pair1", "")


def test_C3_a_name_that_has_to_be_cut_is_written_once_and_then_agreed_on(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    resource(rig, "Ä" * 100, "ß" * 300)
    rig.sync()
    assert called(rig)[1] == ("Ä" * 72, "ß" * 255)
    rig.options["names"] = "reservekit"
    assert rig.sync().status == "quiet"
    assert called(rig)[0] == ("Ä" * 100, "ß" * 300)
    service(rig, description="short")
    assert [change.after for change in rig.sync().changes] == [{"description": "short"}]
    assert called(rig)[0] == ("Ä" * 100, "short")


def test_an_empty_name_is_left(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "", "no name any more")
    assert [change.after for change in rig.sync().changes] == [{"description": "no name any more"}]
    assert called(rig)[0] == ("Doctor pair1", "no name any more")


@pytest.mark.parametrize("text", ["$result[c0][slots] & co", "50 % #1 = “gut”", 'it\'s \\ "quoted"', "👩🏽‍⚕️ Čapek"])
@pytest.mark.parametrize("leader", LEADERS)
def test_no_text_is_altered_on_its_way(leader: Side, text: str, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, text, text)
    rig.sync()
    assert called(rig) == ((text, text),) * 2
    assert rig.in_bitrix24() == HOURS


def test_what_names_cost(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(pairs=3, names="bitrix24"))
    assert rig.run().requests == {"bitrix24": 1 + 1, "reservekit": 1 + 3}
    resource(rig, "Dr. Adams", pair="pair2")
    assert rig.run().requests == {"bitrix24": 2, "reservekit": 4 + 2}
    rig.clock.time += 3600
    assert rig.run().requests == {"bitrix24": 2, "reservekit": 4}
    rig.options["names"] = "reservekit"
    for pair in rig.ids:
        service(rig, "Dr. Brown", pair=pair)
    # All three in one batch, then one to read them back.
    assert rig.run().requests == {"bitrix24": 2 + 2, "reservekit": 4}


def test_only_pairs_that_want_it_are_renamed(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(pairs=2))
    rig.pair_options = {"pair2": {"names": "bitrix24"}}
    resource(rig, "Dr. Adams", pair="pair1")
    resource(rig, "Dr. Brown", pair="pair2")
    rig.sync()
    assert (called(rig)[1][0], called(rig, "pair2")[1][0]) == ("Doctor pair1", "Dr. Brown")


@pytest.mark.parametrize("leader", LEADERS)
def test_W8_a_dry_run_tells_what_the_run_then_does(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, "Dr. Adams")
    EDIT[FOLLOWER[leader]](rig, "Somebody else", "who")
    rig.ranges(("Mon Tue", 540, 1140, 30), ("Wed", 540, 1080, 30))
    before, writes = rig.database.read_bytes(), rig.writes()
    told = rig.run(dry_run=True)
    assert (rig.database.read_bytes(), rig.writes()) == (before, writes)
    assert told.exit_code(tell_changes=True) == 4
    done = rig.run()
    assert done.pairs[0].changes == told.pairs[0].changes
    assert done.pairs[0].overruled == told.pairs[0].overruled != ()


def test_W2_hours_that_were_edited_just_before_the_update_survive_it(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    edited = ("Mon Tue Wed", 540, 900, 30)

    def edit(_world: object, api: str, _method: str, _path: str) -> None:
        if api == "bitrix24" and rig.requests("bitrix24") == before + 2:
            rig.ranges(edited)

    before = rig.requests("bitrix24")
    rig.world.on_request.append(edit)
    assert rig.run().pairs[0].status == "changed"
    rig.world.on_request.clear()
    assert rig.in_bitrix24() == [edited]
    assert rig.sync().status == "changed"
    assert rig.in_reservekit() == [(day, 540, 900, 12) for day in range(3)]
    assert called(rig)[0][0] == "Dr. Adams"


def test_an_edit_of_the_follower_since_it_was_read_is_seen_before_it_is_overwritten(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    resource(rig, "Dr. Adams")

    def dawdle(_world: object, _api: str, _method: str, path: str) -> None:
        if path == "/v1/time-slots":
            rig.world.on_request.clear()
            rig.clock.time += 60
            service(rig, "Somebody else")

    rig.world.on_request.append(dawdle)
    rig.sync()
    assert called(rig)[1][0] == "Dr. Adams"
    assert [record.before for record in overruled(rig)] == [{"name": "Somebody else"}]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_W6_a_key_that_may_not_change_services_holds_the_name_and_nothing_else(status: int, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    behave(rig, closed=("PATCH /services/{id}",), closed_status=status)
    resource(rig, "Dr. Adams")
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    report = rig.sync(quiet_after=False)  # each run asks once whether the key may write by now
    assert kinds(report) == ["read-only"]
    assert rig.in_reservekit() == [(day, 540, 1140, 20) for day in range(3)]
    assert rig.run(dry_run=True).pairs[0].holds == report.holds
    rig.ranges(("Mon Tue Wed", 540, 1080, 30))
    assert [change.side for change in rig.run(dry_run=True).pairs[0].changes] == ["reservekit"] * 3
    behave(rig, closed=())
    assert rig.sync().holds == ()
    assert called(rig)[1][0] == "Dr. Adams"


def test_W6_where_nobody_watches_such_a_key_is_asked_once_an_hour(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(pairs=3, names="bitrix24"))
    behave(rig, closed=("PATCH /services/{id}",))
    for pair in rig.ids:
        resource(rig, "Dr. Adams", pair=pair)
    for _ in range(3):
        report = run(rig, Network(rig.world), unattended=True)
        assert [pair.status for pair in report.pairs] == ["held"] * 3
    assert names_sent(rig) == 1
    rig.clock.time += 3600
    run(rig, Network(rig.world), unattended=True)
    assert names_sent(rig) == 2


def test_W6_a_key_that_may_not_write_slots_may_still_rename(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    behave(rig, writes_refused=403)
    resource(rig, "Dr. Adams")
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    report = rig.sync(quiet_after=False)
    assert (kinds(report), called(rig)[1][0]) == (["read-only"], "Dr. Adams")


def test_S5_a_range_that_bitrix24_would_refuse_to_take_back_keeps_the_name_waiting(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    odd = Range(600, 540, ZONE, ("Sun",), 30)
    there = [*rig.world.portal.slots(rig.ids["pair1"][0]), odd]
    rig.world.portal.put_slots(rig.ids["pair1"][0], there)
    service(rig, "Dr. Adams")
    assert kinds(rig.run(dry_run=True).pairs[0]) == ["odd-range"]
    assert kinds(rig.sync()) == ["odd-range"]
    assert list(rig.world.portal.slots(rig.ids["pair1"][0])) == there
    rig.ranges(*HOURS)
    assert rig.sync().holds == ()
    assert called(rig)[0][0] == "Dr. Adams"


@pytest.mark.parametrize("leader", LEADERS)
def test_hours_that_are_held_or_fail_keep_no_name_from_following(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(pairs=2, names=leader), days="Mon Tue Wed")
    rig.ranges(pair="pair1")  # G1
    rig.world.faults.append(Fault(f"service_id={rig.ids['pair2'][1]}&", "answer", status=400, times=9))
    for pair in rig.ids:
        EDIT[leader](rig, "Dr. Adams", pair=pair)
    report = rig.run()
    assert [pair.status for pair in report.pairs] == ["held", "failed"]
    assert [called(rig, pair)[leader == "bitrix24"][0] for pair in rig.ids] == ["Dr. Adams"] * 2
    assert rig.in_bitrix24("pair2") == HOURS
    assert [change.side for change in report.pairs[1].changes] == [FOLLOWER[leader]]


@pytest.mark.parametrize("match", ["booking.v1.resource.get", "GET /v1/services"])
def test_names_that_cannot_be_read_keep_no_hours_from_travelling(match: str, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    rig.world.faults.append(Fault(match, "answer", status=400, times=9))
    assert rig.run().pairs[0].status == "failed"
    assert rig.in_reservekit() == [(day, 540, 1140, 20) for day in range(3)]
    rig.world.faults.clear()
    assert rig.sync().status == "quiet"


@pytest.mark.parametrize("leader", LEADERS)
def test_undoing_a_run_leaves_names_alone(leader: Side, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, "Dr. Adams")
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    rig.run()
    assert {change.side for change in undo(rig, last_run(rig)).changes} == {"bitrix24", "reservekit"}
    assert (rig.in_bitrix24(), called(rig)) == (HOURS, (("Dr. Adams", ""),) * 2)
    assert rig.sync().status == "quiet"


def test_W3_a_text_that_is_not_taken_fails_the_pair_and_is_sent_once(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    resource(rig, description="Dentist")
    rig.sync()
    behave(rig, empty_text="unchanged")
    resource(rig, description="")
    sent = names_sent(rig)
    first = rig.run().pairs[0]
    assert first.status == "failed"
    assert "by hand" in str(first.error)
    rig.ranges(("Mon Tue Wed", 540, 1140, 30))
    second = rig.run().pairs[0]
    assert (second.status, names_sent(rig)) == ("failed", sent + 1)
    assert rig.in_reservekit() == [(day, 540, 1140, 20) for day in range(3)]
    service(rig, description="")
    assert rig.sync().status == "quiet"
    with opened(rig) as store:
        assert store.recall(["pair1"])["pair1"].refused == {}


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "cut", "html", "bad-gateway", "empty", "malformed"])
@pytest.mark.parametrize(("leader", "match"), [("bitrix24", "PATCH /v1/services"), ("reservekit", "resource.update")])
def test_W5_a_renaming_of_unknown_outcome_is_looked_at(kind: Any, leader: Side, match: str, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names=leader))
    EDIT[leader](rig, "Dr. Adams")
    rig.world.faults.append(Fault(match, kind, executed=kind != "html"))
    report = rig.run()
    renamed = called(rig)[0][0] == called(rig)[1][0]
    assert [change.after for change in report.pairs[0].changes] == [{"name": "Dr. Adams"}] * renamed
    assert rig.in_bitrix24() == HOURS
    rig.run()
    assert called(rig)[0][0] == called(rig)[1][0] == "Dr. Adams"
    assert rig.sync().status == "quiet"
    assert rig.in_bitrix24() == HOURS


def test_W5_where_it_is_not_known_what_bitrix24_holds_the_name_waits(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=900)
    rig.world.faults.append(Fault("slots.set", "drop-after"))
    assert rig.run().pairs[0].status == "failed"
    edited = [("Mon", 540, 900, 30), ("Tue Wed", 540, 1080, 30)]
    assert (rig.in_bitrix24(), called(rig)[0][0]) == (edited, "Doctor pair1")
    rig.sync()
    assert (rig.in_bitrix24(), called(rig)[0][0]) == (edited, "Dr. Adams")


def test_W7_a_name_that_arrived_without_the_hours_is_a_failure_until_they_are_set_again(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_state: object, _params: object) -> object:
        raise Refusal("1007", "the ranges are refused")

    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    with monkeypatch.context() as broken:
        broken.setitem(_METHODS, "booking.v1.resource.slots.set", refuse)
        failed = rig.run().pairs[0]
    assert (rig.in_bitrix24(), called(rig)[0][0]) == ([], "Dr. Adams")
    assert (failed.status, "the ranges are refused" in str(failed.error)) == ("failed", True)
    rig.run()
    assert rig.in_bitrix24() == HOURS
    assert rig.sync().status == "quiet"


def test_a_resource_that_refuses_its_name_keeps_its_hours(make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    rig.world.portal.behaviour = replace(
        rig.world.portal.behaviour, batch_fails_from=1, batch_fails_with="INTERNAL_SERVER_ERROR"
    )
    rig.run()
    assert rig.in_bitrix24() == HOURS
    rig.run()
    assert called(rig)[0][0] == "Dr. Adams"
    assert rig.sync().status == "quiet"
