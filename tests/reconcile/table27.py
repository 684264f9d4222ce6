"""The 27 cases of one window (M11): absent, v1 or v2 in the base, in Bitrix24 and in ReserveKit, and what a run does.

`TABLE` is the page in the documentation, too: `as_markdown()` renders it. "edit" in a name of a case means that a
window's hours or capacity differ from the base; v1 and v2 overlap, so they are one window edited (M4).
"""

from __future__ import annotations

from typing import NamedTuple

COLUMNS = ("hold", "bitrix24", "reservekit", "to-reservekit", "to-bitrix24")
"""Both ways under each conflict policy, then one way, where no policy is asked."""

State = str
"""`-` for absent, `1` for v1, `2` for v2."""


class Case(NamedTuple):
    """One line of the table: what base and both sides have, and what is done in each of `COLUMNS`."""

    base: State
    bitrix24: State
    reservekit: State
    does: tuple[str, ...]


class After(NamedTuple):
    """What a case comes to. `writes` are (side, op); a hold leaves base and sides as they are."""

    bitrix24: State
    reservekit: State
    base: State
    writes: tuple[tuple[str, str], ...] = ()
    held: bool = False


def _case(states: str, *does: str) -> Case:
    """`does`: for all columns; or both ways and each one-way direction; or every column by itself."""
    base, bitrix24, reservekit = states.split()
    if len(does) == 1:
        does = does * 5
    elif len(does) == 3:
        does = (does[0],) * 3 + does[1:]
    return Case(base, bitrix24, reservekit, does)


NOTHING, LINK, FORGET, HOLD = "nothing", "link", "forget", "hold"
CREATE_B, CREATE_R = "create in Bitrix24", "create in ReserveKit"
UPDATE_B, UPDATE_R = "update Bitrix24", "update ReserveKit"
DELETE_B, DELETE_R = "delete in Bitrix24", "delete in ReserveKit"

TABLE = (
    # base, Bitrix24, ReserveKit
    _case("- - -", NOTHING),
    _case("- - 1", CREATE_B, DELETE_R, CREATE_B),
    _case("- - 2", CREATE_B, DELETE_R, CREATE_B),
    _case("- 1 -", CREATE_R, CREATE_R, DELETE_B),
    _case("- 1 1", LINK),
    _case("- 1 2", HOLD, UPDATE_R, UPDATE_B, UPDATE_R, UPDATE_B),
    _case("- 2 -", CREATE_R, CREATE_R, DELETE_B),
    _case("- 2 1", HOLD, UPDATE_R, UPDATE_B, UPDATE_R, UPDATE_B),
    _case("- 2 2", LINK),
    _case("1 - -", FORGET),
    _case("1 - 1", DELETE_R, DELETE_R, CREATE_B),
    _case("1 - 2", CREATE_B, DELETE_R, CREATE_B, DELETE_R, CREATE_B),
    _case("1 1 -", DELETE_B, CREATE_R, DELETE_B),
    _case("1 1 1", NOTHING),
    _case("1 1 2", UPDATE_B, UPDATE_R, UPDATE_B),
    _case("1 2 -", CREATE_R, CREATE_R, DELETE_B, CREATE_R, DELETE_B),
    _case("1 2 1", UPDATE_R, UPDATE_R, UPDATE_B),
    _case("1 2 2", LINK),
    _case("2 - -", FORGET),
    _case("2 - 1", CREATE_B, DELETE_R, CREATE_B, DELETE_R, CREATE_B),
    _case("2 - 2", DELETE_R, DELETE_R, CREATE_B),
    _case("2 1 -", CREATE_R, CREATE_R, DELETE_B, CREATE_R, DELETE_B),
    _case("2 1 1", LINK),
    _case("2 1 2", UPDATE_R, UPDATE_R, UPDATE_B),
    _case("2 2 -", DELETE_B, CREATE_R, DELETE_B),
    _case("2 2 1", UPDATE_B, UPDATE_R, UPDATE_B),
    _case("2 2 2", NOTHING),
)

CAPACITY = tuple(
    case._replace(does=(LINK,) * 5) if case.base == "-" and {case.bitrix24, case.reservekit} == {"1", "2"} else case
    for case in TABLE
)
"""The same with v2 as v1 with another capacity: new on both sides at equal hours is linked as it is (S2)."""


def after(case: Case, column: str) -> After:
    """What a line of the table comes to in one of its columns."""
    base, ours, theirs, does = case
    action = does[COLUMNS.index(column)]
    if action in (NOTHING, FORGET):
        return After(ours, theirs, ours)
    if action == LINK:
        return After(ours, theirs, ours if ours == theirs else ours + theirs)
    if action == HOLD:
        return After(ours, theirs, base, held=True)
    op, side = action.split()[0], "bitrix24" if action.endswith("Bitrix24") else "reservekit"
    settled = "-" if op == "delete" else theirs if side == "bitrix24" else ours
    return After(settled, settled, settled, ((side, op),))


def as_markdown(table: tuple[Case, ...] = TABLE) -> list[str]:
    """The table's lines as Markdown, header first."""
    shown = {"-": "–", "1": "v1", "2": "v2"}
    head = ("base", "Bitrix24", "ReserveKit", *(f"`{column}`" for column in COLUMNS))
    lines = [head, ("---",) * len(head)]
    lines += [(*(shown[state] for state in case[:3]), *case.does) for case in table]
    return [f"| {' | '.join(line)} |" for line in lines]
