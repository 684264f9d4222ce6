"""What `status` says, from data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len

from slotbridge.cli.render.status import status_json, status_lines, turn_of
from slotbridge.cli.render.status_data import PairStatus, Status
from slotbridge.cli.render.status_table import Turn, rows_taken
from slotbridge.daemon.pace import Advice
from slotbridge.reconcile.names import Names, Profile
from slotbridge.store import HoldRecord, Memory
from slotbridge.store.holder import Holder
from slotbridge.store.schedule import Planned

from .weeks import hold, link

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)
GOOD = Memory(links=(link(),), last_attempt=EARLIER, last_success=EARLIER)
BAD = replace(GOOD, last_attempt=NOW, last_error="service 9: gone", failing_since=EARLIER, failures=3)
DAEMON = Holder("run", 812, "clinic", EARLIER, holds=True)
SOON = Planned(NOW + timedelta(minutes=4), 300, "quiet for 5 runs")
SHORT = Advice("3 pairs every 5 min = 25,920 a month; starter has 10,000: every 14 min fits", fits=False)


def status(*pairs: PairStatus, **more: Any) -> Status:
    known: Mapping[str, Any] = {"remembered": True, **more}
    return Status(NOW, pairs, {"bitrix24": 7, "reservekit": 90}, {"reservekit": 10_000}, **known)


def lines(shown: Status, width: int | None = None, height: int | None = None) -> list[str]:
    return [line.plain for line in status_lines(shown, width, height)]


def waiting(count: int) -> list[PairStatus]:
    """Pairs with long names, each with a story of its own."""
    states = (GOOD, BAD, Memory())
    return [
        PairStatus(
            f"Physiotherapy room {number} (north wing)",
            states[number % 3],
            planned=replace(SOON, why=f"quiet for {number} runs"),
        )
        for number in range(count)
    ]


def test_every_pair_is_one_row() -> None:
    shown = lines(status(PairStatus("dental", GOOD), PairStatus("a longer name", Memory())))
    assert shown == [
        "pair           state      windows  holds  success                           attempt   next run",
        "dental         in step    1        0      5 min ago (2026-03-02 11:55 UTC)  the same  no daemon",
        "a longer name  never run  0        0      never                             never     no daemon",
        "",
        "No daemon is running; `slotbridge run` starts one.",
        "Requests in March 2026 (UTC): Bitrix24 7; ReserveKit 90 of 10,000, 9,910 left.",
    ]


def test_a_database_that_is_gone_from_under_the_daemon_is_no_beginning() -> None:
    first, *_, daemon, _ = lines(status(PairStatus("dental", Memory()), remembered=False, holder=DAEMON))
    assert first.startswith("The database is gone, and the daemon runs without it")
    assert "`slotbridge db restore`" in first
    assert daemon.startswith("The daemon is running: process 812")
    killed = replace(DAEMON, holds=False)
    assert lines(status(remembered=False, holder=killed))[0].startswith("Nothing has run yet")


def test_a_failing_pair_says_since_when_and_why() -> None:
    shown = lines(status(PairStatus("dental", BAD)))
    assert "failing" in shown[1]
    assert shown[3:5] == ["dental: 3 failures in a row since 5 min ago (2026-03-02 11:55 UTC)", "  service 9: gone"]


def test_a_failure_that_has_changed_is_told_as_it_began_and_as_it_is() -> None:
    shown = lines(status(PairStatus("dental", replace(BAD, first_error="no answer"))))
    assert shown[4:6] == ["  first: no answer", "  latest: service 9: gone"]


def test_a_failure_that_stays_the_same_is_told_once() -> None:
    shown = lines(status(PairStatus("dental", replace(BAD, first_error=BAD.last_error))))
    assert sum("service 9: gone" in line for line in shown) == 1


def test_a_resource_type_that_could_not_be_brought_in_line_is_told_below_the_pairs() -> None:
    shown = status(PairStatus("dental", GOOD), types=[PairStatus("resource type 7", BAD)])
    assert lines(shown)[3:5] == [
        "resource type 7: 3 failures in a row since 5 min ago (2026-03-02 11:55 UTC)",
        "  service 9: gone",
    ]
    (kind,) = status_json(shown)["resource_types"]
    assert (kind["name"], kind["failures"], kind["error"]) == ("resource type 7", 3, "service 9: gone")


def test_a_hold_is_named_with_its_decision() -> None:
    held = hold("conflict")
    records = [HoldRecord(held, EARLIER, None, None), HoldRecord(held, EARLIER, "bitrix24", NOW)]
    shown = lines(status(PairStatus("dental", GOOD, records)))
    assert "held" in shown[1]
    assert shown[3] == f"dental: held {held.id}: for a reason, since 5 min ago (2026-03-02 11:55 UTC)"
    assert shown[4].endswith("; decided (bitrix24), the next run applies it")


def test_no_pairs_and_no_database_say_what_to_do() -> None:
    shown = lines(status(remembered=False))
    assert "slotbridge sync --dry-run" in shown[0]
    assert "slotbridge discover" in shown[1]


def test_no_pairs_in_an_existing_database_are_no_empty_table() -> None:
    assert lines(status())[0].startswith("No pairs are configured.")


# The next run, and who does it


def turn(planned: Planned | None, holder: Holder | None) -> Turn:
    pair = PairStatus("dental", GOOD, planned=planned)
    return turn_of(status(pair, holder=holder), pair)


def late(minutes: int) -> Planned:
    return replace(SOON, next_at=NOW - timedelta(minutes=minutes))


AFAR = replace(DAEMON, host="another", holds=None)


@pytest.mark.parametrize(
    ("planned", "holder", "when"),
    [
        (SOON, DAEMON, "in 4 min"),
        (late(0), DAEMON, "now"),
        (late(5), DAEMON, "now"),
        (late(6), DAEMON, "overdue"),
        (None, DAEMON, "unplanned"),
        (None, None, "no daemon"),
        (SOON, None, "no daemon"),
        (SOON, replace(DAEMON, holds=False), "no daemon"),
        (SOON, replace(DAEMON, command="sync"), "no daemon"),
        (SOON, AFAR, "in 4 min"),
        (late(6), AFAR, "no daemon"),
        (None, AFAR, "no daemon"),
    ],
)
def test_the_next_run_is_told_while_a_daemon_may_be_there_to_do_it(
    planned: Planned | None, holder: Holder | None, when: str
) -> None:
    assert turn(planned, holder).when == when


def test_why_then_is_told() -> None:
    assert turn(SOON, DAEMON).why == "quiet for 5 runs"
    assert turn(late(6), DAEMON).why == "its turn was 6 min ago (2026-03-02 11:54 UTC)"
    assert "does not know the pair" in turn(None, DAEMON).why
    assert turn(None, None).why == ""


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        (0.2, "in 1 s"),
        (99, "in 99 s"),
        (100, "in 2 min"),
        (99 * 60, "in 99 min"),
        (100 * 60, "in 2 h"),
        (47.9 * 3600, "in 48 h"),
        (3 * 86400, "in 3 days"),
        (31 * 86400, "in 31 days"),
    ],
)
def test_time_spans_are_in_the_unit_that_suits_them(seconds: float, when: str) -> None:
    assert Turn.at(NOW + timedelta(seconds=seconds), NOW, "").when == when


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (DAEMON, "The daemon is running: process 812 on clinic, since 5 min ago (2026-03-02 11:55 UTC)."),
        (None, "No daemon is running; `slotbridge run` starts one."),
        (replace(DAEMON, holds=False), "No daemon is running: the last one was killed, process 812 on clinic"),
        (replace(DAEMON, command="sync"), "No daemon is running; `slotbridge sync` is at work: process 812"),
        (replace(DAEMON, command="sync", holds=False), "No daemon is running."),
        (AFAR, "The lock was taken by `slotbridge run`, process 812 on another, since 5 min ago"),
    ],
)
def test_who_holds_the_lock_is_said(holder: Holder | None, said: str) -> None:
    assert lines(status(PairStatus("dental", GOOD), holder=holder))[3].startswith(said)


def test_what_the_plan_has_room_for_is_said() -> None:
    assert lines(status(PairStatus("dental", GOOD), advice=SHORT))[-1] == f"{SHORT.text}."


def test_more_than_the_plan_has_leaves_nothing() -> None:
    shown = replace(status(), used={"reservekit": 10_003})
    assert lines(shown)[-1].endswith("ReserveKit 10,003 of 10,000, 0 left.")
    assert (shown.left("reservekit"), shown.left("bitrix24")) == (0, None)


def test_a_name_that_is_to_follow_and_has_not_yet_is_told() -> None:
    agreed = replace(GOOD, names=Names(Profile("Dental"), Profile("Dental")))
    said = "dental: its name follows Bitrix24; no run has brought it over yet"
    assert said in lines(status(PairStatus("dental", GOOD, names="bitrix24")))
    assert said not in lines(status(PairStatus("dental", agreed, names="bitrix24")))
    assert said not in lines(status(PairStatus("dental", GOOD)))


# On a terminal


def table(shown: list[str]) -> list[str]:
    return shown[: shown.index("")]


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits_the_terminal(count: int, width: int) -> None:
    shown = table(lines(status(*waiting(count), holder=DAEMON), width))
    assert max(map(cell_len, shown)) <= width
    folded = " ".join(shown)
    assert all(part in folded for number in range(count) for part in (f"room {number}", f"quiet for {number} runs"))


def test_on_eighty_columns_the_reasons_stand_below_and_the_commonest_spares_the_names() -> None:
    few = [PairStatus(name, GOOD, planned=replace(SOON, why="after a change")) for name in ("dental", "sauna")]
    many = [PairStatus(f"quiet {number}", GOOD, planned=SOON) for number in range(4)]
    shown = table(lines(status(*few, *many, holder=DAEMON), 68))
    assert shown[:2] == [
        "pair     state    windows  holds  success    attempt   next run",
        "dental   in step  1        0      5 min ago  the same  in 4 min",
    ]
    assert shown[-2:] == ["Next run of dental, sauna: after a change", "Next run of 4 other pairs: quiet for 5 runs"]


def test_one_reason_for_all_is_told_once() -> None:
    same = [PairStatus(f"quiet {number}", GOOD, planned=SOON) for number in range(50)]
    assert table(lines(status(*same, holder=DAEMON), 72))[-1] == "Next run of all pairs: quiet for 5 runs"


def test_on_a_wide_terminal_the_reason_stands_in_the_row() -> None:
    shown = table(lines(status(PairStatus("dental", GOOD, planned=SOON), holder=DAEMON), 80))
    assert shown[1:] == ["dental  in step  1        0      5 min ago  the same  in 4 min, quiet for 5 runs"]


def test_names_in_wide_characters_stay_in_their_column() -> None:
    shown = table(lines(status(PairStatus("歯科" * 12, BAD), PairStatus("dental", GOOD)), 80))
    assert max(map(cell_len, shown)) <= 80
    assert "".join(line.split()[0] for line in shown if "歯" in line or "科" in line) == "歯科" * 12
    begins = [
        cell_len(line.partition(word)[0]) for line in shown for word in ("state", "failing", "step") if word in line
    ]
    assert (begins[:2], begins[2:]) == ([begins[0]] * 2, [begins[0] + len("in ")])


def test_what_a_name_says_to_the_terminal_is_not_obeyed() -> None:
    assert "\x1b" not in "".join(lines(status(PairStatus("\x1b[2Jdental", BAD)), 80))


def test_where_the_rows_do_not_suffice_those_in_step_are_counted() -> None:
    calm = [PairStatus(f"calm {number}", GOOD) for number in range(49)]
    shown = list(status_lines(status(*calm, PairStatus("dental", BAD)), 80, 24))
    said = [line.plain for line in shown]
    assert 20 < rows_taken(shown, 80) <= 24
    left = sum(line.startswith("calm ") for line in said)
    assert f"… and {49 - left} more in step" in said
    assert any(line.startswith("dental: 3 failures") for line in said)
    assert said[-1].startswith("Requests in March")


def test_where_the_rows_suffice_all_pairs_are_shown() -> None:
    calm = [PairStatus(f"calm {number}", GOOD) for number in range(10)]
    assert lines(status(*calm), 80, 24) == lines(status(*calm), 80)


def test_colours_tell_how_it_is() -> None:
    shown = list(status_lines(status(PairStatus("a", GOOD), PairStatus("b", BAD), holder=DAEMON, advice=SHORT), 80))
    styles = [{str(span.style) for span in line.spans} | {str(line.style)} for line in shown]
    assert "green" in styles[1]
    assert "red" in styles[2]
    assert "yellow" in styles[-1]


# The document


def test_the_document() -> None:
    record = HoldRecord(hold("conflict"), EARLIER, None, None)
    document = status_json(status(PairStatus("dental", BAD, [record]), PairStatus("new", Memory())))
    dental, new = document["pairs"]
    assert document["version"] == 1
    assert document["requests"] == {
        "month": "2026-03",
        "bitrix24": {"used": 7, "per_month": None, "left": None, "used_up_since": None},
        "reservekit": {"used": 90, "per_month": 10_000, "left": 9_910, "used_up_since": None},
    }
    assert (dental["state"], dental["windows"], dental["failures"]) == ("failing", 1, 3)
    assert dental["last_success"] == "2026-03-02T11:55:00+00:00"
    assert dental["error"] == "service 9: gone"
    assert dental["holds"][0]["id"] == record.hold.id
    assert (new["state"], new["last_attempt"]) == ("never-run", None)


def test_the_document_tells_what_is_to_come_and_who_does_it() -> None:
    failing = replace(BAD, first_error="no answer", names=Names(Profile("Dental", "Two rooms"), Profile("Dental")))
    pairs = (PairStatus("dental", failing, planned=SOON, names="bitrix24"), PairStatus("new", Memory(), names="off"))
    document = status_json(status(*pairs, holder=DAEMON, advice=SHORT))
    dental, new = document["pairs"]
    assert document["at"] == "2026-03-02T12:00:00+00:00"
    assert document["daemon"] is True
    assert document["lock"] == {
        "held": True,
        "command": "run",
        "pid": 812,
        "host": "clinic",
        "since": "2026-03-02T11:55:00+00:00",
    }
    assert document["advice"] == {"text": SHORT.text, "fits": False}
    assert dental["next_run"] == {"at": "2026-03-02T12:04:00+00:00", "interval": 300, "why": "quiet for 5 runs"}
    assert (dental["first_error"], dental["error"]) == ("no answer", "service 9: gone")
    assert dental["names"] == {
        "leader": "bitrix24",
        "bitrix24": {"name": "Dental", "description": "Two rooms"},
        "reservekit": {"name": "Dental", "description": ""},
    }
    assert (new["next_run"], new["names"]) == (None, None)


def test_the_document_of_nothing_has_every_member() -> None:
    document = status_json(status(remembered=False))
    assert (document["pairs"], document["daemon"], document["lock"], document["advice"]) == ([], False, None, None)


def test_what_a_killed_daemon_planned_is_not_in_the_document() -> None:
    document = status_json(status(PairStatus("dental", GOOD, planned=SOON), holder=replace(DAEMON, holds=False)))
    assert (document["daemon"], document["lock"]["held"], document["pairs"][0]["next_run"]) == (False, False, None)


def test_a_side_that_says_its_month_is_used_up_is_told() -> None:
    at = NOW - timedelta(hours=2)
    shown = status(spent={"reservekit": at})
    text = "\n".join(line.plain for line in status_lines(shown))
    assert "ReserveKit said on 2 March at 10:00 UTC that the month's requests are used up" in text
    assert status_json(shown)["requests"]["reservekit"]["used_up_since"] == at.isoformat()
