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
from tests.sync.called import called, in_step, resource, service
from tests.sync.rig import Rig

MakeRig = Callable[..., Rig]
Refuse = Callable[..., Any]

SET = "booking.v1.resource.slots.set"
UPDATE = "booking.v1.resource.update"
CODES = ["422", "1007", "0", "100", "1009", "insufficient_scope", "of tomorrow"]
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


def says_the_same(later: PairReport, first: PairReport) -> bool:
    """Whether a report has the cause of the first one, and in addition when it is sent again."""
    assert later.status == "failed"
    return str(later.error).startswith(f"{first.error}. It is ")


@pytest.mark.parametrize("code", [*CODES, "1013"])
@pytest.mark.parametrize("methods", [(UPDATE,), (UPDATE, SET)])
def test_W5_a_name_that_bitrix24_refuses_is_sent_once_an_hour(
    code: str, methods: tuple[str, ...], make_rig: MakeRig, refusing: Refuse
) -> None:
    rig = in_step(make_rig(names="reservekit"))
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
