"""The story of the demo: a dental clinic in Berlin, from the first sync to a quiet run."""

from __future__ import annotations

from dataclasses import replace

from slotbridge.cli.stage import Stage
from slotbridge.lenses.items import Range
from slotbridge.reconcile.model import Side
from slotbridge.week import DAY_NAMES, clock

CHECK_UP, ORTHODONTICS, CLEANING = "Dental check-up", "Orthodontics", "Teeth cleaning"
RESOURCES = {CHECK_UP: 15, ORTHODONTICS: 16, CLEANING: 17}
SERVICES = {CHECK_UP: 123, ORTHODONTICS: 124, CLEANING: 125}

Hours = tuple[int, int, int]
MONDAY_MORNING: Hours = (0, 540, 720)
TUESDAY_MORNING: Hours = (1, 540, 720)
WEDNESDAY_AFTERNOON: Hours = (2, 900, 1140)
FRIDAY_AFTERNOON: Hours = (4, 840, 1080)


def tell_story(stage: Stage) -> None:
    """Plays every step; raises Unexpected when one does not end as it should."""
    stage.tell("A dental clinic in Berlin keeps its staff in Bitrix24 and takes bookings through ReserveKit.")
    _first_sync(stage)
    _edits_on_either_side(stage)
    _conflict(stage)
    _deletion(stage)
    _wiped_side(stage)
    _quiet(stage)
    stage.tell("", "in step", style="bold green")


def _first_sync(stage: Stage) -> None:
    stage.headline("The first sync")
    stage.tell(f"{ORTHODONTICS} has hours only in Bitrix24, {CLEANING} only in ReserveKit. The rest is equal already.")
    stage.sync()
    stage.call("show", ORTHODONTICS)
    stage.call("show", CLEANING)
    _check_equal(stage)


def _edits_on_either_side(stage: Stage) -> None:
    stage.headline("An edit on either side, in the same run")
    _edit_range(stage, CHECK_UP, MONDAY_MORNING, (0, 480, 720))
    _edit_slot(stage, CHECK_UP, FRIDAY_AFTERNOON, (4, 840, 960))
    stage.sync()
    stage.call("show", CHECK_UP)
    _check_equal(stage)
    stage.check((0, 480, 720) in _slots(stage, CHECK_UP), "ReserveKit opens at 08:00 on Mondays")
    stage.check((4, 840, 960) in _ranges(stage, CHECK_UP), "Bitrix24 closes at 16:00 on Fridays")


def _conflict(stage: Stage) -> None:
    stage.headline("The same hours edited on both sides")
    _edit_range(stage, CHECK_UP, TUESDAY_MORNING, (1, 480, 720))
    _edit_slot(stage, CHECK_UP, TUESDAY_MORNING, (1, 600, 720))
    stage.sync(expect=3)
    stage.call("show", CHECK_UP)
    stage.check((1, 480, 720) in _ranges(stage, CHECK_UP), "Bitrix24 keeps its edit")
    stage.check((1, 600, 720) in _slots(stage, CHECK_UP), "ReserveKit keeps its edit")
    stage.tell("", "They talk to each other, and agree that the clinic opens at 08:00.")
    _edit_slot(stage, CHECK_UP, (1, 600, 720), (1, 480, 720))
    stage.sync()
    _check_equal(stage)


def _deletion(stage: Stage) -> None:
    stage.headline("A deletion")
    _say_as_user(stage, "reservekit", CLEANING, f"{_words(WEDNESDAY_AFTERNOON)} is taken off the list")
    stage.world.reservations.remove_slot(_slot_id(stage, CLEANING, WEDNESDAY_AFTERNOON))
    stage.sync()
    stage.call("show", CLEANING)
    stage.check(WEDNESDAY_AFTERNOON not in _ranges(stage, CLEANING), "the hours are gone in Bitrix24, too")
    _check_equal(stage)


def _wiped_side(stage: Stage) -> None:
    stage.headline("A side loses everything")
    before = stage.world.portal.slots(RESOURCES[ORTHODONTICS])
    _say_as_user(stage, "bitrix24", ORTHODONTICS, "an import gone wrong empties the list of hours")
    stage.world.portal.put_slots(RESOURCES[ORTHODONTICS], [])
    stage.sync(expect=3)
    stage.call("show", ORTHODONTICS)
    stage.check(len(_slots(stage, ORTHODONTICS)) == 3, "nothing was deleted in ReserveKit")
    _say_as_user(stage, "bitrix24", ORTHODONTICS, "the hours are put back")
    stage.world.portal.put_slots(RESOURCES[ORTHODONTICS], before)
    stage.sync()
    _check_equal(stage)


def _quiet(stage: Stage) -> None:
    stage.headline("And then, as on most days, nothing")
    before = len(stage.world.log)
    stage.call("sync")
    sent = stage.world.log[before:]
    stage.check(not any(request.write for request in sent), f"{len(sent)} requests, none of them a write")
    stage.call("status")


def _check_equal(stage: Stage) -> None:
    equal = all(_ranges(stage, name) == _slots(stage, name) for name in RESOURCES)
    stage.check(equal, "both sides have the same hours")


def _edit_range(stage: Stage, name: str, old: Hours, new: Hours) -> None:
    """Gives one day of a range other hours, as a person does who takes the day out and adds it anew."""
    day, start, end = old
    edited: list[Range] = []
    for item in stage.world.portal.slots(RESOURCES[name]):
        if (item.start, item.end) == (start, end) and DAY_NAMES[day] in item.week_days:
            rest = tuple(other for other in item.week_days if other != DAY_NAMES[day])
            edited += [replace(item, week_days=rest)] if rest else []
            item = replace(item, start=new[1], end=new[2], week_days=(DAY_NAMES[new[0]],))
        edited.append(item)
    stage.world.portal.put_slots(RESOURCES[name], edited)
    _say_as_user(stage, "bitrix24", name, f"{_words(old)} becomes {_words(new)}")


def _edit_slot(stage: Stage, name: str, old: Hours, new: Hours) -> None:
    day, start, end = new
    stage.world.reservations.edit_slot(_slot_id(stage, name, old), day=day, start=start, end=end)
    _say_as_user(stage, "reservekit", name, f"{_words(old)} becomes {_words(new)}")


def _say_as_user(stage: Stage, side: Side, name: str, what: str) -> None:
    who = {"bitrix24": "In Bitrix24", "reservekit": "In ReserveKit"}[side]
    stage.tell(f"{who}, {name}: {what}.")


def _words(hours: Hours) -> str:
    day, start, end = hours
    return f"{DAY_NAMES[day]} {clock(start)}–{clock(end)}"


def _ranges(stage: Stage, name: str) -> set[Hours]:
    ranges = stage.world.portal.slots(RESOURCES[name])
    return {(DAY_NAMES.index(day), item.start, item.end) for item in ranges for day in item.week_days}


def _slots(stage: Stage, name: str) -> set[Hours]:
    return {(slot.day, slot.start, slot.end) for slot in stage.world.reservations.slots(SERVICES[name])}


def _slot_id(stage: Stage, name: str, hours: Hours) -> int:
    slots = stage.world.reservations.slots(SERVICES[name])
    return next(slot.id for slot in slots if (slot.day, slot.start, slot.end) == hours)
