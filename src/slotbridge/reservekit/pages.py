"""Complete listings, or none: a row that a listing left out would look like a deletion.

The documentation has three sets of names for the page numbers, each on a page of its own; any of them may be
null or absent. The order of rows is documented nowhere, so rows may move from page to page while one reads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slotbridge.reservekit.answers import bad_answer
from slotbridge.reservekit.kinds import Row, identity, whole

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 500
ATTEMPTS: Final = 3

_SIZE = ("page_size", "pageSize")
_PAGES = ("total_pages", "lastPage")
_TOTAL = ("total_count", "total_items", "totalRecords")


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `count` includes ids listed twice; `paged` says whether page numbers came along."""

    rows: dict[int, Row]
    count: int
    paged: bool = False
    size: int | None = None
    pages: int | None = None
    total: int | None = None


@dataclass(slots=True)
class Sweep:
    """One pass over the pages of a listing, and the judgement whether it adds up.

    A `thorough` one asks for the next page also where no page numbers came along and the list is shorter than a page:
    a server with pages of another size, which does not tell it, looks like one without pages.
    """

    thorough: bool = False
    rows: dict[int, Row] = field(default_factory=dict)
    number: int = 0
    count: int = 0
    forms: set[tuple[bool, int | None, int | None]] = field(default_factory=set)

    def take(self, page: Page) -> bool:
        """Adds the next page. True if there is one more to ask for."""
        if self._repeats(page):
            return False
        fresh = not page.rows.keys() <= self.rows.keys()
        self.rows.update(page.rows)
        self.number += 1
        self.count += page.count
        self.forms.add((page.paged, page.pages, page.total))
        return fresh and len(self.forms) == 1 and self._continues(page)

    def _repeats(self, page: Page) -> bool:
        """A server without pages answers every page number with all that there is."""
        return self.forms == {(False, None, None)} and not page.paged and page.rows.keys() == self.rows.keys()

    def _continues(self, page: Page) -> bool:
        if page.pages is not None:
            # With no total to prove the rows, a short page before the last leaves some out: this pass does not add up.
            return self.number < page.pages and (page.total is not None or page.count >= (page.size or 0))
        if page.total is not None:
            return len(self.rows) < page.total
        # The server may clamp the page size: what it echoes counts, not what was asked for.
        if page.size is not None:
            return page.count >= page.size
        return page.paged or page.count == PAGE_SIZE or (self.thorough and page.count > 0)

    def adds_up(self) -> bool:
        """Whether every row is proven to be there, each of them once."""
        if len(self.forms) != 1:
            return False
        _, pages, total = next(iter(self.forms))
        if total is not None:
            return len(self.rows) == total
        return self.count == len(self.rows) and (pages is None or self.number >= pages)


async def list_completely(fetch: Callable[[int], Awaitable[Page]], *, item: str, thorough: bool = False) -> list[Row]:
    """All rows, in the order of their first appearance. `fetch` gets the number of a page, from 1.

    With `thorough`, a list that came without page numbers is whole only once the next page has nothing new.

    Raises BadAnswer if the listing does not add up in three attempts, or does not end.
    """
    for _ in range(ATTEMPTS):
        sweep = Sweep(thorough)
        while sweep.take(page := await fetch(sweep.number + 1)):
            if max(sweep.number + 1, page.pages or 0) > MAX_PAGES:
                raise bad_answer(f"the listing has more than {MAX_PAGES} pages", item=item)
        if sweep.adds_up():
            return list(sweep.rows.values())
    what = f"unstable listing: in {ATTEMPTS} attempts its rows and totals did not add up"
    raise bad_answer(what, item=item)


def read_page(answer: Mapping[str, Any], name: str, *, item: str, first: bool = True) -> Page:
    """One page of the listing called `name`, in any of its forms. Raises BadAnswer for anything else."""
    data = answer.get("data")
    inner: Mapping[str, Any] = data if isinstance(data, dict) else {}
    numbers = _page_numbers(inner, answer, item)
    total = _number(numbers, _TOTAL, item)
    listed = inner.get(name) if isinstance(data, dict) else data
    if listed is None and (total == 0 or (name in inner and not first)):
        # Go writes a list that was never filled as null. Without a total that says so, it proves nothing; behind the
        # last page, nothing is what there is.
        listed = []
    if not isinstance(listed, list):
        raise bad_answer(f"the answer has no list of {name}", item=item)
    return Page(
        rows=_by_id(listed, item),
        count=len(listed),
        paged=numbers is not None,
        size=_number(numbers, _SIZE, item) or None,  # 0 is how Go writes "not set"
        pages=_number(numbers, _PAGES, item) or None,
        total=total,
    )


def _page_numbers(inner: Mapping[str, Any], answer: Mapping[str, Any], item: str) -> Mapping[str, Any] | None:
    found = (each.get(name) for each in (inner, answer) for name in ("pagination", "metadata"))
    numbers = next((each for each in found if each is not None), None)
    if numbers is None or isinstance(numbers, dict):
        return numbers
    raise bad_answer("the page numbers of the listing are not an object", item=item)


def _number(numbers: Mapping[str, Any] | None, names: tuple[str, ...], item: str) -> int | None:
    value = next((numbers[name] for name in names if numbers.get(name) is not None), None) if numbers else None
    if value is None:
        return None
    try:
        number = whole(value)
    except ValueError:
        number = -1
    if number < 0:
        raise bad_answer(f"a page number of the listing ({names[0]}) is not a number", item=item)
    return number


def _by_id(listed: list[Any], item: str) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    for row in listed:
        number = identity(row) if isinstance(row, dict) else None
        if number is None:
            raise bad_answer("the listing has an element without a usable id", item=item)
        rows[number] = row
    return rows
