"""Bad input: one clear message that names pair, side and item; nothing deleted, doubled or half-remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from slotbridge.sandbox.traffic import Fault
from tests.sync.rig import Rig

LISTING = "GET /v1/time-slots"

ANSWERS: dict[str, tuple[str, int, str]] = {
    "malformed JSON": ("{", 200, "{"),
    "HTML with status 200": ("html", 200, "<html><body>Please wait</body></html>"),
    "an empty body": ("", 200, ""),
    "a wrong shape": ("shape", 200, json.dumps({"data": {"time_slots": {"a": 1}}})),
    "a listing that does not add up": (
        "total",
        200,
        json.dumps({"data": {"time_slots": [], "pagination": {"current_page": 1, "total_pages": 1, "total_count": 9}}}),
    ),
    "a refused key": ("key", 401, json.dumps({"error": {"code": "invalid_api_key", "message": "no"}})),
    "an unknown service": ("404", 404, json.dumps({"error": {"code": "service_not_found", "message": "no"}})),
}

BATCHES: dict[str, tuple[int, str]] = {
    "malformed JSON": (200, '{"result": {'),
    "HTML with status 200": (200, "<html>login</html>"),
    "a wrong shape": (200, json.dumps({"result": {"result": {"c0": {"slots": "none"}}, "result_error": []}})),
    "a command that vanished": (200, json.dumps({"result": {"result": [], "result_error": []}})),
    "a refused key": (401, json.dumps({"error": "INVALID_CREDENTIALS", "error_description": "no"})),
    "an unknown resource": (
        200,
        json.dumps({"result": {"result": [], "result_error": {"c0": {"error": "1009", "error_description": "x"}}}}),
    ),
    "no slots in PHP's empty form": (200, json.dumps({"result": {"result": {"c0": []}, "result_error": []}})),
}


def in_step(rig: Rig) -> Rig:
    for pair in rig.ids:
        rig.ranges(("Mon Tue Wed Thu Fri", 540, 1080, 30), pair=pair)
    rig.sync()
    return rig


def told(rig: Rig) -> str:
    """The one message of a run that fails, and that nothing has changed by it."""
    before = rig.in_bitrix24(), rig.in_reservekit(), rig.base()
    writes = rig.writes()
    report = rig.run()
    rig.world.faults.clear()
    assert report.pairs[0].status == "failed"
    assert report.exit_code() == 1
    assert (rig.in_bitrix24(), rig.in_reservekit(), rig.base()) == before
    assert rig.writes() == writes
    assert rig.sync().status == "quiet"
    return str(report.pairs[0].error)


@pytest.mark.parametrize("case", ANSWERS)
def test_G4_a_bad_answer_of_reservekit_is_that_pairs_failure(case: str, rig: Rig) -> None:
    in_step(rig)
    _, status, body = ANSWERS[case]
    rig.world.faults.append(Fault(LISTING, "answer", times=99, status=status, body=body))
    message = told(rig)
    assert message.startswith("pair1, ReserveKit, ")
    assert str(rig.ids["pair1"][1]) in message
    assert "sk_rsv_sandbox" not in message


@pytest.mark.parametrize("case", BATCHES)
def test_G4_a_bad_answer_of_bitrix24_is_that_pairs_failure(case: str, rig: Rig) -> None:
    in_step(rig)
    status, body = BATCHES[case]
    rig.world.faults.append(Fault("batch", "answer", times=99, status=status, body=body))
    message = told(rig)
    assert message.startswith("pair1, Bitrix24, ")
    assert "/rest/1/" not in message


def test_a_refused_key_is_asked_once_and_not_for_every_pair(make_rig: Callable[..., Rig]) -> None:
    rig = in_step(make_rig(pairs=8))
    _, status, body = ANSWERS["a refused key"]
    rig.world.faults.append(Fault(LISTING, "answer", times=99, status=status, body=body))
    report = rig.run()
    assert report.requests == {"bitrix24": 1, "reservekit": 1}
    assert report.count("failed") == 8


def told_each(code: str) -> str:
    errors = {f"c{index}": {"error": code, "error_description": ""} for index in range(50)}
    return json.dumps({"result": {"result": [], "result_error": errors, "result_time": []}})


@pytest.mark.parametrize(
    ("status", "body", "attempts"),
    [
        (302, "<html>moved</html>", 1),
        (200, told_each("insufficient_scope"), 1),
        (200, told_each("ERROR_METHOD_NOT_FOUND"), 1),
        (404, json.dumps({"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}), 1),
        (503, json.dumps({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}), 4),
    ],
    ids=["a redirect", "a missing permission", "an old module", "an old portal", "a full bucket"],
)
def test_what_the_whole_portal_refuses_is_asked_once_and_not_for_every_fifty(
    make_rig: Callable[..., Rig], status: int, body: str, attempts: int
) -> None:
    rig = in_step(make_rig(pairs=110))
    rig.world.faults.append(Fault("batch", "answer", times=99, status=status, body=body))
    report = rig.run()
    assert report.requests == {"bitrix24": attempts, "reservekit": 0}
    assert report.count("failed") == 110
    assert len({str(pair.error).partition(": ")[2] for pair in report.pairs}) == 1


def test_an_answer_that_got_lost_or_garbled_keeps_nobody_from_asking_for_the_next_fifty(
    make_rig: Callable[..., Rig],
) -> None:
    rig = in_step(make_rig(pairs=60))
    rig.world.faults.append(Fault("batch", "answer", times=2, status=200, body="<html>login</html>"))
    report = rig.run()
    assert (report.count("failed"), report.count("quiet")) == (50, 10)


def test_a_service_that_does_not_exist_is_named(rig: Rig) -> None:
    in_step(rig)
    rig.world.reservations.remove_service(rig.ids["pair1"][1])
    rig.clock.time += 4000
    report = rig.run()
    assert str(report.pairs[0].error).startswith(f"pair1, ReserveKit, service {rig.ids['pair1'][1]}: the service does")
    assert rig.in_bitrix24() == [("Mon Tue Wed Thu Fri", 540, 1080, 30)]


def test_V7_a_service_in_an_unknown_zone_fails_and_says_so(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(zone="Mars/Olympus")
    rig.ranges(("Mon", 540, 1080, 30))
    report = rig.run()
    assert "time zone 'Mars/Olympus' is unknown" in str(report.pairs[0].error)
    assert rig.in_reservekit() == []


@pytest.mark.parametrize("form", ["null", "empty", "missing"])
def test_S7_a_service_without_a_zone_takes_the_pairs_own(form: str, rig: Rig) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, zones=form)  # type: ignore[arg-type]
    rig.ranges(("Mon", 540, 1080, 30))
    assert "has no time zone" in str(rig.run().pairs[0].error)
    rig.options["timezone"] = "Europe/Berlin"
    assert rig.sync().status == "changed"


@pytest.mark.parametrize("broken", ["", "Mars/Olympus"])
def test_S7_a_zone_that_was_set_since_is_seen_by_the_next_run(broken: str, rig: Rig) -> None:
    service = rig.world.reservations.services[rig.ids["pair1"][1]]
    service.timezone = broken
    rig.ranges(("Mon", 540, 1080, 30))
    assert "time zone" in str(rig.run().pairs[0].error)
    service.timezone = "Europe/Berlin"
    assert rig.sync().status == "changed"
    assert rig.run().requests["reservekit"] == 1


def test_S7_a_pair_with_a_zone_of_its_own_needs_no_further_request(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(timezone="Europe/Berlin")
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, zones="null")
    rig.ranges(("Mon", 540, 1080, 30))
    assert rig.sync().status == "changed"
    assert rig.run().requests["reservekit"] == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_M12_a_time_that_alone_gets_a_zone_is_held_and_not_read_anew(reverse: bool, rig: Rig) -> None:
    in_step(rig)
    key = {"authorization": "Bearer sk_rsv_sandbox"}
    query = f"service_id={rig.ids['pair1'][1]}&page=1&page_size=100"
    answer = json.loads(rig.world.answer("GET", "/v1/time-slots", query, key, b"").body)
    rows = answer["data"]["time_slots"]
    for name in ("start_time", "end_time"):
        rows[-1][name] = rows[-1][name].replace(" ", "T") + "Z"
    answer["data"]["time_slots"] = rows[::-1] if reverse else rows
    rig.world.faults.append(Fault(LISTING, "answer", times=99, status=200, body=json.dumps(answer)))
    report = rig.sync()
    assert [(hold.kind, hold.reason) for hold in report.holds] == [
        ("agreement", "time form changed from naive to mixed")
    ]
    assert rig.in_bitrix24() == [("Mon Tue Wed Thu Fri", 540, 1080, 30)]
    rig.world.faults.clear()
    assert rig.sync().status == "quiet"


def test_G4_pages_that_are_not_numbered_delete_nothing(rig: Rig) -> None:
    in_step(rig)
    service = rig.ids["pair1"][1]
    key = {"authorization": "Bearer sk_rsv_sandbox"}
    shown = json.loads(rig.world.answer("GET", "/v1/time-slots", f"service_id={service}", key, b"").body)
    rows = shown["data"]["time_slots"]

    def page(some: list[object], times: int) -> Fault:
        return Fault(LISTING, "answer", times=times, status=200, body=json.dumps({"data": {"time_slots": some}}))

    # Three rows to a page: the run reads the first one, then, for what is missing, all of them.
    rig.world.faults.extend([page(rows[:3], 2), page(rows[3:], 1), page([], 1)])
    assert rig.run().pairs[0].status == "quiet"
    rig.world.faults.clear()
    assert len(rig.slot_ids()) == 5
    assert rig.in_bitrix24() == [("Mon Tue Wed Thu Fri", 540, 1080, 30)]
    assert rig.sync().status == "quiet"


def test_G4_what_is_gone_from_a_server_without_pages_is_deleted_after_a_look_behind_the_list(rig: Rig) -> None:
    rig.world.reservations.behaviour = replace(rig.world.reservations.behaviour, pagination="null")
    in_step(rig)
    rig.world.reservations.remove_slot(rig.slot_ids()[-1])
    assert rig.sync().status == "changed"
    assert rig.in_bitrix24() == [("Mon Tue Wed Thu", 540, 1080, 30)]
    sent = rig.requests("reservekit")
    assert rig.run().pairs[0].status == "quiet"
    assert rig.requests("reservekit") - sent == 1


def test_V7_seconds_in_a_time_leave_slot_and_range_alone(rig: Rig) -> None:
    in_step(rig)
    slot = rig.slot_ids()[0]
    body = {"service_id": rig.ids["pair1"][1], "time_slots": [{"id": slot, "day_of_week": 0, "max_bookings": 18}]}
    body["time_slots"][0] |= {"start_time": "2024-01-01 09:00:30", "end_time": "2024-01-01 18:00:00"}  # type: ignore[index]
    key = {"authorization": "Bearer sk_rsv_sandbox", "content-type": "application/json"}
    rig.world.answer("PATCH", "/v1/time-slots", "", key, json.dumps(body).encode())
    report = rig.sync()
    assert report.status == "quiet"
    assert report.problems["reservekit"][0].item == f"time slot {slot}"
    assert "whole minutes" in report.problems["reservekit"][0].reason
    assert rig.in_bitrix24() == [("Mon Tue Wed Thu Fri", 540, 1080, 30)]


@pytest.mark.parametrize("member", ["timezone", "weekDays"])
@pytest.mark.parametrize("part", ["slots.list", "slots.set"])
def test_W7_text_that_is_none_fails_its_own_pair_and_is_neither_stored_nor_written(
    make_rig: Callable[..., Rig], member: str, part: str
) -> None:
    rig = in_step(make_rig(pairs=2))
    rig.world.reservations.edit_slot(rig.slot_ids()[0], end=1020)

    def spoil(envelope: Any) -> None:
        envelope["result"]["result"]["c0"]["slots"][0][member] = "\ud83d"

    rig.garble(part, spoil)
    first, second = rig.run().pairs
    assert (first.status, second.status) == ("failed", "quiet")
    assert "half a surrogate pair" in str(first.error)
    rig.sync()
    assert rig.in_bitrix24() == [("Mon", 540, 1020, 30), ("Tue Wed Thu Fri", 540, 1080, 30)]
    assert len(rig.in_reservekit()) == 5
