"""Which window became which (M4): equal ones first, then the assignment with the largest total overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slotbridge.week import DAY, Window

_OVERLAP_WEIGHT = 4 * DAY
"""Makes a minute of overlap worth more than any difference of start and end, which only breaks ties."""


def best_overlaps(left: Sequence[Window], right: Sequence[Window]) -> list[tuple[int, int]]:
    """Pairs of positions on the same day that overlap, such that the total overlap is the largest there is."""
    pairs: list[tuple[int, int]] = []
    for day in range(7):
        rows = [place for place, window in enumerate(left) if window.weekday == day]
        columns = [place for place, window in enumerate(right) if window.weekday == day]
        if rows and columns:
            pairs.extend(_day_pairs(left, right, rows, columns))
    return pairs


def _day_pairs(
    left: Sequence[Window], right: Sequence[Window], rows: Sequence[int], columns: Sequence[int]
) -> Iterator[tuple[int, int]]:
    worth = [[_worth(left[row], right[column]) for column in columns] for row in rows]
    for row, column in assignment(worth):
        if left[rows[row]].overlap(right[columns[column]]):
            yield rows[row], columns[column]


def _worth(one: Window, two: Window) -> int:
    overlap = one.overlap(two)
    return overlap * _OVERLAP_WEIGHT - abs(one.start - two.start) - abs(one.end - two.end) if overlap else 0


def assignment(worth: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The assignment of rows to columns with the largest total worth (Kuhn–Munkres with potentials, O(n²·m))."""
    if len(worth) > len(worth[0]):
        turned = assignment([list(column) for column in zip(*worth, strict=True)])
        return sorted((row, column) for column, row in turned)
    rows, columns = len(worth), len(worth[0])
    row_price = [0] * (rows + 1)
    column_price = [0] * (columns + 1)
    taken_by = [0] * (columns + 1)
    for row in range(1, rows + 1):
        _place(row, worth, row_price, column_price, taken_by)
    return sorted((taken_by[column] - 1, column - 1) for column in range(1, columns + 1) if taken_by[column])


def _place(
    row: int, worth: Sequence[Sequence[int]], row_price: list[int], column_price: list[int], taken_by: list[int]
) -> None:
    """Gives one more row a column, moving earlier rows along the cheapest augmenting path. Column 0 is the start."""
    columns = len(column_price) - 1
    slack: list[float] = [float("inf")] * (columns + 1)
    came_from = [0] * (columns + 1)
    visited = [False] * (columns + 1)
    taken_by[0] = row
    column = 0
    while taken_by[column]:
        visited[column] = True
        current, step, nearest = taken_by[column], float("inf"), 0
        for candidate in range(1, columns + 1):
            if visited[candidate]:
                continue
            cost = -worth[current - 1][candidate - 1] - row_price[current] - column_price[candidate]
            if cost < slack[candidate]:
                slack[candidate], came_from[candidate] = cost, column
            if slack[candidate] < step:
                step, nearest = slack[candidate], candidate
        for passed in range(columns + 1):
            if visited[passed]:
                row_price[taken_by[passed]] += int(step)
                column_price[passed] -= int(step)
            else:
                slack[passed] -= step
        column = nearest
    while column:
        taken_by[column] = taken_by[came_from[column]]
        column = came_from[column]
