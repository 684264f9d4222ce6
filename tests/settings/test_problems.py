"""What is said when the configuration is wrong: the place, what stands there, what is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbridge.errors import ConfigurationError
from slotbridge.settings import Settings, load_settings
from tests.settings.configured import CODE, KEY, PAIR, SIDES, load, problems, without_secrets


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    text = """
    [bitrix24]
    webhook_url = "http://example.com/rest/1/s3cr3tc0de/"
    plan = "gold"
    [reservekit]
    api_kee = "sk_rsv_s3cr3tkey"
    [synk]
    [sync]
    interval = "5 minutes"
    max_delete_ratio = 1.5
    [[pairs]]
    name = "dental"
    resource_id = 1
    service_id = 2
    conflict = "always"
    capacity = "fixed"
    [[pairs]]
    name = "dental"
    resource_id = 1
    service_id = 3
    """
    assert problems(tmp_path, text, SLOTBRIDGE_STORE__ULR="x") == (
        "SLOTBRIDGE_STORE__ULR: unknown variable; did you mean SLOTBRIDGE_STORE__URL?",
        "[bitrix24] webhook_url: must begin with https://; plain http is for this machine's own addresses only",
        '[bitrix24] plan = "gold": use "standard" or "enterprise"',
        "[reservekit] api_key: missing; set it here, as SLOTBRIDGE_RESERVEKIT__API_KEY or in a secret file",
        '[reservekit] api_kee: unknown key; did you mean "api_key"?',
        '[sync] interval = "5 minutes": must be a duration such as "30s", "5m", "1h" or "1h30m"',
        "[sync] max_delete_ratio = 1.5: must be between 0 and 1",
        '[[pairs]] "dental": conflict = "always": use "hold", "bitrix24" or "reservekit"',
        "[synk]: unknown table; did you mean [sync]?",
        '[[pairs]] "dental": capacity = "fixed" needs max_bookings and slot_minutes, here or in [sync]',
        '[[pairs]] "dental": name is taken by [[pairs]] "dental"; each may be in one pair only',
        '[[pairs]] "dental": resource_id is taken by [[pairs]] "dental"; each may be in one pair only',
    )


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ("sync", 'interval = "9s"', "between 10s and 720h"),
        ("sync", 'interval = "1000000h"', "between 10s and 720h"),
        ("sync", "interval = 300", 'such as "30s"'),
        ("sync", 'interval = ""', 'such as "30s"'),
        ("sync", "max_delete_ratio = -0.1", "between 0 and 1"),
        ("sync", "max_delete_ratio = nan", "between 0 and 1"),
        ("sync", "max_delete_count = -1", "at least 0"),
        ("sync", "max_delete_count = 1.5", "whole number"),
        ("sync", "max_bookings = 0", "at least 1"),
        ("sync", "slot_minutes = 0", "between 1 and 1440"),
        ("sync", "slot_minutes = 1441", "between 1 and 1440"),
        ("sync", "max_bookings = true", "must be a number"),
        ("sync", 'timezone = "Europe/Berlin"', "unknown key"),
        ("sync", 'booked_slots = "cancel"', 'use "hold", "proceed" or "waitlist"'),
        ("daemon", 'drain = "2h"', "between 0s and 1h"),
        ("daemon", 'listen = "8080"', '"127.0.0.1:8080"'),
        ("daemon", 'listen = "127.0.0.1:99999"', '"127.0.0.1:8080"'),
        ("store", 'url = "postgresql:///slots"', "only SQLite"),
        ("store", 'url = "sqlite:///"', "must name a file"),
    ],
)
def test_s16_values_out_of_their_range_are_problems(tmp_path: Path, table: str, line: str, said: str) -> None:
    (problem,) = problems(tmp_path, f"{SIDES}[{table}]\n{line}\n")

    assert problem.startswith(f"[{table}] {line.split(' = ')[0]}")
    assert said in problem


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("max_batch = 0", "between 1 and 1000"),
        ("requests_per_second = 0", "above 0"),
        ("requests_per_second = inf", "above 0"),
        ("burst = 0", "at least 1"),
        ("requests_per_month = 0", "at least 1"),
        ('base_url = "http://api.reservekit.io/v1"', "must begin with https://"),
        ('base_url = "https://user:hunter2@api.reservekit.io/v1"', "must not carry a user name"),
        ('base_url = "api.reservekit.io"', "web address"),
        ('origin = "www.example.com"', "must be a scheme and a host"),
        ('origin = "https://www.example.com/booking"', "must be a scheme and a host"),
        ('origin = "https://bücher.example"', "must be a scheme and a host"),
        ('origin = "https://example.com\\r\\nX: y"', "must be a scheme and a host"),
        ('origin = ""', "must be a scheme and a host"),
        ('day_zero = "tuesday"', 'use "monday" or "sunday"'),
    ],
)
def test_reservekit_values_are_checked(tmp_path: Path, line: str, said: str) -> None:
    (problem,) = problems(tmp_path, SIDES + line + "\n")

    assert problem.startswith(f"[reservekit] {line.split(' = ')[0]}")
    assert said in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "url",
    [
        f"https://example.bitrix24.com/rest/1/{CODE}/profile.json",
        f"https://example.bitrix24.com/rest/{CODE}/",
        f"https://example.bitrix24.com/rest/1/{CODE}/?x=1",
        f"https://u:p@example.bitrix24.com/rest/1/{CODE}/",
        f"http://192.168.0.1/rest/1/{CODE}/",
        f"http://localhost.evil.com/rest/1/{CODE}/",
        f"ftp://example.bitrix24.com/rest/1/{CODE}/",
        f"https://example.bitrix24.com:x/rest/1/{CODE}/",
        f"https://[::1/rest/1/{CODE}/",
        CODE,
        "",
    ],
)
def test_a_webhook_address_of_another_shape_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, SIDES, SLOTBRIDGE_BITRIX24__WEBHOOK_URL=url)

    assert problem.startswith("[bitrix24] webhook_url: must ")


@pytest.mark.parametrize("space", [" ", "\n", "\u00a0"])
def test_space_inside_an_address_is_named(tmp_path: Path, space: str) -> None:
    url = f"https://example.bitrix24.com/rest/1/{space}{CODE}/"
    (problem,) = problems(tmp_path, SIDES, SLOTBRIDGE_BITRIX24__WEBHOOK_URL=url)

    assert problem == "[bitrix24] webhook_url: must have no space or line break inside"


@pytest.mark.parametrize(
    "url",
    [
        f"https://example.bitrix24.com/rest/1/{CODE}/",
        f"https://example.bitrix24.com/{CODE}",
        f"example.bitrix24.com/rest/1/{CODE}/",
        f"https://example.bitrix24.com?x={CODE}",
        f"http://example.bitrix24.com/{CODE}",
    ],
)
def test_what_is_more_than_a_portals_host_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    oauth = f'[bitrix24.oauth]\nclient_id = "a"\nclient_secret = "b"\nportal = "{url}"\n'
    (problem,) = problems(tmp_path, f'{oauth}[reservekit]\napi_key = "{KEY}"\n')

    assert problem.startswith("[bitrix24.oauth] portal: must ")


def test_one_way_into_bitrix24_is_needed_and_one_only(tmp_path: Path) -> None:
    oauth = '[bitrix24.oauth]\nclient_id = "a"\nclient_secret = "b"\nportal = "https://example.bitrix24.com"\n'

    (both,) = problems(tmp_path, SIDES + oauth)
    (neither,) = problems(tmp_path, f'[reservekit]\napi_key = "{KEY}"\n')

    assert both == "[bitrix24] webhook_url: cannot stand next to [bitrix24.oauth]; keep one of the two"
    assert neither.startswith("[bitrix24] webhook_url: missing; ")
    assert "SLOTBRIDGE_BITRIX24__WEBHOOK_URL" in neither


@pytest.mark.parametrize("zone", ["Europe/Berln", "Europe", "../../etc/passwd", "", "\u0000"])
def test_a_time_zone_must_be_known(tmp_path: Path, zone: str) -> None:
    text = SIDES + PAIR + f"timezone = {json.dumps(zone)}\n"

    (problem,) = problems(tmp_path, text)

    assert problem.startswith('[[pairs]] "dental": timezone')
    assert "IANA list" in problem


@pytest.mark.parametrize(("direction", "target"), [("to-reservekit", "reservekit"), ("to-bitrix24", "bitrix24")])
def test_initial_cannot_name_the_target_of_a_one_way_pair(tmp_path: Path, direction: str, target: str) -> None:
    sync = f'[sync]\ndirection = "{direction}"\n'

    (problem,) = problems(tmp_path, SIDES + sync + PAIR + f'initial = "{target}"\n')
    source = load(tmp_path, SIDES + sync + PAIR + 'initial = "merge"\n')

    assert problem.startswith(f'[[pairs]] "dental": initial = "{target}" ')
    assert direction in problem
    assert source.pairs[0].initial == "merge"


@pytest.mark.parametrize(
    ("given", "missing"), [("max_bookings = 1", "slot_minutes"), ("slot_minutes = 1", "max_bookings")]
)
def test_fixed_capacity_needs_both_numbers(tmp_path: Path, given: str, missing: str) -> None:
    (problem,) = problems(tmp_path, SIDES + PAIR + f'capacity = "fixed"\n{given}\n')

    assert problem == f'[[pairs]] "dental": capacity = "fixed" needs {missing}, here or in [sync]'


def test_a_mistake_in_sync_is_reported_once_and_not_for_every_pair(tmp_path: Path) -> None:
    assert len(problems(tmp_path, SIDES + '[sync]\nconflict = "x"\n' + PAIR)) == 1


def test_a_pair_without_a_name_is_called_by_its_number(tmp_path: Path) -> None:
    found = problems(tmp_path, SIDES + PAIR + "[[pairs]]\nresource_id = 2\nservice_id = 0\n")

    assert found == (
        "[[pairs]] number 2: name: missing",
        "[[pairs]] number 2: service_id = 0: must be at least 1",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('api_key = "x"\n' + SIDES, "api_key: unknown key here; it is one of [reservekit]"),
        (f'webhook_url = "{CODE}"\n' + SIDES, "webhook_url: unknown key here; it is one of [bitrix24]"),
        (
            SIDES + "interval_max = 5\n",
            "[reservekit] interval_max: unknown key here; it is one of [sync] and [[pairs]]",
        ),
        (SIDES + "client_id = 5\n", "[reservekit] client_id: unknown key here; it is one of [bitrix24.oauth]"),
        (SIDES + "[sync]\nresource_id = 5\n", "[sync] resource_id: unknown key here; it is one of [[pairs]]"),
    ],
)
def test_a_key_at_the_wrong_place_is_told_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, text) == (said,)


def test_what_is_wrong_with_the_variables_is_told_beside_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    variable, file = problems(tmp_path, "[bitrix24", SLOTBRIDGE_FOO="1")

    assert variable.startswith("SLOTBRIDGE_FOO: unknown variable")
    assert "not valid TOML" in file


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("pairs = 5\n", "[[pairs]]: must be a list of tables"),
        ("pairs = [5]\n", "[[pairs]] number 1: must be a table"),
        ("sync = []\n", "[sync]: must be a table"),
        ("store = 'sk_rsv_s3cr3tkey'\n", "[store]: must be a table"),
    ],
)
def test_what_should_be_a_table_and_is_not(tmp_path: Path, text: str, start: str) -> None:
    (problem,) = problems(tmp_path, text + SIDES)

    assert problem.startswith(start)


def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path) -> None:
    text = f'{SIDES}"{KEY}" = 1\nplan = "{KEY}"\n[[pairs]]\nname = "https://x/rest/1/{CODE}/"\n'

    assert len(problems(tmp_path, text)) == 4


def test_bad_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, SIDES + "[sync\n")

    assert "not valid TOML" in problem
    assert "line 7" in problem


def test_a_file_that_is_not_text_or_a_folder_is_a_problem(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")

    for path, said in ((binary, "not UTF-8 text"), (tmp_path, "cannot be read"), (tmp_path / "no", "No such file")):
        with pytest.raises(ConfigurationError) as raised:
            load_settings(path, {})
        assert said in raised.value.problems[0]
        assert str(path) in raised.value.problems[0]


def test_no_configuration_anywhere_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as raised:
        load_settings(None, without_secrets(tmp_path, {}))

    assert raised.value.hint is not None
    assert "Copy config/slotbridge.example.toml to config/slotbridge.toml" in raised.value.hint


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just(KEY),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["pairs", "sync", "bitrix24", "oauth", "name", "resource_id", "webhook_url", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_stands_there_the_answer_is_settings_or_problems(value: object) -> None:
    for data in ({"pairs": [value]}, {"sync": value, "pairs": value}, value if isinstance(value, dict) else {}):
        with pytest.raises(ConfigurationError) as raised:
            Settings(**data)
        assert raised.value.problems
        assert KEY not in "".join(raised.value.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[sync]\ninterval = "2h"\ninterval_max = "1h"\n',
            '[[pairs]] "dental": interval = "2h" is longer than interval_max = "1h"',
        ),
        (
            "[[resource_types]]\nid = 1\n[[resource_types]]\nid = 1\n",
            "[[resource_types]]: id 1 is declared more than once",
        ),
        *[
            (
                f"[[resource_types]]\nid = 1\n{key} = '{value}'\n",
                f"[[resource_types]] number 1: {key}{shown}: must have 1 to 255 characters that are not all spaces",
            )
            for key in ("code", "name")
            for value, shown in [("", ' = ""'), ("  ", ' = "  "'), ("x" * 256, "")]
        ],
        (
            "[[resource_types]]\nid = 1\ncode = 'new'\n[[resource_types]]\nid = 2\ncode = 'NEW'\n",
            '[[resource_types]]: code "new" is declared more than once; each type needs its own',
        ),
        (
            "[[pairs]]\nname = 'resource type 1'\nresource_id = 8\nservice_id = 8\n[[resource_types]]\nid = 1\n",
            '[[pairs]] "resource type 1": name = "resource type 1" is what the history calls that one of '
            "[[resource_types]]; choose another name",
        ),
        ("[[resource_types]]\nid = 0\n", "[[resource_types]] number 1: id = 0: must be at least 1"),
        (
            "[[resource_types]]\nid = 1\ntemplateTypeRemindr = 'base'\n",
            '[[resource_types]] number 1: templateTypeRemindr: unknown key; did you mean "templateTypeReminder"?',
        ),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, SIDES + PAIR + text)


@pytest.mark.parametrize("written", ["15.0", '"015"', '" 15"', '"15.0"'])
def test_one_resource_is_in_one_pair_however_its_id_is_written(tmp_path: Path, written: str) -> None:
    text = f"""
    [[pairs]]
    name = "dental"
    resource_id = 15
    service_id = 1
    [[pairs]]
    name = "surgery"
    resource_id = {written}
    service_id = 2
    """
    taken = '[[pairs]] "surgery": resource_id is taken by [[pairs]] "dental"; each may be in one pair only'
    assert taken in problems(tmp_path, text)
