"""What is remembered of names: what both sides agreed on, and ranges that an update may take along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slotbridge.lenses.items import Odd, Range
from slotbridge.reconcile.model import Overruled
from slotbridge.reconcile.names import LostName, Names, Profile
from slotbridge.store import Outcome, Rescue, Store
from tests.store.samples import START, StillClock, select

NAMES = Names(Profile("Dr. Adams", "Dentist"), Profile("Dr. A", ""))
RANGES = (Range(0, 1440, "Europe/Kyiv", ("Mon", "Fun"), 0), Odd('{"from": "x"}', "from is no number"))
RESCUE = Rescue(15, RANGES, START)


def agreed(store: Store, run: int, names: Names | None, pair: str = "dental") -> None:
    store.remember(run, [Outcome(pair, START, "quiet", names=names, leader="bitrix24")])


def test_names_come_back_as_they_were_agreed_on(store: Store, run: int) -> None:
    agreed(store, run, NAMES)
    assert store.recall(["dental", "room"])["dental"].names == NAMES
    assert store.recall(["room"])["room"].names is None


def test_a_new_agreement_replaces_the_old_one_of_its_pair_only(store: Store, run: int) -> None:
    agreed(store, run, NAMES)
    agreed(store, run, NAMES, "room")
    renamed = NAMES.having("reservekit", Profile("Dr. B"))
    agreed(store, run, renamed)
    agreed(store, run, None)
    memories = store.recall(["dental", "room"])
    assert (memories["dental"].names, memories["room"].names) == (renamed, NAMES)


def test_W4_ranges_are_kept_whole_until_they_were_seen_in_place(store: Store, run: int) -> None:
    store.profiles.note_rescues({"dental": RESCUE, "room": replace(RESCUE, resource_id=16)})
    store.remember(run, [Outcome("dental", START, "failed", error="killed")])
    noted = store.recall(["dental"])["dental"].rescue
    store.remember(run, [Outcome("dental", START, "changed", rescued=True)])
    assert noted == RESCUE
    memories = store.recall(["dental", "room"])
    assert (memories["dental"].rescue, memories["room"].rescue) == (None, replace(RESCUE, resource_id=16))


def test_the_last_note_counts(store: Store, clock: StillClock) -> None:
    store.profiles.note_rescues({"dental": RESCUE})
    later = Rescue(15, RANGES[:1], clock.pass_by(60))
    store.profiles.note_rescues({"dental": later})
    assert store.recall(["dental"])["dental"].rescue == later


def test_an_overruled_name_is_kept_whole_next_to_overruled_hours(store: Store, run: int, file: Path) -> None:
    lost = LostName("reservekit", {"name": "Dr. B"}, "Bitrix24 leads names")
    store.remember(run, [Outcome("dental", START, "changed", overruled=(Overruled("bitrix24", None, "gone"), lost))])
    name, hours = store.history("dental")
    assert (name.kind, name.op, name.before, name.after) == ("overruled", "update", {"name": "Dr. B"}, None)
    assert (hours.kind, hours.op, hours.before) == ("overruled", "delete", None)
    assert select(file, "SELECT count(*) FROM change") == [(2,)]
