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
    crm_scope: bool = True
    booking_tool: bool = True  # switched off by an administrator?
    booking_feature: bool = True  # part of the plan?
    waitlist_feature: bool = True
    client_types: bool = True  # a fresh portal learns them from the first client that a person adds
    overloaded: bool = False  # blocked by the vendor's support: 503, like the bucket, but for good
    exhausted: tuple[str, ...] = ()  # methods whose operating time is used up
    operating_limit: float | None = None  # seconds of a method in ten minutes; the documentation calculates with 480
    operating_cost: float = 0.5  # seconds that each call is said to have taken; below 0.1 is not charged
    batch_fails_from: int | None = None  # once: from this command on, the first being 0, all of a batch are refused
    batch_fails_with: str = "QUERY_LIMIT_EXCEEDED"
    batch_skips: tuple[int, ...] = ()  # once: these commands of a batch vanish
    token_seconds: int = 3600  # how long an access token is good
    old_tokens: Literal["dead", "alive"] = "dead"  # what a refresh makes of the pair before it
    unknown_client: Literal["invalid_client", "wrong_client"] = "invalid_client"  # the second comes with status 200
    renamed_to: str | None = None  # the host that token answers name, once the portal has another address
    booking_events: bool = True  # portals older than the events do not know them
    event_delay: float = 1.0  # seconds until an event is sent; a background job does it
    event_copies: int = 1  # how often the same event is sent; 0 is never


@dataclass(frozen=True, slots=True)
class ReserveKitBehaviour:
    """The switches of the ReserveKit side."""

    day_base: Literal["monday", "sunday"] = "monday"  # how the dashboard numbers days
    basis: Literal["wall", "utc"] = "wall"  # what the stored digits mean
    naive_input: Literal["basis", "wall"] = "basis"  # what digits without a zone mean
    accepts: Literal["any", "naive", "zoned"] = "any"
    text_form: Literal["naive", "rfc3339", "offset", "iso", "micro", "year0", "time"] = "naive"
    placeholder: str | None = None  # the date that replaces every date received
    keeps_end_date: bool = True  # with a placeholder: does an end on the next day stay there?
    round_minutes: int = 0  # times are rounded to so many minutes
    overnight: bool = False  # may a slot end after midnight of the next day?
    pagination: Literal["current_page", "page", "metadata", "null", "list"] = "current_page"
    page_required: bool = False  # whether page and page_size have to be sent
    default_page_size: int = 10
    max_page_size: int = 100
    no_pagination: bool = True  # whether the parameter is honoured
    nested_paged: bool = False  # whether /services/{id}/time-slots has pages, too
    order: Literal["id", "updated", "reversed", "restless"] = "id"  # restless: another one for each request
    slots_of_all: bool = False  # whether GET /time-slots goes without a service
    ids: Literal["number", "text"] = "number"
    zones: Literal["present", "null", "empty", "missing"] = "present"
    extras: bool = False  # members that only the generated schema knows
    booking_date: Literal["date", "timestamp"] = "date"
    booking_form: Literal["guide", "schema"] = "guide"  # the schema: no status, the time slot nested
    booking_service: Literal["optional", "query"] = "optional"  # whether POST /bookings needs the service in the query
    booking_weekday: bool = False  # whether a date has to fall on the slot's weekday
    new_status: Literal["pending", "confirmed"] = "pending"
    cancelled_again: bool = False  # whether what is cancelled may be cancelled
    zone_writable: bool = True  # whether PATCH /services/{id} takes a time zone
    service_slots: bool = False  # whether it takes time slots to be created
    empty_text: Literal["accept", "unchanged"] = "accept"  # "" is what Go takes for "not sent"
    envelope: Literal["data", "null-error", "status"] = "data"
    errors: Literal["object", "text", "status", "status-text", "message"] = "object"
    not_found: Literal["named", "resource", "bare"] = "named"  # whether a 404 tells what is missing; bare: plain text
    patch: Literal["upsert", "replace"] = "upsert"
    patch_answer: Literal["updated", "all", "empty"] = "updated"
    atomic: bool = False  # whether a batch with a bad slot changes nothing
    max_batch: int | None = None
    partial_update: bool = True  # whether an update may leave fields out
    stale_id: Literal["404", "ignore", "create"] = "404"
    zero_day: Literal["accept", "refuse", "unchanged"] = "accept"  # 0 is what Go takes for "not sent"
    strict_fields: bool = False
    writes_refused: Literal[401, 403, 404, 405] | None = None  # slot writes closed to API keys
    closed: tuple[str, ...] = ()  # other routes closed to them, such as "PATCH /services/{id}"
    closed_status: Literal[401, 403, 404, 405] = 404
    booked_slot: Literal["cascade", "refuse", "dangle"] = "cascade"
    delete_status: Literal[200, 204] = 200
    create_status: Literal[200, 201] = 201
    services_limit: int | None = None  # of the plan
    bookings_per_month: int | None = None  # likewise
    origin: str | None = None  # the origin that the key is bound to
    limiter: bool = True
    rate: float = 5.0
    burst: int = 10
    retry_after: bool = True  # whether a 429 says how long to wait
    retry_after_form: Literal["seconds", "date", "body"] = "seconds"  # as a number, as a date, in the body alone
    rate_headers: Literal["epoch", "millis", "seconds", "none"] = "epoch"  # how X-RateLimit-Reset is written
    requests_per_month: int | None = 10_000
    refused_count: bool = True  # whether requests that are refused for a limit use up the month
    month_retry_after: int | None = None  # what the 429 of a used-up month asks for
