"""Whatever a service answers in the midst of a run: no crash, no deletion, no secret told, and the next one heals."""

from __future__ import annotations

import atexit
import copy
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from shutil import copyfile, rmtree
from unittest.mock import patch

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slotbridge.log import configure_logging
from slotbridge.sandbox.world import RESERVEKIT_KEY, World
from slotbridge.store import Store
from slotbridge.sync.report import RunReport
from tests.sync import rig as rigs
from tests.sync.rig import HOST, Network, Rig

PAIRS = ("pair1", "pair2", "pair3")
WORKDAYS = "Mon Tue Wed Thu Fri"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LAST = 12  # a run of the story below sends fewer requests than this
UNTIL_THE_END = 99

SECRET = "THE-SECRET"  # where a body is to name the secret of whoever answers
SECRETS = {"bitrix24": "sandbox", "reservekit": RESERVEKIT_KEY}

WORDS = st.sampled_from(
    [
        *(SECRET, f"{HOST}/rest/1/{SECRET}/", f"Bearer {SECRET}", "QUERY_LIMIT_EXCEEDED", "expired_token", "1009"),
        *("result", "result_error", "result_time", "error", "error_description", "time", "c0", "c1", "c2", "slots"),
        *("data", "time_slots", "services", "pagination", "total_count", "total_pages", "current_page", "message"),
        *("code", "id", "service_id", "day_of_week", "service_not_found", "api_limit_exceeded", "rate_limit_exceeded"),
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)
TELLTALE = {"error": SECRET, "error_description": f"Do not tell {SECRET}", "message": SECRET}
ENVELOPES = st.one_of(
    st.builds(lambda code: TELLTALE | {"error": code}, WORDS),
    st.builds(lambda code: {"error": TELLTALE | {"code": code}}, WORDS),
    st.builds(lambda inner: {"result": {"result": {"c0": inner}, "result_error": {"c1": inner}}}, ANY_JSON),
    st.builds(lambda inner: {"data": {"time_slots": [inner], "services": [inner]}}, ANY_JSON),
)
STATUSES = st.sampled_from([200, 201, 204, 301, 302, 400, 401, 403, 404, 405, 409, 422, 429, 500, 502, 503, 599])


@dataclass(frozen=True)
class Spoiled:
    """How an answer differs from the real one: another status, another body, or only the beginning of its own.

    `share` is how much of the real body is left; `executed` says whether the request was carried out at all.
    """

    status: int | None = None
    body: bytes | None = None
    share: float | None = None
    executed: bool = True

    def of(self, real: httpx.Response, secret: str) -> httpx.Response:
        body = real.content if self.body is None else self.body.replace(SECRET.encode(), secret.encode())
        if self.share is not None:
            body = body[: min(int(len(body) * self.share), len(body) - 1)] if body else b""
        status = real.status_code if self.status is None else self.status
        return httpx.Response(status, headers={"content-type": "application/json"}, content=body)


BODIES = st.binary(max_size=30) | (ANY_JSON | ENVELOPES).map(lambda value: json.dumps(value).encode())
SPOILED = st.one_of(
    st.builds(Spoiled, body=BODIES, status=STATUSES | st.just(200), executed=st.booleans()),
    st.builds(Spoiled, share=st.floats(0, 1)),
    st.builds(Spoiled, status=STATUSES, share=st.floats(0, 1) | st.none()),
)


class FaultyNetwork(Network):
    """From request number `first` on, so many answers are spoiled."""

    def __init__(self, world: World, fault: Spoiled, first: int, times: int) -> None:
        super().__init__(world)
        self.fault = fault
        self.spoiled = range(first, first + times)
        self.sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number, self.sent = self.sent, self.sent + 1
        if number not in self.spoiled:
            return await super().handle_async_request(request)
        real = await super().handle_async_request(request) if self.fault.executed else httpx.Response(200)
        side = "bitrix24" if request.url.path.startswith("/rest/") else "reservekit"
        return self.fault.of(real, SECRETS[side])


Story = Callable[[Rig], None]


def edits(rig: Rig) -> None:
    """Three pairs in step; then hours are added on the one side, on the other, and a capacity is edited."""
    for pair in PAIRS:
        rig.ranges((WORKDAYS, 540, 1080, 30), pair=pair)
    rig.run()
    rig.ranges((WORKDAYS, 540, 1080, 30), ("Sat", 600, 720, 30), pair="pair1")
    rig.slot(6, 600, 660, 2, pair="pair2")
    rig.world.reservations.edit_slot(rig.slot_ids("pair3")[0], max_bookings=9)


def beginning(rig: Rig) -> None:
    """No pair was ever synced: one is to be copied here, one there, and one is linked."""
    rig.ranges((WORKDAYS, 540, 1080, 30), pair="pair1")
    rig.ranges((WORKDAYS, 540, 1080, 60), pair="pair3")
    for day in range(5):
        rig.slot(day, 540, 1080, 9, pair="pair2")
        rig.slot(day, 540, 1080, 9, pair="pair3")


@lru_cache
def told_once(story: Story) -> Rig:
    """A rig after the story. Nobody deletes anything in any of them."""
    folder = Path(tempfile.mkdtemp(prefix="slotbridge-fuzz-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    rig = Rig(folder, pairs=len(PAIRS))
    Store.open(f"sqlite:///{rig.database}", clock=rig.clock).close()
    story(rig)
    return rig


@contextmanager
def after(story: Story) -> Iterator[Rig]:
    """The end of a story, to be continued by one example alone."""
    told = told_once(story)
    with tempfile.TemporaryDirectory() as folder:
        rig = copy.deepcopy(told)
        rig.database = Path(folder) / "slotbridge.db"
        copyfile(told.database, rig.database)
        yield rig


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Everything that is logged, as it would stand in a file."""
    log = io.StringIO()
    configure_logging("debug", "json", stream=log)
    yield log


def in_bitrix24(rig: Rig, pair: str) -> list[tuple[str, int, int]]:
    return sorted((day, start, end) for days, start, end, _ in rig.in_bitrix24(pair) for day in days.split())


def in_reservekit(rig: Rig, pair: str) -> list[tuple[str, int, int]]:
    return sorted((DAYS[day], start, end) for day, start, end, _ in rig.in_reservekit(pair))


def meant(rig: Rig) -> dict[str, list[tuple[str, int, int]]]:
    """What people want each pair to be: the first is edited in Bitrix24 alone, the others are in ReserveKit alone."""
    return {pair: in_bitrix24(rig, pair) if pair == "pair1" else in_reservekit(rig, pair) for pair in PAIRS}


def everything(rig: Rig) -> set[tuple[object, ...]]:
    """All windows on both sides, and the ids that customers' bookings refer to."""
    left = {("bitrix24", pair, *window) for pair in PAIRS for window in in_bitrix24(rig, pair)}
    right = {("reservekit", pair, *window) for pair in PAIRS for window in in_reservekit(rig, pair)}
    return left | right | {("slot", slot) for pair in PAIRS for slot in rig.slot_ids(pair)}


def run_over(rig: Rig, network: Network) -> RunReport:
    with patch.object(rigs, "Network", lambda _world: network):
        return rig.run()


def run_healed(rig: Rig, fault: Spoiled) -> RunReport:
    """The run after the fault, an hour later.

    A server that says it took a write, or refuses it, and did not carry it out, is not sent the same again (W3):
    then the hours have to be edited first.
    """
    rig.clock.time += 3600
    report = rig.run()
    if not fault.executed and (error := report.pairs[0].error):
        assert "It is not sent again until" in str(error)
        rig.ranges((WORKDAYS, 540, 1020, 30), pair="pair1")
        report = rig.run()
    return report


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([edits, beginning]), SPOILED, st.integers(0, LAST), st.sampled_from([1, 2, UNTIL_THE_END]))
@example(edits, Spoiled(400, json.dumps(TELLTALE).encode()), 0, UNTIL_THE_END)
@example(edits, Spoiled(400, json.dumps({"error": TELLTALE}).encode()), 1, UNTIL_THE_END)
def test_any_answer_at_any_point_of_a_run(story: Story, fault: Spoiled, first: int, times: int) -> None:
    with after(story) as rig, listening() as log:
        before = everything(rig)
        report = run_over(rig, FaultyNetwork(rig.world, fault, first, times))
        assert everything(rig) >= before
        assert "pair.bug" not in log.getvalue()
        assert "sandbox" not in f"{report.as_json()} {report} {log.getvalue()}"  # it is in either secret

        healed = run_healed(rig, fault)
        assert healed.exit_code() == 0, [str(pair.error) for pair in healed.pairs]
        for pair, hours in meant(rig).items():
            assert in_bitrix24(rig, pair) == in_reservekit(rig, pair) == hours
        writes = rig.writes()
        assert rig.run().count("quiet") == len(PAIRS)
        assert rig.writes() == writes
