"""What Bitrix24 refuses: told in every run, sent again once an hour, and in nobody else's way (W5, W7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from slotbridge.sandbox import php
from slotbridge.sandbox.portal_binding import Refusal
from slotbridge.sandbox.portal_methods import _METHODS
from slotbridge.sandbox.traffic import Fault
from slotbridge.sync.report import PairReport
from tests.sync.called import called, in_step, resource, run, service
from tests.sync.decided import decide, only_hold
from tests.sync.rig import Network, Rig

MakeRig = Callable[..., Rig]
Refuse = Callable[..., Any]

SET = "booking.v1.resource.slots.set"
UPDATE = "booking.v1.resource.update"
DENIED = "insufficient_scope"
"""Whoever calls for a run may just have given the permission: then it is asked for."""

CODES = ["422", "1007", "0", "100", "1009", DENIED, "of tomorrow"]
HOURS = [("Mon Tue Wed", 540, 1080, 30)]
EDITED = [("Mon", 540, 1020, 30), ("Tue Wed", 540, 1080, 30)]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Within it, the portal refuses the calls of these methods, if they have this text in them."""

    @contextmanager
    def refuse(code: str, *methods: str, having: str = "") -> Iterator[None]:
        def refusing_some(execute: Callable[..., object]) -> Callable[..., object]:
            def answer(state: Any, params: Any) -> object:
                if having in str(php.items(params)):
                    raise Refusal(code, "refused by the portal")
                return execute(state, params)

            return answer

        with monkeypatch.context() as broken:
            for method in methods:
                broken.setitem(_METHODS, method, refusing_some(_METHODS[method]))
            yield

    return refuse


def edit_monday(rig: Rig, end: int = 1020, pair: str = "pair1") -> None:
    rig.world.reservations.edit_slot(rig.slot_ids(pair)[0], end=end)


def refused_twice(rig: Rig) -> PairReport:
    """The first of the runs in which it is sent, and once more."""
    first, second = (rig.run().pairs[0] for _ in range(2))
    assert first.status == second.status == "failed"
    return first


def says_the_same(later: PairReport, first: PairReport) -> bool:
    """Whether a report has the cause of the first one, and in addition when it is sent again."""
    assert later.status == "failed"
    return str(later.error).startswith(f"{first.error}. It is ")


@pytest.mark.parametrize("code", CODES)
def test_W5_hours_that_are_refused_are_sent_once_more_and_then_once_an_hour(
    code: str, rig: Rig, refusing: Refuse
) -> None:
    in_step(rig)
    rig.unattended = code == DENIED
    edit_monday(rig)
    with refusing(code, SET):
        first = refused_twice(rig)
        assert code in str(first.error)
        assert says_the_same(rig.sync(), first)
        rig.clock.time += 3600
        assert rig.run().pairs[0].status == "failed"
        assert says_the_same(rig.sync(), first)
    assert says_the_same(rig.sync(), first), "not within the hour"
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED


def test_W5_other_hours_are_sent_at_once(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    edit_monday(rig)
    with refusing("422", SET, having="1020"):
        refused_twice(rig)
        assert rig.sync().status == "failed"
        edit_monday(rig, 960)
        assert rig.sync().status == "changed"
    assert rig.in_bitrix24()[0] == ("Mon", 540, 960, 30)


def test_W5_what_was_refused_and_taken_back_is_forgotten(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    edit_monday(rig)
    with refusing("422", SET, having="1020"):
        refused_twice(rig)
    edit_monday(rig, 1080)
    assert rig.sync().status == "quiet"
    edit_monday(rig)
    assert rig.sync().status == "changed"


def test_W5_a_set_of_unknown_outcome_is_no_refusal(rig: Rig) -> None:
    in_step(rig)
    edit_monday(rig)
    rig.world.faults.append(Fault("slots.set", "drop-before", times=4))
    for _ in range(4):
        assert rig.run().pairs[0].status == "failed"
    assert rig.sync().status == "changed"


def test_W7_hours_that_are_refused_keep_no_other_pair_back(make_rig: MakeRig, refusing: Refuse) -> None:
    rig = in_step(make_rig(pairs=3))
    for pair in rig.ids:
        edit_monday(rig, pair=pair)
    with refusing("422", SET, having=f"'resourceId': '{rig.ids['pair2'][0]}'"):
        assert [pair.status for pair in rig.run().pairs] == ["changed", "failed", "changed"]
        rig.run()
        edit_monday(rig, 960, pair="pair3")
        assert [pair.status for pair in rig.run().pairs] == ["quiet", "failed", "changed"]
        rig.is_quiet(rig.run())
    assert [rig.in_bitrix24(pair)[0][2] for pair in rig.ids] == [1020, 1080, 960]


def test_W7_reservekit_gets_what_is_due_beside_them(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    rig.ranges(("Mon Tue", 540, 1080, 30), ("Wed", 540, 900, 30))
    rig.world.reservations.edit_slot(rig.slot_ids()[2], end=960)
    held = only_hold(rig.sync())
    edit_monday(rig)
    with refusing("422", SET):
        first = refused_twice(rig)
        decide(rig, held, "bitrix24")
        assert says_the_same(rig.sync(), first)
    assert (2, 540, 900, 12) in rig.in_reservekit()


def test_W8_a_dry_run_tells_it_as_well(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    edit_monday(rig)
    with refusing("422", SET):
        first = refused_twice(rig)
        assert says_the_same(rig.run(dry_run=True).pairs[0], first)
        assert [change.op for change in rig.look().plan.changes] == ["update", "create"]


@pytest.mark.parametrize("code", CODES)
def test_S5_a_name_waits_while_bitrix24_refuses_hours_since_its_update_deletes_them(
    code: str, make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="reservekit"))
    edit_monday(rig)
    with refusing(code, SET):
        refused_twice(rig)
        service(rig, "Dr. Adams")
        assert rig.run().pairs[0].status == "failed"
    assert (called(rig)[0][0], rig.in_bitrix24()) == ("Doctor pair1", HOURS)
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert (called(rig)[0][0], rig.in_bitrix24()) == ("Dr. Adams", sorted(EDITED))


def test_S5_so_do_both_at_once(make_rig: MakeRig, refusing: Refuse) -> None:
    rig = in_step(make_rig(names="reservekit"))
    edit_monday(rig)
    service(rig, "Dr. Adams")
    with refusing("0", SET):
        refused_twice(rig)
        rig.sync()
    assert (called(rig)[0][0], rig.in_bitrix24()) == ("Doctor pair1", HOURS)


@pytest.mark.parametrize(
    ("code", "name"), [("0", "Doctor pair2"), (DENIED, "Doctor pair2"), ("422", "Dr. Brown"), ("1007", "Dr. Brown")]
)
def test_S5_where_the_portal_refuses_all_hours_the_names_of_other_pairs_wait_as_well(
    code: str, name: str, make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(pairs=2, names="reservekit"))
    edit_monday(rig)
    service(rig, "Dr. Brown", pair="pair2")
    with refusing(code, SET, having="1020"):
        for _ in range(3):
            rig.run()
    assert called(rig, "pair2")[0][0] == name
    assert rig.in_bitrix24("pair2") == HOURS
    rig.clock.time += 3600
    rig.sync()
    assert called(rig, "pair2")[0][0] == "Dr. Brown"


def test_W7_names_follow_into_reservekit_beside_hours_that_bitrix24_refuses(
    make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    edit_monday(rig)
    resource(rig, "Dr. Adams")
    with refusing("0", SET):
        refused_twice(rig)
    assert called(rig)[1][0] == "Dr. Adams"


def test_W5_hours_that_an_update_took_along_are_set_as_soon_as_bitrix24_takes_them(
    make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    with refusing("1007", SET):
        for _ in range(4):
            report = rig.run().pairs[0]
            assert (report.status, "1007" in str(report.error), rig.in_bitrix24()) == ("failed", True, [])
    rig.sync()
    assert rig.in_bitrix24() == HOURS


@pytest.mark.parametrize("code", [*CODES, "1013"])
@pytest.mark.parametrize("methods", [(UPDATE,), (UPDATE, SET)])
def test_W5_a_name_that_bitrix24_refuses_is_sent_once_an_hour(
    code: str, methods: tuple[str, ...], make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="reservekit"))
    rig.unattended = code == DENIED
    service(rig, "Dr. Adams")
    with refusing(code, *methods):
        first = rig.sync()
        assert code in str(first.error)
        assert says_the_same(rig.sync(), first)
    assert says_the_same(rig.sync(), first), "not within the hour"
    assert rig.in_bitrix24() == HOURS
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert (called(rig)[0][0], rig.in_bitrix24()) == ("Dr. Adams", HOURS)


@pytest.mark.parametrize("runs", [1, 3])
def test_W6_a_permission_that_was_given_is_found_by_the_next_sync_of_a_person(
    runs: int, make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="reservekit"))
    edit_monday(rig)
    service(rig, "Dr. Adams")
    with refusing(DENIED, SET, UPDATE):
        for unattended in (False, True):
            rig.unattended = unattended
            assert {rig.run().pairs[0].status for _ in range(runs)} == {"failed"}
    rig.unattended = False
    assert rig.sync().status == "changed"
    assert (called(rig)[0][0], rig.in_bitrix24()) == ("Dr. Adams", EDITED)


def test_W5_another_name_is_sent_at_once(make_rig: MakeRig, refusing: Refuse) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    with refusing("1007", UPDATE, having="Adams"):
        assert rig.sync().status == "failed"
        service(rig, "Dr. Brown")
        assert rig.sync().status == "changed"
    assert called(rig)[0][0] == "Dr. Brown"


def test_W5_hours_travel_beside_a_name_that_is_refused(make_rig: MakeRig, refusing: Refuse) -> None:
    rig = in_step(make_rig(names="reservekit"))
    service(rig, "Dr. Adams")
    with refusing("1007", UPDATE):
        first = rig.sync()
        edit_monday(rig)
        assert says_the_same(rig.sync(), first)
        assert rig.in_bitrix24() == EDITED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, '{"error": {"code": "invalid_request", "message": "the name is taken"}}'),
        (404, '{"error": {"code": "service_not_found", "message": "the name is taken"}}'),
    ],
)
def test_W5_a_name_that_reservekit_refuses_is_sent_once_an_hour(status: int, body: str, make_rig: MakeRig) -> None:
    rig = in_step(make_rig(names="bitrix24"))
    resource(rig, "Dr. Adams")
    rig.world.faults.append(Fault("PATCH /v1/services", "answer", times=99, status=status, body=body))
    first = rig.sync()
    assert str(status) in str(first.error)
    assert says_the_same(rig.sync(), first)
    rig.world.faults.clear()
    assert says_the_same(rig.sync(), first), "not within the hour"
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert called(rig)[1][0] == "Dr. Adams"


def test_W5_so_it_is_where_nobody_watches(make_rig: MakeRig, refusing: Refuse) -> None:
    rig = in_step(make_rig(names="reservekit"))
    edit_monday(rig)
    with refusing("insufficient_scope", SET, UPDATE):
        for _ in range(2):
            run(rig, Network(rig.world), unattended=True)
        writes = rig.writes()
        for _ in range(3):
            assert run(rig, Network(rig.world), unattended=True).pairs[0].status == "failed"
        assert rig.writes() == writes
    rig.clock.time += 3600
    assert run(rig, Network(rig.world), unattended=True).pairs[0].status == "changed"


def test_M10_going_back_travels_back_while_other_hours_are_refused(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    edit_monday(rig)
    with refusing("422", SET, having="1020"):
        rig.ranges(("Mon Wed", 540, 1080, 30), ("Tue", 540, 900, 30))
        refused_twice(rig)
        assert (1, 540, 900, 12) in rig.in_reservekit()
        rig.world.reservations.edit_slot(rig.slot_ids()[1], end=1080)
        for _ in range(3):
            assert rig.run().pairs[0].status == "failed"
        assert (1, 540, 1080, 12) in rig.in_reservekit()
    rig.clock.time += 3600
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == EDITED


def test_M6_a_first_sync_that_is_refused_stays_a_first_sync(rig: Rig, refusing: Refuse) -> None:
    rig.ranges(("Mon", 600, 1000, 30), ("Fri", 100, 200, 20))
    rig.slot(0, 540, 1080, 18)
    rig.slot(6, 600, 660)
    with refusing("422", SET):
        assert rig.run(initial="reservekit").pairs[0].status == "failed"
    assert [hold.kind for hold in rig.sync().holds] == ["first-sync"]
    assert rig.sync(initial="reservekit").status == "changed"
    assert rig.in_bitrix24() == [("Mon", 540, 1080, 30), ("Sun", 600, 660, 60)]
    assert rig.in_reservekit() == [(0, 540, 1080, 18), (6, 600, 660, 1)]


def test_W4_a_deletion_that_is_refused_is_no_new_window(rig: Rig, refusing: Refuse) -> None:
    in_step(rig)
    rig.world.reservations.remove_slot(rig.slot_ids()[0])
    with refusing("422", SET):
        refused_twice(rig)
        assert rig.sync().status == "failed"
        assert {day for day, *_ in rig.in_reservekit()} == {1, 2}
    rig.clock.time += 3600
    rig.sync()
    assert rig.in_bitrix24() == [("Tue Wed", 540, 1080, 30)]
