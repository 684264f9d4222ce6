"""The error codes in ReserveKit's documentation, and the HTTP status that each of them comes with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SLOT_NOT_FOUND: Final = "time_slot_not_found"
SERVICE_NOT_FOUND: Final = "service_not_found"
BOOKING_NOT_FOUND: Final = "booking_not_found"

STATUS_OF: Final[Mapping[str, int]] = MappingProxyType(
    {
        "invalid_request": 400,
        "missing_required_field": 400,
        "invalid_field_format": 400,
        "validation_failed": 400,
        "time_slot_full": 400,
        "duplicate_booking": 400,
        "authentication_required": 401,
        "authorization_header_malformed": 401,
        "invalid_api_key": 401,
        SERVICE_NOT_FOUND: 404,
        SLOT_NOT_FOUND: 404,
        BOOKING_NOT_FOUND: 404,
        "resource_not_found": 404,
        "not_found": 404,
        "invalid_status_transition": 422,
        "rate_limit_exceeded": 429,
        "api_limit_exceeded": 429,
    }
)
