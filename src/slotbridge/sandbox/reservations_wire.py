"""ReserveKit's envelopes: success, pages and errors, each in the forms that its documentation knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from slotbridge.sandbox.behaviour import ReserveKitBehaviour


class Refusal(Exception):
    """An error answer. `details` are problems by field."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def body(self, behaviour: ReserveKitBehaviour) -> dict[str, object]:
        match behaviour.errors:
            case "text":
                return {"error": self.message, "data": None}
            case "status":
                return {"status": self.status, "message": self.message, "code": self.code}
            case "status-text":
                return {"status": "error", "error": self.message, "data": None}
            case "message":
                return {"message": self.message}
        more = {"retry_after": self.retry_after, "details": self.details}
        error = {"code": self.code, "message": self.message}
        return {"error": error | {name: value for name, value in more.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Success:
    """`data` and the status; `metadata` stands beside the data in one of the forms of pagination."""

    data: object
    status: int = 200
    metadata: Mapping[str, int] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, behaviour: ReserveKitBehaviour) -> dict[str, object]:
        more: dict[str, dict[str, object]] = {
            "data": {},
            "null-error": {"error": None},
            "status": {"status": "success", "error": None},
        }
        metadata = {} if self.metadata is None else {"metadata": self.metadata}
        return {"data": self.data, **metadata, **more[behaviour.envelope]}


@dataclass(frozen=True, slots=True)
class Query:
    """A query string's parameters."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Query:
        return cls(dict(parse_qsl(text, keep_blank_values=True)))

    def number(self, name: str) -> int | None:
        """A parameter as a number, None if it is missing. Raises Refusal if it is something else."""
        text = self.values.get(name)
        if text is not None and not text.isdecimal():
            raise Refusal(400, "invalid_request", f"Invalid value for {name}")
        return None if text is None else int(text)


def page(name: str, rows: Sequence[object], query: Query, behaviour: ReserveKitBehaviour) -> Success:
    """The page of `rows` that is asked for, under `name`, in the form in force."""
    if behaviour.page_required and not {"page", "page_size"} <= query.values.keys():
        raise Refusal(400, "missing_required_field", "page and page_size are required")
    whole = query.values.get("no_pagination") == "true" and behaviour.no_pagination
    if behaviour.pagination == "list":
        return Success(list(rows))
    if behaviour.pagination == "null" or whole:
        return Success({name: list(rows), "pagination": None})
    number = max(1, query.number("page") or 1)
    size = min(max(1, query.number("page_size") or behaviour.default_page_size), behaviour.max_page_size)
    some = list(rows[(number - 1) * size : number * size])
    pages = -(-len(rows) // size)
    match behaviour.pagination:
        case "metadata":
            numbers = {"currentPage": number, "firstPage": 1, "lastPage": pages, "pageSize": size}
            return Success(some, metadata={**numbers, "totalRecords": len(rows)})
        case "page":
            form = {"page": number, "page_size": size, "total_items": len(rows), "total_pages": pages}
            return Success({name: some, "pagination": form})
    form = {"current_page": number, "total_pages": pages, "total_count": len(rows), "page_size": size}
    return Success({name: some, "pagination": form})
