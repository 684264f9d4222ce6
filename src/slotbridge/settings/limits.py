"""How fast, and how often in a month, each service may be asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`rate` in requests per second, `burst` in requests at once, `per_month` in requests or None."""

    rate: float
    burst: int
    per_month: int | None = None

    def overridden(self, rate: float | None, burst: int | None, per_month: int | None = None) -> Limits:
        """These limits with the user's own numbers in place of ours, exactly as given."""
        return Limits(
            rate=self.rate if rate is None else rate,
            burst=self.burst if burst is None else burst,
            per_month=self.per_month if per_month is None else per_month,
        )


# The API documentation: a leaky bucket per portal and source address, shared by all applications there.
# It drains 2 a second and blocks above 50, for Enterprise 5 and 250. Who keeps to that never runs it over; one request
# is left for those that overtake each other on the way. What others send there is noticed by the refusal it causes.
BITRIX24_PLANS = {
    "standard": Limits(rate=2, burst=50 - 1),
    "enterprise": Limits(rate=5, burst=250 - 1),
}

# The API documentation: 5, 10 and 20 requests a second, bursts of 10, 20 and 50; Growth's month by contract.
# A fifth of both stays unused, because it is not documented how refused requests are counted.
RESERVEKIT_PLANS = {
    "starter": Limits(rate=5 * 0.8, burst=8, per_month=10_000),
    "developer": Limits(rate=10 * 0.8, burst=16, per_month=50_000),
    "growth": Limits(rate=20 * 0.8, burst=40),
}
