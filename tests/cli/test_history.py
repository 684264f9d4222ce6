"""`history`: what was changed, and the way back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slotbridge.cli.render.decisions import Counsel, ways_out
from slotbridge.cli.render.history import History, history_json, history_lines, undo_lines
from slotbridge.clock import SystemClock
from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import HoldKind
from slotbridge.sandbox.control import state_of
from slotbridge.store import ChangeRecord, DatabaseLock, RunRecord
from slotbridge.sync.report import PairReport, RunReport

from .conftest import Shell
from .weeks import hold, look, slot
from .weeks import link as linked

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def synced(shell: Shell) -> Shell:
    """Run 1 fills Orthodontics and Teeth cleaning."""
    assert shell.call("sync").code == 0
    return shell


def shortened(shell: Shell) -> Shell:
    """Run 2 carries over that Orthodontics has no Saturday any more."""
    shell.world.portal.put_slots(16, synced(shell).world.portal.slots(16)[:1])
    assert shell.call("sync").code == 0
    return shell


def hours(shell: Shell) -> tuple[Any, Any]:
    ranges, slots = shell.world.portal.slots(16), shell.world.reservations.slots(124)
    return ranges, [(found.day, found.start, found.end, found.max_bookings) for found in slots]


def test_nothing_changed_yet_is_told_without_a_database(shell: Shell) -> None:
    assert shell.call("history") == (0, "Nothing was changed yet.\n", "")
    assert shell.call("history", "--json").document == {"version": 1, "changes": [], "more": False}
    assert not shell.database.exists()


def test_changes_are_listed_run_by_run_the_newest_first(shell: Shell) -> None:
    sent = len(shortened(shell).world.log)
    done = shell.call("history")
    lines = done.out.splitlines()
    heads = [line for line in lines if line.startswith("run ")]
    assert (done.code, done.err, done.last) == (0, "", "6 changes in all.")
    assert [head.partition(" (")[0] for head in heads] == ["run 2, sync, just now", "run 1, sync, just now"]
    assert lines[1] == "  Orthodontics"
    assert lines[2].startswith("    ReserveKit - time slot ")
    assert lines[2].endswith(": Sat 09:00–13:00, max_bookings 4  (deleted in Bitrix24)")
    assert len(shell.world.log) == sent


def test_one_pair_or_one_run_can_be_chosen(shell: Shell) -> None:
    shortened(shell)
    for chosen in (["Teeth cleaning"], ["--pair", "Teeth cleaning"]):
        assert "Orthodontics" not in shell.call("history", *chosen).out
        assert "  Teeth cleaning\n" in shell.call("history", *chosen).out
    assert "run 1" not in shell.call("history", "2").out
    both = shell.call("history", "1", "--pair", "Orthodontics", "--json").document["changes"]
    assert {(change["run"], change["pair"]) for change in both} == {(1, "Orthodontics")}


def test_the_document(shell: Shell) -> None:
    shortened(shell)
    document = shell.call("history", "--json", "--limit", "2").document
    newest, older = document["changes"]
    assert (document["version"], document["more"], older["run"]) == (1, True, 1)
    assert {name: newest[name] for name in ("run", "trigger", "pair", "side", "op", "after", "why", "kind")} == {
        "run": 2,
        "trigger": "sync",
        "pair": "Orthodontics",
        "side": "reservekit",
        "op": "delete",
        "after": None,
        "why": "deleted in Bitrix24",
        "kind": "applied",
    }
    assert (newest["before"]["day_of_week"], newest["before"]["max_bookings"]) == (5, 4)
    assert datetime.fromisoformat(newest["at"]).tzinfo is not None


def test_a_limit_says_that_there_is_more(shell: Shell) -> None:
    shortened(shell)
    assert shell.call("history", "--limit", "2").last == (
        "There are more than these 2 changes; --limit shows more of them."
    )
    assert (
        shell.call("history", "--limit", "1").last == "There are more than this one change; --limit shows more of them."
    )
    assert shell.call("history", "--limit", "6").last == "6 changes in all."


def test_a_run_that_changed_nothing_says_so(shell: Shell) -> None:
    synced(shell).call("sync")
    assert shell.call("history", "2").out.endswith(": nothing was changed\n")
    assert shell.call("history", "Emergency room").out == "Nothing was changed yet.\n"


def test_M3_what_lost_a_conflict_is_told(shell: Shell) -> None:
    tue_thu, _ = synced(shell).world.portal.slots(16)
    shell.world.portal.put_slots(16, [tue_thu, Range(600, 780, BERLIN, ("Sat",), 60)])
    (saturday,) = [found.id for found in shell.world.reservations.slots(124) if found.day == 5]
    shell.world.reservations.edit_slot(saturday, end=720)
    text = shell.config.read_text(encoding="utf-8") + '\n[sync]\nconflict = "bitrix24"\n'
    shell.config.write_text(text, encoding="utf-8")
    assert shell.call("sync").code == 0
    shown = shell.call("history", "2").out
    assert "    overruled: ReserveKit's Sat 09:00–12:00, max_bookings 4: conflict in hours: Bitrix24 wins\n" in shown


@pytest.mark.parametrize("what", ["99", "0"])
def test_an_unknown_run_is_wrong_usage(shell: Shell, what: str) -> None:
    assert shell.call("history", what).err == f"error: there is no run {what}\nNothing has run yet\n"
    synced(shell)
    for more in ([], ["--undo"]):
        done = shell.call("history", what, *more)
        assert (done.code, done.err) == (2, f"error: there is no run {what}\nThe last one is run 1\n")


def test_an_unknown_pair_is_wrong_usage(shell: Shell) -> None:
    done = shell.call("history", "orthodontic")
    assert done.code == 2
    assert 'did you mean "Orthodontics"?' in done.err


def test_a_pair_that_is_configured_no_more_still_has_its_past(shell: Shell) -> None:
    synced(shell)
    text = shell.config.read_text(encoding="utf-8").replace('"Orthodontics"', '"Another"')
    shell.config.write_text(text, encoding="utf-8")
    assert shell.call("history", "Orthodontics").last == "3 changes in all."


# The way back


def test_W8_undo_shows_the_plan_and_how_to_have_it_done(shell: Shell) -> None:
    shortened(shell)
    before, kept = state_of(shell.world), shell.database.read_bytes()
    done = shell.call("history", "2", "--undo")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Back to before run 2:\nOrthodontics: would change\n")
    assert "  ReserveKit + Sat 09:00–13:00, max_bookings 4  (as it was before)\n" in done.out
    assert done.last == f"To carry it out: {shell.program} history 2 --undo --apply"
    assert (state_of(shell.world), shell.database.read_bytes()) == (before, kept)


def test_undo_brings_both_sides_back_and_the_next_run_is_quiet(shell: Shell) -> None:
    before = hours(synced(shell))
    shell.world.portal.put_slots(16, shell.world.portal.slots(16)[:1])
    shell.call("sync")
    done = shell.call("history", "2", "--undo", "--apply")
    assert (done.code, hours(shell)) == (0, before)
    assert done.last.startswith("1 pair: 1 changed. Requests: ")
    assert shell.call("sync").last.startswith("4 pairs: 4 quiet.")
    assert shell.call("history").out.startswith("run 3, undo of run 2, just now (")


def test_the_document_of_an_undo_is_that_of_a_sync(shell: Shell) -> None:
    shortened(shell)
    for apply in ([], ["--apply"]):
        document = shell.call("history", "2", "--undo", *apply, "--json").document
        (pair,) = document["pairs"]
        assert (document["version"], document["dry_run"]) == (1, not apply)
        assert (pair["name"], pair["status"], len(pair["changes"])) == ("Orthodontics", "changed", 2)


def test_a_pair_can_be_chosen_to_go_back(shell: Shell) -> None:
    shortened(shell)
    done = shell.call("history", "2", "--undo", "--pair", "Orthodontics")
    assert done.last == f"To carry it out: {shell.program} history 2 --undo --apply --pair Orthodontics"
    assert shell.call("history", "2", "--undo", "--pair", "Orthodontic").code == 2


def test_a_run_that_changed_nothing_needs_no_undo(shell: Shell) -> None:
    synced(shell).call("sync")
    sent = len(shell.world.log)
    done = shell.call("history", "2", "--undo", "--apply")
    assert (done.code, len(shell.world.log)) == (0, sent)
    assert done.out == "Run 2 changed nothing in the pairs of the configuration: there is nothing to undo.\n"


def test_the_undo_of_a_first_sync_is_refused_with_a_sentence(shell: Shell) -> None:
    done = synced(shell).call("history", "1", "--undo")
    assert done.code == 1
    assert "nothing was agreed before run 1" in done.err
    assert "a first sync has nothing before it" in done.err


def test_G1_an_undo_is_held_by_the_same_guards_and_says_how_to_go_on(shell: Shell) -> None:
    shell.world.portal.put_slots(16, ())
    synced(shell)
    shell.world.portal.put_slots(16, [Range(540, 780, BERLIN, ("Mon", "Tue", "Wed", "Thu"), 60)])
    shell.call("sync")
    for apply in ([], ["--apply"]):
        done = shell.call("history", "2", "--undo", *apply)
        assert done.code == 3
        way = f"{shell.program} history 2 --undo --apply --pair Orthodontics --accept-deletes"
        assert f"    to decide: {way}\n" in done.out
    assert len(shell.world.reservations.slots(124)) == 4
    assert shell.call("history", "2", "--undo", "--apply", "--accept-deletes").code == 0
    assert hours(shell) == ((), [])


def test_S13_an_undo_takes_the_lock_and_a_plan_does_not(shell: Shell) -> None:
    shortened(shell)
    with DatabaseLock(f"sqlite:///{shell.database}", "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        assert shell.call("history", "2", "--undo", "--apply", "--wait", "0").code == 5
        assert shell.call("history", "2", "--undo").code == 0
    assert shell.call("history", "2", "--undo", "--apply", "--wait", "0").code == 0


@pytest.mark.parametrize("argv", [["--undo"], ["Orthodontics", "--undo"], ["--apply"], ["1", "--accept-deletes"]])
def test_options_that_do_not_belong_together_are_wrong_usage(shell: Shell, argv: list[str]) -> None:
    assert synced(shell).call("history", *argv).code == 2


def test_no_secret_is_ever_told(shell: Shell) -> None:
    shortened(shell)
    commands = (["history"], ["history", "2", "--undo"], ["holds"], ["verify"])
    said = [shell.call("--log-level", "debug", *command, *json) for command in commands for json in ([], ["--json"])]
    assert not any("rest/1/sandbox" in text or "sk_rsv_sandbox" in text for _, *texts in said for text in texts)


# Words


MONDAY = {
    "id": 7,
    "day_of_week": 0,
    "start_time": "2024-01-01 09:00:00",
    "end_time": "2024-01-01 12:00:00",
    "max_bookings": 6,
}


def change(number: int, run: int, pair: str = "dental", **how: Any) -> ChangeRecord:
    why = f"reason {number}"
    gone = ChangeRecord(number, run, pair, NOW, "reservekit", "delete", MONDAY, None, why, "applied")
    return replace(gone, **how)


def run(number: int, *, finished: bool = True) -> RunRecord:
    begun = NOW - timedelta(minutes=5)
    return RunRecord(number, "daemon", begun, NOW if finished else None, {}, {})


def text(*changes: ChangeRecord, runs: tuple[RunRecord, ...] = (), day_zero: Any = "monday") -> list[str]:
    shown = History(changes, {found.id: found for found in runs})
    return [line.plain for line in history_lines(shown, NOW, day_zero)]


def test_within_a_run_changes_stand_by_pair_in_the_order_in_which_they_were_made() -> None:
    shown = text(change(3, 9, "room"), change(2, 9), change(1, 9), runs=(run(9),))
    assert shown[0] == "run 9, daemon, 5 min ago (2026-03-02 11:55 UTC)"
    assert [line.rpartition("(")[2] for line in shown[1:6]] == [
        "  dental",
        "reason 1)",
        "reason 2)",
        "  room",
        "reason 3)",
    ]


def test_a_run_that_never_ended_says_so() -> None:
    assert text(change(1, 9), runs=(run(9, finished=False),))[0].endswith(", under way or broken off")


def test_V6_days_follow_the_setting() -> None:
    assert "Sun 09:00–12:00" in text(change(1, 9), day_zero="sunday")[2]


def test_M3_an_overruled_deletion_is_told_like_an_overruled_edit() -> None:
    window = {"weekday": 0, "start": 540, "end": 720, "capacity": 6}
    edit = change(1, 9, kind="overruled", op="update", before=window, why="Bitrix24 wins")
    gone = change(2, 9, kind="overruled", op="delete", before=None, why="its deletion loses")
    assert text(gone, edit)[2:4] == [
        "    overruled: ReserveKit's Mon 09:00–12:00, max_bookings 6: Bitrix24 wins",
        "    overruled: ReserveKit: its deletion loses",
    ]


def test_the_document_of_an_overruled_edit_says_that_it_was_overruled() -> None:
    (shown,) = history_json(History([change(1, 9, kind="overruled")], {9: run(9)}))["changes"]
    assert (shown["kind"], shown["run"], shown["trigger"]) == ("overruled", 9, "daemon")


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("deletions", "slotbridge history 7 --undo --apply --pair dental --accept-deletes"),
        ("booked", "cancel or move these bookings in ReserveKit; then undo the run again"),
        ("read-only", "give the key the right to write; then undo the run again"),
        (
            "conflict",
            "slotbridge sync --pair dental, which carries over what was edited, or says what to decide; "
            "then undo the run again",
        ),
    ],
)
def test_what_holds_an_undo_is_not_decided_as_in_a_run(kind: HoldKind, way: str) -> None:
    assert ways_out(hold(kind), Counsel(), undoing=7) == [way]


def test_a_name_is_quoted_for_the_shell() -> None:
    plan = look([], [slot(1, 0, "09:00", "12:00")], [linked()], accept_deletes=True).plan
    report = RunReport(True, (PairReport("Dr. O'Hara", plan.changes),), {})
    last = [line.plain for line in undo_lines(report, 7, ["Dr. O'Hara"], "monday", Counsel())][-1]
    assert last == """To carry it out: slotbridge history 7 --undo --apply --pair 'Dr. O'"'"'Hara'"""
