"""What the two servers can be made to do differently, where their documentation disagrees or is silent.

The defaults are the current portal source on the one side and the guide pages on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PortalBehaviour:
    """The switches of the Bitrix24 side."""

    limiter: bool = True  # the leaky bucket, 2 requests per second and 50 at most, as on most plans
    rate: float = 2.0
    burst: int = 50
    error_code: Literal["text", "number"] = "text"  # older portals sent numbers
    operating: bool = True  # whether `time` tells the operating time, as on the cloud
    time_start: Literal["int", "float"] = "int"
    empty_as_null: bool = True  # 0 and "" come back as null
    added_id: Literal["number", "object"] = "number"  # the documentation shows an object in places
    update_wipes_slots: bool = True
    slots_order: Literal["id", "reversed"] = "id"  # the query has no ORDER BY
    max_input_vars: int = 1000
    booking_module: bool = True  # portals older than the methods do not know them
    booking_scope: bool = True
    booking_tool: bool = True  # switched off by an administrator?
    booking_feature: bool = True  # part of the plan?
    exhausted: tuple[str, ...] = ()  # methods whose operating time is used up


@dataclass(frozen=True, slots=True)
class ReserveKitBehaviour:
    """The switches of the ReserveKit side."""

    day_base: Literal["monday", "sunday"] = "monday"  # how the dashboard numbers days
    basis: Literal["wall", "utc"] = "wall"  # what the stored digits mean
    naive_input: Literal["basis", "wall"] = "basis"  # what digits without a zone mean
    accepts: Literal["any", "naive", "zoned"] = "any"
    text_form: Literal["naive", "rfc3339", "iso", "micro", "year0"] = "naive"
    placeholder: str | None = None  # the date that replaces every date received
    keeps_end_date: bool = True  # with a placeholder: does an end on the next day stay there?
    round_minutes: int = 0  # times are rounded to so many minutes
    overnight: bool = False  # may a slot end after midnight of the next day?
    pagination: Literal["current_page", "page", "metadata", "null", "list"] = "current_page"
    default_page_size: int = 10
    max_page_size: int = 100
    no_pagination: bool = True  # whether the parameter is honoured
    nested_paged: bool = False  # whether /services/{id}/time-slots has pages, too
    order: Literal["id", "updated", "reversed"] = "id"
    ids: Literal["number", "text"] = "number"
    zones: Literal["present", "null", "empty", "missing"] = "present"
    extras: bool = False  # members that only the generated schema knows
    booking_date: Literal["date", "timestamp"] = "date"
    envelope: Literal["data", "null-error", "status"] = "data"
    errors: Literal["object", "text", "status", "status-text"] = "object"
    patch: Literal["upsert", "replace"] = "upsert"
    patch_answer: Literal["updated", "all", "empty"] = "updated"
    atomic: bool = False  # whether a batch with a bad slot changes nothing
    max_batch: int | None = None
    stale_id: Literal["404", "ignore", "create"] = "404"
    zero_day: Literal["accept", "refuse", "unchanged"] = "accept"  # 0 is what Go takes for "not sent"
    strict_fields: bool = False
    writes_refused: Literal[401, 403, 404, 405] | None = None  # slot writes closed to API keys
    booked_slot: Literal["cascade", "refuse", "dangle"] = "cascade"
    delete_status: Literal[200, 204] = 200
    origin: str | None = None  # the origin that the key is bound to
    limiter: bool = True
    rate: float = 5.0
    burst: int = 10
    retry_after: bool = True  # whether a 429 says how long to wait
    requests_per_month: int | None = 10_000
