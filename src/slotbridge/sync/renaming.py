"""Giving the side that follows the name and description that the other one has; the hours were written before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slotbridge.clock import Clock
from slotbridge.errors import ApiError, WriteRefused
from slotbridge.reconcile.model import Side
from slotbridge.reconcile.names import REFUSED, Renaming
from slotbridge.reservekit import ReserveKitClient
from slotbridge.store import Store
from slotbridge.sync.keeping import Keeper
from slotbridge.sync.name_reading import NameReader, profile_of
from slotbridge.sync.naming import Naming, closed_to_names
from slotbridge.sync.reading import FRESH, SETTLES
from slotbridge.sync.refusals import keep_names_back
from slotbridge.sync.work import Circuits, Work, keeping_to

Due = tuple[Work, Naming, Renaming]


class NameWriter:
    """Writes names, pair by pair in ReserveKit, together in Bitrix24. What goes wrong keeps no hours from their way."""

    def __init__(
        self,
        reservekit: ReserveKitClient,
        reader: NameReader,
        keeper: Keeper,
        store: Store,
        clock: Clock,
        run: int,
        *,
        patient: bool,
    ) -> None:
        self._reservekit = reservekit
        self._reader = reader
        self._keeper = keeper
        self._store = store
        self._clock = clock
        self._run = run
        self._patient = patient
        self._closed: str | None = None
        self._circuits = Circuits()

    async def follow(self, works: Sequence[Work]) -> None:
        """Writes every name that is due, and verifies it. Comes after the hours, which it does not touch."""
        self._recall_refusal(works)
        stale = [work for work, names, _ in _due(works) if self._clock.monotonic() - names.read_at > FRESH]
        await self._reader.read(stale, anew=True)
        for _, names, renaming in _due(works):
            self._tell_overruled(names, renaming)
        await self._in_bitrix24(works)
        await self._in_reservekit(_due(works, "reservekit"))

    def _recall_refusal(self, works: Sequence[Work]) -> None:
        if self._patient and self._closed is None:
            self._closed = closed_to_names(work.memory for work in works if self._mark in work.memory.refused)

    @property
    def _mark(self) -> str:
        """What stands among the refused writes of a pair whose name was held in this hour because of the key."""
        return f"{REFUSED}closed {self._clock.now():%Y-%m-%d %H}"

    def _tell_overruled(self, names: Naming, renaming: Renaming) -> None:
        """An edit that is about to be written over goes into the history first: the process may die over it (M3)."""
        if renaming.lost is not None and renaming.lost not in names.told:
            self._store.note_overruled(self._run, names.name, [renaming.lost])
            names.told.append(renaming.lost)

    async def _in_bitrix24(self, works: Sequence[Work]) -> None:
        """All in one request, as far as possible: an update deletes the ranges, so these go with it."""
        keep_names_back(works)
        due = [one for one in _due(works, "bitrix24") if one[0].known]
        profiles = {work.pair.resource_id: renaming.fields for work, _, renaming in due}
        failed, called = await self._keeper.update({work.pair.resource_id: work for work, _, _ in due}, profiles)
        for work, names, renaming in due:
            if work.pair.resource_id in called:
                self._tell_overruled(names, renaming.instead_of(profile_of(called[work.pair.resource_id])))
        await self._verify("bitrix24", due, {work.name: failed.get(work.pair.resource_id) for work, _, _ in due})

    async def _in_reservekit(self, due: Sequence[Due]) -> None:
        """One after the other; a single listing reads all of them back."""
        failures: dict[str, ApiError | None] = {}
        for work, names, renaming in due:
            with keeping_to(names):
                if self._closed is None:
                    self._circuits.check("reservekit")
                    await self._send(work, renaming, failures)
                if self._closed is not None and work.name not in failures:
                    names.keep_back("read-only", self._closed)
                    names.refused = {self._mark: self._closed}
        await self._verify("reservekit", [one for one in due if one[0].name in failures], failures)

    async def _send(self, work: Work, renaming: Renaming, failures: dict[str, ApiError | None]) -> None:
        try:
            await self._reservekit.update_service(work.pair.service_id, **renaming.fields)
        except WriteRefused as error:
            self._closed = f"the ReserveKit key may not change services: {error.what}"
        except ApiError as error:
            self._circuits.failed("reservekit", error)
            failures[work.name] = error
        else:
            self._circuits.passed("reservekit")
            failures[work.name] = None

    async def _verify(self, side: Side, written: Sequence[Due], failures: Mapping[str, ApiError | None]) -> None:
        """Reads back, and once more what looks like the state before."""
        if not written:
            return
        found = await self._reader.called(side, [work.pair for work, _, _ in written])
        late = [work.pair for work, _, renaming in written if found[work.name] == renaming.before]
        if late:
            await self._clock.sleep(SETTLES)
            found |= await self._reader.called(side, late)
        for work, names, _ in written:
            with keeping_to(names):
                names.conclude(found[work.name], failures[work.name], self._clock.now())


def _due(works: Sequence[Work], side: Side | None = None) -> list[Due]:
    return [
        (work, names, renaming)
        for work in works
        if (names := work.names) is not None and (renaming := work.renaming) is not None
        if side in (None, renaming.side)
    ]
