"""The tables of the configuration file, with their defaults. Every key that may be written stands here."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from slotbridge.settings.kinds import (
    Batch,
    Code,
    Count,
    Grace,
    Interval,
    Label,
    Listen,
    Minutes,
    Name,
    Origin,
    PortalUrl,
    Positive,
    Rate,
    Ratio,
    SqliteUrl,
    Token,
    WebhookUrl,
    WebUrl,
    Zone,
)
from slotbridge.settings.limits import BITRIX24_PLANS, RESERVEKIT_PLANS, Limits

Conflict = Literal["hold", "bitrix24", "reservekit"]
Initial = Literal["hold", "merge", "bitrix24", "reservekit"]
Direction = Literal["both", "to-reservekit", "to-bitrix24"]


class Table(BaseModel):
    """A table that does not change once read and knows no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OAuthSettings(Table):
    """A Bitrix24 OAuth application. `portal` is the portal's address, `token_url` where its tokens are renewed."""

    client_id: Token
    client_secret: Token
    portal: PortalUrl
    token_url: WebUrl = "https://oauth.bitrix.info/oauth/token"  # noqa: S105 - an address, no secret


class Bitrix24Settings(Table):
    """The Bitrix24 side: how to get in, by one of two ways, and how fast it may be asked."""

    webhook_url: WebhookUrl | None = None
    oauth: OAuthSettings | None = None
    application_token: Token | None = None
    plan: Literal["standard", "enterprise"] = "standard"
    requests_per_second: Rate | None = None
    burst: Positive | None = None

    @property
    def limits(self) -> Limits:
        """The plan's limits with a margin, or exactly what was set."""
        return BITRIX24_PLANS[self.plan].overridden(self.requests_per_second, self.burst)


class ReserveKitSettings(Table):
    """The ReserveKit side: how to get in, how fast it may be asked, and how its time slots are written."""

    base_url: WebUrl = "https://api.reservekit.io/v1"
    api_key: Token
    origin: Origin | None = None
    plan: Literal["starter", "developer", "growth"] = "starter"
    requests_per_second: Rate | None = None
    burst: Positive | None = None
    requests_per_month: Positive | None = None
    day_zero: Literal["monday", "sunday"] = "monday"
    time_basis: Literal["auto", "wall", "utc"] = "auto"
    end_of_day: Literal["next-day", "23:59:59"] = "next-day"
    time_format: Literal["naive", "rfc3339"] = "naive"
    patch: Literal["changed", "full"] = "changed"
    max_batch: Batch = 50

    @property
    def limits(self) -> Limits:
        """The plan's limits with a margin, or exactly what was set."""
        own = (self.requests_per_second, self.burst, self.requests_per_month)
        return RESERVEKIT_PLANS[self.plan].overridden(*own)

    @property
    def plan_words(self) -> str:
        """How a plan is called in a sentence: by its name, unless the month's number is the user's own."""
        return self.plan if self.requests_per_month is None else "your plan"


class StoreSettings(Table):
    """Where the memory of what both sides agreed on is kept, and for how many days what was changed is remembered."""

    url: SqliteUrl = "sqlite:///slotbridge.db"
    history_days: Positive = 365


class SyncSettings(Table):
    """How a pair is kept in step; in `[sync]` the defaults for every pair.

    `interval` and `interval_max` are in seconds: the daemon's interval lies between them.
    """

    interval: Interval = 300
    interval_max: Interval = 3600
    conflict: Conflict = "hold"
    initial: Initial = "hold"
    direction: Direction = "both"
    slots: Literal["window", "split"] = "window"
    capacity: Literal["derive", "fixed"] = "derive"
    max_bookings: Positive | None = None
    slot_minutes: Minutes | None = None
    booked_slots: Literal["hold", "proceed", "waitlist"] = "hold"
    max_delete_ratio: Ratio = 0.5
    max_delete_count: Count = 3
    names: Literal["off", "bitrix24", "reservekit"] = "off"


class DaemonSettings(Table):
    """The long-running process. `drain` is the time in seconds that running work gets at the end.

    `public_url` is where the portal reaches `listen` from outside, if it can: notifications are asked for there.
    """

    listen: Listen = "127.0.0.1:8080"
    public_url: WebUrl | None = None
    drain: Grace = 30


class PairSettings(SyncSettings):
    """One resource and one service, with every option in effect: their own, else the default of `[sync]`."""

    name: Label
    resource_id: Positive
    service_id: Positive
    timezone: Zone | None = None


class ResourceTypeSettings(Table):
    """What a Bitrix24 resource type shall be like; what is None is left as it is. Delays and intervals are in seconds.

    The names are those of the fields of `booking.v1.resourceType.update`.
    """

    id: Positive
    code: Code | None = None
    name: Name | None = None
    infoNotificationDelay: Count | None = None
    isConfirmationNotificationOn: bool | None = None
    templateTypeConfirmation: str | None = None
    confirmationNotificationDelay: Count | None = None
    confirmationNotificationRepetitions: Count | None = None
    confirmationNotificationRepetitionsInterval: Count | None = None
    confirmationCounterDelay: Count | None = None
    isReminderNotificationOn: bool | None = None
    templateTypeReminder: str | None = None
    reminderNotificationDelay: int | None = None
    isFeedbackNotificationOn: bool | None = None
    templateTypeFeedback: str | None = None
    isDelayedNotificationOn: bool | None = None
    templateTypeDelayed: str | None = None
    delayedNotificationDelay: Count | None = None
    delayedCounterDelay: Count | None = None
