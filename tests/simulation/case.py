"""A case: a world's set-up and a list of steps, all of it plain data, made first and played afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

Step = Sequence[Any]
"""A name and plain numbers. Numbers choose among what is there when the step is played, so none is ever rejected."""

EDITS: Mapping[str, float] = {
    "add_a": 4,
    "add_b": 4,
    "end_a": 4,
    "end_b": 4,
    "move_a": 3,
    "move_b": 3,
    "bookings_b": 3,
    "size_a": 2,
    "zone_a": 0.5,
    "delete_a": 3,
    "delete_b": 3,
    "again_a": 1,
    "again_b": 1,
    "both_same": 3,
    "both_differ": 3,
    "both_cross": 2,
    "revert_a": 2,
    "revert_b": 2,
    "resave_a": 1,
    "resave_b": 1,
    "regroup_a": 2,
    "wipe_a": 0.7,
    "wipe_b": 0.7,
    "shift_a": 0.7,
    "shift_b": 0.7,
    "double_a": 0.5,
    "double_b": 1,
    "book": 1.5,
}
"""What people do on either side (A is Bitrix24, B is ReserveKit), with weights."""

OTHERS: Mapping[str, float] = {
    "sync": 19,
    "dry": 3,
    "decide": 4,
    "policy": 1,
    "terms": 0.4,
    "restart": 1.5,
    "lose": 0.3,
    "clock": 4,
    "closed": 0.5,
    "calamity": 0.7,
}

FAULTS: Mapping[str, float] = {
    "drop-before": 3,
    "drop-after": 4,
    "late": 4,
    "cut": 2,
    "malformed": 2,
    "html": 1,
    "bad-gateway": 1,
    "empty": 1,
    "stale": 5,
    "answer": 6,
}

MATCHES: Mapping[str, float] = {
    "": 4,
    "slots.list": 3,
    "slots.set": 4,
    "PATCH": 5,
    "DELETE": 2,
    "GET /v1/time-slots": 5,
    "GET /v1/services": 1,
    "GET /v1/bookings": 1,
}

CREATES: Mapping[str, float] = {"PATCH": 1}

READS: Mapping[str, float] = {"slots.list": 2, "GET /v1/time-slots": 1}

STEPS = 15


@dataclass(frozen=True)
class Case:
    """One history. `setup` has the pairs' options, the servers' behaviour and what stands there at the beginning."""

    seed: int
    setup: Mapping[str, Any]
    steps: tuple[Step, ...]

    def as_text(self) -> str:
        """JSON, one step on a line: ready to be stored and to be edited by hand."""
        steps = ",\n  ".join(json.dumps(step) for step in self.steps)
        return f'{{"seed": {self.seed},\n "setup": {json.dumps(self.setup)},\n "steps": [\n  {steps}\n ]}}\n'

    @classmethod
    def from_text(cls, text: str) -> Case:
        """The reverse."""
        read = json.loads(text)
        return cls(read["seed"], read["setup"], tuple(read["steps"]))


def make_case(seed: int) -> Case:
    """The case of a seed."""
    random = Random(seed)
    setup = _setup(random)
    pairs, storm = len(setup["pairs"]), random.random() < 0.2
    steps = [_step(random, pairs, storm) for _ in range(STEPS)]
    return Case(seed, setup, tuple(steps))


def _pick(random: Random, weights: Mapping[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _numbers(random: Random, pairs: int) -> tuple[int, ...]:
    return (random.randrange(pairs), random.randrange(720), random.randrange(720), random.randrange(720))


def _edit(random: Random, pairs: int) -> Step:
    return (_pick(random, EDITS), *_numbers(random, pairs))


def _step(random: Random, pairs: int, storm: bool) -> Step:
    name = _pick(random, {**EDITS, **OTHERS})
    if name == "sync":
        return ("sync", _events(random, pairs, storm))
    return (name, *_numbers(random, pairs))


def _events(random: Random, pairs: int, storm: bool) -> list[Step]:
    """What happens during one run: nothing in every second one, at most three things outside of storms."""
    count = random.randint(2, 6) if storm else random.choice((0, 0, 0, 0, 1, 1, 2, 3))
    return [_event(random, pairs) for _ in range(count)]


def _event(random: Random, pairs: int) -> Step:
    kind = _pick(random, {"fault": 6, "meanwhile": 3, "death": 3, "disk": 0.7})
    if kind == "fault":
        fault = _pick(random, FAULTS)
        match = _pick(random, {"stale": READS, "late": CREATES}.get(fault, MATCHES))
        return (kind, match, fault, random.choice((0, 0, 0, 1, 2)), random.randrange(720))
    if kind == "meanwhile":
        return (kind, random.randrange(8), *_edit(random, pairs))
    return (kind, random.randrange(40 if kind == "death" else 8))


def _setup(random: Random) -> dict[str, Any]:
    pairs = random.choice((1, 1, 1, 1, 1, 2, 2, 4))
    return {
        "pairs": [_options(random) for _ in range(pairs)],
        "reservekit": _behaviour(random),
        "bitrix24": random.choice(({}, {}, {"slots_order": "reversed"})),
        "start": [step for pair in range(pairs) for step in _start(random, pair)],
    }


def _options(random: Random) -> dict[str, Any]:
    options: dict[str, Any] = {
        "direction": random.choice(("both",) * 8 + ("to-reservekit", "to-bitrix24")),
        "conflict": random.choice(("hold", "hold", "hold", "bitrix24", "reservekit")),
        "initial": random.choice(("merge", "merge", "hold", "bitrix24", "reservekit")),
    }
    if random.random() < 0.1:
        options |= {"slots": "split"}
    elif random.random() < 0.1:
        options |= {"capacity": "fixed", "max_bookings": 2, "slot_minutes": 45}
    if random.random() < 0.2:
        options |= {"max_delete_count": 1, "max_delete_ratio": 0.3}
    return options


def _behaviour(random: Random) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [
        {},
        {},
        {},
        {"max_page_size": 2, "order": "updated"},
        {"max_page_size": 3, "pagination": "page"},
        {"basis": "utc", "text_form": "rfc3339"},
        {"day_base": "sunday"},
        {"placeholder": "2023-01-01", "text_form": "rfc3339"},
        {"patch": "replace"},
        {"stale_id": "create"},
        {"stale_id": "ignore", "atomic": True},
    ]
    return random.choice(kinds)


def _start(random: Random, pair: int) -> list[Step]:
    """Hours to begin with: on one side mostly, sometimes on both, alike or not."""
    sides = random.choice(("a", "a", "a", "b", "b", "ab"))
    adds = [f"add_{random.choice(sides)}" for _ in range(random.randint(2, 6))]
    return [(name, pair, *_numbers(random, 1)[1:]) for name in adds]
