"""`holds` and `resolve`: over real HTTP, and their words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slotbridge.cli.holds import named
from slotbridge.cli.render.decisions import APPROVE, Counsel
from slotbridge.cli.render.holds import decided_lines, decision_words, holds_json, holds_lines
from slotbridge.clock import SystemClock
from slotbridge.errors import ConfigurationError
from slotbridge.lenses.items import Range
from slotbridge.reconcile.guards import WAIT_LIST
from slotbridge.reconcile.model import HoldKind
from slotbridge.store import DatabaseLock, HoldRecord

from .conftest import Result, Shell
from .weeks import hold

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
COUNSEL = Counsel()
BERLIN = "Europe/Berlin"


def emptied(shell: Shell) -> str:
    """Orthodontics is in step, then loses its hours in Bitrix24; the id of the hold."""
    shell.call("sync")
    shell.world.portal.put_slots(16, [])
    shell.call("sync")
    return only_id(shell)


def conflicting(shell: Shell) -> str:
    """Saturday was edited on both sides; the id of the hold."""
    shell.call("sync")
    tue_thu, _ = shell.world.portal.slots(16)
    shell.world.portal.put_slots(16, [tue_thu, Range(600, 780, BERLIN, ("Sat",), 60)])
    (saturday,) = [slot.id for slot in shell.world.reservations.slots(124) if slot.day == 5]
    shell.world.reservations.edit_slot(saturday, end=720)
    shell.call("sync")
    return only_id(shell)


def only_id(shell: Shell) -> str:
    (waiting,) = shell.call("holds", "--json").document["holds"]
    return str(waiting["id"])


def saturday(shell: Shell) -> tuple[tuple[int, int], tuple[int, int]]:
    (ours,) = [(item.start, item.end) for item in shell.world.portal.slots(16) if "Sat" in item.week_days]
    (theirs,) = [(slot.start, slot.end) for slot in shell.world.reservations.slots(124) if slot.day == 5]
    return ours, theirs


def refused(done: Result, *said: str) -> bool:
    return done.code == 2 and not done.out and all(words in done.err for words in said)


def test_nothing_held_is_told_without_a_database(shell: Shell) -> None:
    assert shell.call("holds") == (0, "Nothing is held.\n", "")
    assert shell.call("holds", "--json").document == {"version": 1, "holds": []}
    assert not shell.database.exists()


def test_G6_a_hold_is_listed_with_what_decides_it_and_nobody_is_asked(shell: Shell) -> None:
    name = emptied(shell)
    sent = len(shell.world.log)
    done = shell.call("holds")
    assert (done.code, done.err, done.last) == (0, "", "1 hold in 1 pair.")
    lines = done.out.splitlines()
    assert lines[0].startswith("Orthodontics: deletions, since just now (")
    assert lines[1] == f"  held {name}: Bitrix24 had 3 windows and now has none"
    assert f"    to decide: {shell.program} resolve {name} --approve" in lines
    assert sum("would be deleted in ReserveKit" in line for line in lines) == 3
    assert len(shell.world.log) == sent


def test_S11_the_document_of_holds(shell: Shell) -> None:
    name = emptied(shell)
    document = shell.call("holds", "--json").document
    (waiting,) = document["holds"]
    assert document["version"] == 1
    assert (waiting["id"], waiting["pair"], waiting["kind"]) == (name, "Orthodontics", "deletions")
    assert (waiting["decision"], waiting["decided_at"], len(waiting["items"])) == (None, None, 3)
    assert waiting["ways_out"][0] == f"{shell.program} resolve {name} --approve"


def test_a_pair_that_is_configured_no_more_has_no_open_holds(shell: Shell) -> None:
    name = emptied(shell)
    text = shell.config.read_text(encoding="utf-8").replace('"Orthodontics"', '"Another"')
    shell.config.write_text(text, encoding="utf-8")
    assert shell.call("holds").out == "Nothing is held.\n"
    assert refused(shell.call("resolve", name, "--approve"), "There is nothing to decide")


@pytest.mark.parametrize(("keep", "hours"), [("bitrix24", (600, 780)), ("reservekit", (540, 720))])
def test_M3_a_side_is_kept_at_the_next_run(shell: Shell, keep: str, hours: tuple[int, int]) -> None:
    name = conflicting(shell)
    writes = shell.writes()
    done = shell.call("resolve", name, "--keep", keep)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Decided: keep {keep}, for hold {name} of Orthodontics: ")
    assert done.last == f"To run it now: {shell.program} sync --pair Orthodontics"
    assert shell.writes() == writes
    assert f"    decided: keep {keep}, just now (" in shell.call("holds").out
    assert shell.call("sync", "--pair", "Orthodontics").code == 0
    assert saturday(shell) == (hours, hours)
    assert shell.call("holds").out == "Nothing is held.\n"


def test_G1_deletions_are_approved(shell: Shell) -> None:
    name = emptied(shell)
    done = shell.call("resolve", name, "--approve", "--json")
    assert (done.code, done.document["version"], done.document["hold"]["decision"]) == (0, 1, "approve")
    assert done.document["next"] == f"{shell.program} sync --pair Orthodontics"
    assert shell.call("sync").code == 0
    assert shell.world.reservations.slots(124) == ()


def test_G6_what_was_edited_since_is_held_again(shell: Shell) -> None:
    shell.call("resolve", conflicting(shell), "--keep", "bitrix24")
    shell.world.portal.put_slots(16, [Range(660, 780, BERLIN, ("Sat",), 60), *shell.world.portal.slots(16)[:1]])
    assert shell.call("sync").code == 3
    assert saturday(shell) == ((660, 780), (540, 720))


def test_the_beginning_of_an_id_is_enough(shell: Shell) -> None:
    name = emptied(shell)
    assert shell.call("resolve", name[:3].upper(), "--approve").code == 0


def test_an_ambiguous_beginning_names_the_holds() -> None:
    records = [HoldRecord(hold("booked", pair=f"pair {number}"), NOW, None, None) for number in range(17)]
    shared = next(char for char in "0123456789abcdef" if sum(r.hold.id.startswith(char) for r in records) > 1)
    with pytest.raises(ConfigurationError, match=f'"{shared}" is the beginning of [0-9]+ holds') as told:
        named(shared, records)
    assert len(told.value.problems) == 17


def test_no_id_at_all_is_no_hold(shell: Shell) -> None:
    name = emptied(shell)
    assert refused(shell.call("resolve", "", "--approve"), 'no hold "" is open', f"  {name}: Orthodontics, deletions, ")


def test_what_only_a_dry_run_has_shown_is_decided_once_a_sync_has_noted_it(shell: Shell) -> None:
    shell.call("sync")
    shell.world.portal.put_slots(16, [])
    for look in (["sync", "--dry-run"], ["show", "Orthodontics"]):
        (offer,) = [line for line in shell.call(*look).out.splitlines() if " resolve " in line]
        assert offer.endswith("--approve  (once `slotbridge sync` has noted it)")
    command = offer.partition("slotbridge ")[2].partition("  (")[0].split()
    assert refused(shell.call(*command), "is open, and no other", "`slotbridge sync` notes it")
    assert "(once" not in shell.call("sync").out
    assert shell.call(*command).code == 0


def test_an_unknown_id_names_the_open_ones(shell: Shell) -> None:
    name = emptied(shell)
    done = shell.call("resolve", "nothing", "--approve")
    assert refused(done, 'no hold "nothing" is open', f"  {name}: Orthodontics, deletions, ", "slotbridge holds")


def test_an_unknown_id_without_any_hold_says_so_and_makes_no_database(shell: Shell) -> None:
    assert refused(shell.call("resolve", "abc", "--approve"), 'no hold "abc" is open, and no other')
    assert not shell.database.exists()


@pytest.mark.parametrize("options", [[], ["--keep", "bitrix24", "--approve"]])
def test_a_hold_is_decided_in_exactly_one_way(shell: Shell, options: list[str]) -> None:
    assert refused(shell.call("resolve", "abc", *options), "exactly one of --keep bitrix24")


def test_the_kind_of_a_hold_says_which_option_is_right(shell: Shell) -> None:
    name = conflicting(shell)
    assert refused(shell.call("resolve", name, "--approve"), "not decided by --approve", f"resolve {name} --keep")
    document = shell.call("resolve", name, "--approve", "--json").document
    assert document["error"]["kind"] == "ConfigurationError"


def test_what_a_person_cannot_decide_says_what_to_do_instead(shell: Shell) -> None:
    shell.world.reservations.behaviour = replace(shell.world.reservations.behaviour, writes_refused=403)
    shell.call("sync")
    done = shell.call("resolve", only_id(shell), "--approve")
    assert refused(done, "(read-only) cannot be decided", "give the key the right to write")


def test_M7_a_pair_that_follows_one_side_cannot_keep_the_other(shell: Shell) -> None:
    text = shell.config.read_text(encoding="utf-8")
    name = 'name = "Orthodontics"\n'
    shell.config.write_text(text.replace(name, name + 'direction = "to-reservekit"\n'), encoding="utf-8")
    shell.world.reservations.add_slot(124, 1, 540, 900, 3)
    shell.call("sync")
    waiting = only_id(shell)
    assert refused(shell.call("resolve", waiting, "--keep", "reservekit"), "follows Bitrix24", "--keep bitrix24")
    assert shell.call("resolve", waiting, "--keep", "bitrix24").code == 0
    assert shell.call("sync").code == 0


def test_another_decision_takes_the_place_of_the_first(shell: Shell) -> None:
    name = conflicting(shell)
    shell.call("resolve", name, "--keep", "bitrix24")
    assert "keep reservekit, instead of keep bitrix24, for" in shell.call("resolve", name, "--keep", "reservekit").out
    shell.call("sync")
    assert saturday(shell) == ((540, 720), (540, 720))


def test_a_decision_needs_no_lock_and_a_daemon_applies_it_by_itself(shell: Shell) -> None:
    name = emptied(shell)
    with DatabaseLock(f"sqlite:///{shell.database}", "run") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        done = shell.call("resolve", name, "--approve")
        document = shell.call("resolve", name, "--approve", "--json").document
    assert (done.code, done.last) == (0, "The daemon is running and applies it within seconds.")
    assert (document["next"], document["daemon"]) == (None, True)


def test_another_command_at_work_applies_no_decision_that_comes_now(shell: Shell) -> None:
    name = emptied(shell)
    with DatabaseLock(f"sqlite:///{shell.database}", "sync") as lock:
        asyncio.run(lock.acquire(0, SystemClock()))
        assert shell.call("resolve", name, "--approve").last.startswith(f"To run it now: {shell.program} sync --pair ")


# Words


def record(kind: HoldKind, decision: str | None = None) -> HoldRecord:
    return HoldRecord(hold(kind), NOW - timedelta(hours=3), decision, NOW if decision else None)


def text(*records: HoldRecord) -> list[str]:
    return [line.plain for line in holds_lines(records, NOW, COUNSEL)]


def test_a_decided_hold_says_when_and_that_it_waits_for_a_run() -> None:
    shown = text(record("booked"), record("conflict", "reservekit"))
    assert shown[0] == "dental: booked, since 3 h ago (2026-03-02 09:00 UTC)"
    assert "    decided: keep reservekit, just now (2026-03-02 12:00 UTC); the next run applies it" in shown
    assert shown[-1] == "2 holds in 1 pair, 1 decided."


@pytest.mark.parametrize(
    ("kind", "decision", "effect"),
    [
        ("conflict", "bitrix24", "ReserveKit gets what Bitrix24 has; what is overruled stays in the history"),
        ("first-sync", "reservekit", "Bitrix24 is made equal to ReserveKit, and what only Bitrix24 has is deleted"),
        ("agreement", "bitrix24", "ReserveKit is made equal to Bitrix24, and what only ReserveKit has is deleted"),
        ("deletions", "approve", "these windows are deleted"),
        ("booked", "approve", "the time slot is deleted or moved, although it has bookings"),
        ("oscillation", "approve", "these hours are written once more"),
    ],
)
def test_a_decision_says_what_the_next_run_makes_of_it(kind: HoldKind, decision: str, effect: str) -> None:
    shown = [line.plain for line in decided_lines(record(kind, decision), None, COUNSEL)]
    assert f"At the next run {effect}. If anything of this is edited before, it is held again." in shown


@pytest.mark.parametrize("kind", APPROVE)
def test_every_approval_has_an_effect(kind: HoldKind) -> None:
    shown = decided_lines(record(kind, "approve"), None, COUNSEL)
    assert any(line.plain.startswith("At the next run ") for line in shown)


def test_where_nobody_can_tell_whether_a_daemon_runs_both_ways_are_told() -> None:
    shown = [line.plain for line in decided_lines(record("booked", "approve"), None, COUNSEL, daemon=None)]
    assert shown[-1].endswith("which applies it within seconds: slotbridge sync --pair dental")


def test_decisions_are_named_like_their_options() -> None:
    assert [decision_words(word) for word in ("bitrix24", "merge", "approve")] == ["keep bitrix24", "merge", "approve"]


def test_times_in_the_document_are_in_full() -> None:
    (shown,) = holds_json([record("conflict", "bitrix24")], COUNSEL)["holds"]
    assert (shown["since"], shown["decided_at"]) == ("2026-03-02T09:00:00+00:00", "2026-03-02T12:00:00+00:00")


def test_what_becomes_of_the_customers_is_told_before_it_is_approved() -> None:
    waiting = hold("booked", {"reservekit": "Mon 09:00–12:00", "customers": WAIT_LIST})
    (record,) = [HoldRecord(waiting, NOW, "approve", NOW)]
    shown = "\n".join(line.plain for line in holds_lines([record], NOW, COUNSEL))
    assert "its customers would first be put on the Bitrix24 wait list, and their bookings cancelled" in shown
    decided = "\n".join(line.plain for line in decided_lines(record, None, COUNSEL))
    assert "At the next run its customers are put on the Bitrix24 wait list, and their bookings cancelled" in decided
    plain = "\n".join(line.plain for line in decided_lines(replace(record, hold=hold("booked", {})), None, COUNSEL))
    assert "although it has bookings" in plain
