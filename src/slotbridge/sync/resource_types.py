"""`[[resource_types]]`: the portal's types brought in line with what is declared, once a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import structlog

from slotbridge.bitrix24.resource_types import ResourceType, ResourceTypes
from slotbridge.clock import Clock
from slotbridge.errors import ApiError, NotFound, Rejected
from slotbridge.http.redact import excerpt
from slotbridge.reconcile.model import Change
from slotbridge.reconcile.resource_types import Fields, TypePlan, compare
from slotbridge.settings import ResourceTypeSettings
from slotbridge.store import Memory, Outcome, Store
from slotbridge.sync.report import TypeReport

E = TypeVar("E", bound=ApiError)
Done = tuple[TypeReport, Mapping[str, str]]
"""What became of a declaration, and the digest of what is not to be sent again, with the words for it."""

MOST_NAMED = 10
"""How many of the portal's types a message names."""

log = structlog.get_logger("slotbridge.sync")


class TypeKeeper:
    """Sends what differs and nothing else. With `run` None it is a dry run: nothing is sent or stored."""

    def __init__(self, types: ResourceTypes, store: Store | None, clock: Clock, run: int | None) -> None:
        self._types = types
        self._store = store
        self._clock = clock
        self._run = run

    async def over(self, declared: Sequence[ResourceTypeSettings]) -> tuple[TypeReport, ...]:
        """One report for each declaration. Costs one request where nothing differs, and none without declarations."""
        if not declared:
            return ()
        names = [TypeReport(kind.id).name for kind in declared]
        memories: Mapping[str, Memory] = self._store.recall(names) if self._store else {}
        try:
            present = await self._types.list()
        except ApiError as error:
            done: list[Done] = [(TypeReport(kind.id, error=error), {}) for kind in declared]
        else:
            done = [
                await self._bring_in_line(kind, present, memories.get(name, Memory()))
                for kind, name in zip(declared, names, strict=True)
            ]
        self._remember(done, memories)
        return tuple(report for report, _ in done)

    async def _bring_in_line(self, kind: ResourceTypeSettings, present: Sequence[ResourceType], memory: Memory) -> Done:
        plan = planned(kind, present)
        if isinstance(plan, ApiError):
            return TypeReport(kind.id, error=plan), {}
        if plan.change is None:
            return TypeReport(kind.id), {}
        if plan.digest in memory.refused:
            hint = "It is not sent again until the declaration or the type has changed"
            words = memory.refused[plan.digest]
            return TypeReport(kind.id, error=_about(kind, Rejected, words, hint)), {plan.digest: words}
        return await self._send(kind, plan, plan.change)

    async def _send(self, kind: ResourceTypeSettings, plan: TypePlan, change: Change) -> Done:
        if self._run is None:
            return TypeReport(kind.id, (change,)), {}
        failure: ApiError | None = None
        try:
            await self._types.update(kind.id, str(plan.after["code"]), plan.fields)
        except ApiError as error:
            failure = error
        try:
            now = fields_of(await self._types.get(kind.id))
        except ApiError as error:
            return TypeReport(kind.id, error=failure or error), {}
        reached = plan.reached(now)
        changes = (reached,) if reached is not None else ()
        if reached == change:
            return TypeReport(kind.id, changes), {}
        judged = failure is None or isinstance(failure, Rejected)
        failure = failure or _not_as_sent(kind, plan, now)
        left = compare(_declared(kind), now, ())
        return TypeReport(kind.id, changes, failure), {left.digest: failure.words} if judged else {}

    def _remember(self, done: Sequence[Done], memories: Mapping[str, Memory]) -> None:
        for report, _ in done:
            if report.error is not None:
                log.error("resource_type.failed", id=report.id, error=str(report.error))
        outcomes = [
            Outcome(
                pair=report.name,
                at=self._clock.now(),
                status=report.status,
                error=str(report.error) if report.error else None,
                changes=report.changes,
                refused=refused,
            )
            for report, refused in done
            if report.status != "quiet" or memories.get(report.name, Memory()).failures
        ]
        if self._store is not None and self._run is not None and outcomes:
            self._store.remember(self._run, outcomes)


def planned(kind: ResourceTypeSettings, present: Sequence[ResourceType]) -> TypePlan | ApiError:
    """What is to be sent for a declaration, or why nothing can be. `present` are all the types of the portal."""
    found = next((one for one in present if one.id == kind.id), None)
    if found is None:
        hint = f"Check the id in [[resource_types]]; {_there_are(present)}"
        return _about(kind, NotFound, "there is none with this id", hint)
    plan = compare(_declared(kind), fields_of(found), [one.code for one in present])
    return plan if plan.obstacle is None else _about(kind, Rejected, *plan.obstacle)


def _there_are(present: Sequence[ResourceType]) -> str:
    named = [f"{one.id} ({excerpt(one.name or one.code)})" for one in present[:MOST_NAMED]]
    more = f" and {len(present) - MOST_NAMED} more" if len(present) > MOST_NAMED else ""
    return f"the portal has {', '.join(named)}{more}" if named else "the portal has none at all yet"


def fields_of(kind: ResourceType) -> Fields:
    """A type as the portal has it, under the names of the declaration."""
    return {**kind.notifications, "code": kind.code, "name": kind.name}


def _declared(kind: ResourceTypeSettings) -> Fields:
    return kind.model_dump(exclude={"id"}, exclude_none=True)


def _about(kind: ResourceTypeSettings, error: type[E], what: str, hint: str) -> E:
    return error(what, side="bitrix24", item=f"resource type {kind.id}", hint=hint)


def _not_as_sent(kind: ResourceTypeSettings, plan: TypePlan, now: Fields) -> ApiError:
    otherwise = [name for name, value in plan.after.items() if now.get(name) != value]
    hint = "Look whether the portal takes these values, and whether another program changes the type"
    return _about(kind, ApiError, f"{' and '.join(otherwise)} did not read back as sent", hint)
