from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from slotbridge.cli.render.status import PairStatus, Status, status_json, status_lines
from slotbridge.store import HoldRecord, Memory

from .weeks import hold, link

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)
GOOD = Memory(links=(link(),), last_attempt=EARLIER, last_success=EARLIER)
BAD = replace(GOOD, last_attempt=NOW, last_error="service 9: gone", failing_since=EARLIER, failures=3)


def status(*pairs: PairStatus, remembered: bool = True) -> Status:
    return Status(NOW, pairs, {"bitrix24": 7, "reservekit": 90}, {"reservekit": 10_000}, remembered)


def lines(shown: Status) -> list[str]:
    return [line.plain for line in status_lines(shown)]


def test_every_pair_is_one_row() -> None:
    shown = lines(status(PairStatus("dental", GOOD), PairStatus("a longer name", Memory())))
    assert shown == [
        "pair           state      windows  holds  last success                      last attempt",
        "dental         in step    1        0      5 min ago (2026-03-02 11:55 UTC)  the same",
        "a longer name  never run  0        0      never                             never",
        "",
        "Requests in March 2026 (UTC): Bitrix24 7, ReserveKit 90 of 10000.",
    ]


def test_a_failing_pair_says_since_when_and_why() -> None:
    shown = lines(status(PairStatus("dental", BAD)))
    assert "failing" in shown[1]
    assert shown[3:5] == ["dental: 3 failures in a row since 5 min ago (2026-03-02 11:55 UTC)", "  service 9: gone"]


def test_a_hold_is_named_with_its_decision() -> None:
    waiting = hold("conflict")
    records = [HoldRecord(waiting, EARLIER, None, None), HoldRecord(waiting, EARLIER, "bitrix24", NOW)]
    shown = lines(status(PairStatus("dental", GOOD, records)))
    assert "held" in shown[1]
    assert shown[3] == f"dental: held {waiting.id}: for a reason, since 5 min ago (2026-03-02 11:55 UTC)"
    assert shown[4].endswith("; decided (bitrix24), the next run applies it")


def test_no_pairs_and_no_database_say_what_to_do() -> None:
    shown = lines(status(remembered=False))
    assert "slotbridge sync --dry-run" in shown[0]
    assert "slotbridge discover" in shown[1]


def test_the_document() -> None:
    record = HoldRecord(hold("conflict"), EARLIER, None, None)
    document = status_json(status(PairStatus("dental", BAD, [record]), PairStatus("new", Memory())))
    dental, new = document["pairs"]
    assert document["version"] == 1
    assert document["requests"] == {
        "month": "2026-03",
        "bitrix24": {"used": 7, "per_month": None},
        "reservekit": {"used": 90, "per_month": 10_000},
    }
    assert (dental["state"], dental["windows"], dental["failures"]) == ("failing", 1, 3)
    assert dental["last_success"] == "2026-03-02T11:55:00+00:00"
    assert dental["error"] == "service 9: gone"
    assert dental["holds"][0]["id"] == record.hold.id
    assert (new["state"], new["last_attempt"]) == ("never-run", None)
