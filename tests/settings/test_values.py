"""What the configuration holds when it is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from slotbridge.settings import Limits, PairSettings
from tests.settings.configured import CODE, KEY, PAIR, SIDES, load


def test_the_least_configuration_has_the_documented_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.store.url == "sqlite:///slotbridge.db"
    assert (settings.daemon.listen, settings.daemon.drain) == ("127.0.0.1:8080", 30)
    assert settings.reservekit.model_dump(exclude={"api_key"}) == {
        "base_url": "https://api.reservekit.io/v1",
        "origin": None,
        "plan": "starter",
        "requests_per_second": None,
        "burst": None,
        "requests_per_month": None,
        "day_zero": "monday",
        "time_basis": "auto",
        "end_of_day": "next-day",
        "time_format": "naive",
        "patch": "changed",
        "max_batch": 50,
    }
    assert [pair.model_dump() for pair in settings.pairs] == [
        {
            "name": "dental",
            "resource_id": 15,
            "service_id": 123,
            "timezone": None,
            "interval": 300,
            "interval_max": 3600,
            "conflict": "hold",
            "initial": "hold",
            "direction": "both",
            "slots": "window",
            "capacity": "derive",
            "max_bookings": None,
            "slot_minutes": None,
            "booked_slots": "hold",
            "max_delete_ratio": 0.5,
            "max_delete_count": 3,
            "names": "off",
        }
    ]


def test_a_pair_takes_its_own_option_else_the_default_of_sync(tmp_path: Path) -> None:
    other = '[[pairs]]\nname = "other"\nresource_id = 16\nservice_id = 124\ninterval = "30s"\nconflict = "hold"\n'
    sync = '[sync]\nconflict = "bitrix24"\ninterval = "1h30m"\nmax_bookings = 2\n'

    first, second = load(tmp_path, SIDES + sync + PAIR + other).pairs

    assert (first.conflict, first.interval, first.max_bookings) == ("bitrix24", 5400, 2)
    assert (second.conflict, second.interval, second.max_bookings) == ("hold", 30, 2)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("1h2m3s", 3723), ("90m", 5400)]
)
def test_durations_are_read_as_seconds(tmp_path: Path, text: str, seconds: int) -> None:
    assert load(tmp_path, SIDES + f'[sync]\ninterval = "{text}"\n').sync.interval == seconds


def test_secrets_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path)

    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert CODE not in text
        assert KEY not in text
    assert settings.reservekit.api_key.get_secret_value() == KEY


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(tmp_path)

    with pytest.raises(ValidationError):
        settings.pairs = ()  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.pairs[0].interval = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "url", ["https://example.bitrix24.com/rest/1/abc", "http://127.0.0.1:8081/rest/1/abc/", "http://[::1]/rest/1/abc"]
)
def test_a_webhook_address_ends_with_a_slash_whether_it_was_given_one_or_not(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, SIDES, SLOTBRIDGE_BITRIX24__WEBHOOK_URL=url)

    assert settings.bitrix24.webhook_url is not None
    assert settings.bitrix24.webhook_url.get_secret_value() == url.rstrip("/") + "/"


BEFORE, AFTER = r"\n\t ", r" \r\n"
"""What copying takes along, as TOML writes it."""


def test_space_around_an_address_or_a_secret_is_not_part_of_it(tmp_path: Path) -> None:
    def around(text: str) -> str:
        return text.replace('= "', f'= "{BEFORE}').replace('"\n', f'{AFTER}"\n')

    base = 'base_url = "https://api.example.com/v1"\n'
    settings = load(tmp_path, around(SIDES + base))
    assert settings.bitrix24.webhook_url is not None
    assert settings.bitrix24.webhook_url.get_secret_value() == f"https://example.bitrix24.com/rest/1/{CODE}/"
    assert settings.reservekit.api_key.get_secret_value() == KEY
    assert settings.reservekit.base_url == "https://api.example.com/v1"

    oauth = '[bitrix24.oauth]\nclient_id = "local.1"\nclient_secret = "s"\nportal = "https://example.bitrix24.com/"\n'
    found = load(tmp_path, around(oauth + f'[reservekit]\napi_key = "{KEY}"\n')).bitrix24.oauth
    assert found is not None
    assert (found.client_id.get_secret_value(), found.client_secret.get_secret_value()) == ("local.1", "s")
    assert found.portal == "https://example.bitrix24.com"


def test_space_around_a_variable_is_not_part_of_it(tmp_path: Path) -> None:
    url = f" https://example.bitrix24.com/rest/1/{CODE}/\n"
    settings = load(tmp_path, SLOTBRIDGE_BITRIX24__WEBHOOK_URL=url, SLOTBRIDGE_RESERVEKIT__API_KEY=f"{KEY}\r\n")
    assert settings.bitrix24.webhook_url is not None
    assert settings.bitrix24.webhook_url.get_secret_value() == url.strip()
    assert settings.reservekit.api_key.get_secret_value() == KEY


def test_an_oauth_application_can_stand_in_place_of_the_webhook(tmp_path: Path) -> None:
    oauth = '[bitrix24.oauth]\nclient_id = "local.1"\nclient_secret = "s"\nportal = "https://example.bitrix24.com/"\n'
    settings = load(tmp_path, oauth + f'[reservekit]\napi_key = "{KEY}"\n')

    assert settings.bitrix24.webhook_url is None
    assert settings.bitrix24.oauth is not None
    assert settings.bitrix24.oauth.portal == "https://example.bitrix24.com"


@pytest.mark.parametrize(("plan", "limits"), [("standard", Limits(2, 49)), ("enterprise", Limits(5, 249))], ids=str)
def test_bitrix24_plans_leave_a_margin_to_others(tmp_path: Path, plan: str, limits: Limits) -> None:
    assert load(tmp_path, SIDES, SLOTBRIDGE_BITRIX24__PLAN=plan).bitrix24.limits == limits


@pytest.mark.parametrize(
    ("plan", "limits"),
    [
        ("starter", Limits(4, 8, 10_000)),
        ("developer", Limits(8, 16, 50_000)),
        ("growth", Limits(16, 40, None)),
    ],
    ids=str,
)
def test_reservekit_plans_use_four_fifths_of_the_rate(tmp_path: Path, plan: str, limits: Limits) -> None:
    assert load(tmp_path, SIDES, SLOTBRIDGE_RESERVEKIT__PLAN=plan).reservekit.limits == limits


def test_own_limits_count_exactly_and_one_by_one(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        SIDES,
        SLOTBRIDGE_BITRIX24__REQUESTS_PER_SECOND="2",
        SLOTBRIDGE_RESERVEKIT__BURST="3",
        SLOTBRIDGE_RESERVEKIT__REQUESTS_PER_MONTH="77",
    )

    assert settings.bitrix24.limits == Limits(2, 49)
    assert settings.reservekit.limits == Limits(4, 3, 77)


def test_a_pair_can_be_made_by_hand_for_a_test() -> None:
    assert PairSettings(name="x", resource_id=1, service_id=2).max_delete_count == 3


def test_the_plan_is_called_by_its_name_unless_its_number_is_the_users_own(tmp_path: Path) -> None:
    assert load(tmp_path).reservekit.plan_words == "starter"
    assert load(tmp_path, SIDES + "requests_per_month = 10000000\n" + PAIR).reservekit.plan_words == "your plan"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://www.example.com", "https://www.example.com"),
        (" https://www.example.com/\\n", "https://www.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_what_a_browser_would_send(tmp_path: Path, written: str, sent: str) -> None:
    assert load(tmp_path, SIDES + f'origin = "{written}"\n').reservekit.origin == sent
