"""Secrets that are known are found, however they are written."""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slotbridge.secrecy import SHORTEST, Secrets, hide, secrets_of
from slotbridge.settings import load_settings
from tests.settings.configured import CODE, KEY, PAIR, SIDES, load, without_secrets

SECRET = "s3cr3tC0de"
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=20)
WAYS = (
    json.dumps,
    repr,
    quote,
    quote_plus,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="").lower(),
    lambda text: repr(text.encode()),
    lambda text: text.replace("/", "\\/"),
)


@settings(deadline=None)
@given(secret=WORDS, ways=st.lists(st.sampled_from(WAYS), max_size=3), around=st.text(max_size=3))
def test_a_secret_is_found_in_every_spelling(secret: str, ways: list[object], around: str) -> None:
    text, spelt = around + secret + around, secret
    for way in ways:
        text, spelt = way(text), way(spelt)  # type: ignore[operator]

    assert "***" in hide(text, [secret])
    assert spelt not in hide(text, [secret])


@pytest.mark.parametrize(
    "text",
    [
        "s3cr3tc0DE",
        "".join(f"\\u{ord(character):04X}" for character in SECRET),
        "".join(f"\\\\u{ord(character):04x}" for character in SECRET),
        "".join(f"\\x{ord(character):02x}" for character in SECRET),
        "".join(f"%{ord(character):02X}" for character in SECRET),
        "".join(f"%25{ord(character):02x}" for character in SECRET),
    ],
)
def test_a_secret_is_found_in_another_case_and_letter_by_letter(text: str) -> None:
    assert hide(f"<{text}>", [SECRET]).replace("\\", "") == "<***>"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("secret", [SECRET, "t0ken-0f-six~~~???>>>", "пароль"])
@pytest.mark.parametrize("code", [b64encode, urlsafe_b64encode, lambda octets: octets.hex().encode()])
def test_a_secret_is_found_in_base64_and_in_hex(before: str, secret: str, code: Callable[[bytes], bytes]) -> None:
    left = hide(code(f"{before}{secret}!".encode()).decode(), [secret])

    assert "***" in left
    assert len(left) < 20


def test_what_stands_around_a_secret_is_kept() -> None:
    assert hide(f'{{"a": "{SECRET}", "b": "{SECRET[:-1]}"}}', [SECRET]) == '{"a": "***", "b": "s3cr3tC0d"}'


@pytest.mark.parametrize("length", [13, 16, 20, 31])
def test_the_greater_part_of_a_secret_is_masked_where_a_message_cuts_it_off(length: int) -> None:
    secret = "0123456789abcdef]^-\\xyz0123456789"[: length + 1]
    assert hide(f"weekday {secret[:length]!r} is unknown", [secret]) == "weekday '***' is unknown"
    assert hide(f"{secret[:11]}…", [secret]) == f"{secret[:11]}…"


def test_of_two_secrets_that_begin_alike_none_leaves_a_rest() -> None:
    assert hide("abcdefghij abcdef", ["abcdef", "abcdefghij"]) == "*** ***"


def test_what_is_part_of_many_a_word_is_left_alone() -> None:
    assert hide("a webhook", ["web", ""]) == "a webhook"


def test_a_collection_that_grows_is_looked_at_anew() -> None:
    known: set[str] = set()
    assert hide(SECRET, known) == SECRET
    known.add(SECRET)
    assert hide(SECRET, known) == "***"


def test_what_comes_and_goes_is_masked_for_as_long_as_its_holder_has_it() -> None:
    class Access:
        secrets = ("the-first-token",)

    known = Secrets(["of-the-configuration"])
    text = "of-the-configuration, the-first-token, the-second-token"
    assert hide(text, known) == "***, the-first-token, the-second-token"
    known.holder = Access()
    assert hide(text, known) == "***, ***, the-second-token"
    known.holder.secrets = ("the-second-token",)
    assert hide(text, known) == "***, the-first-token, ***"
    assert len(known) == 2
    assert "the-second-token" in known


@pytest.mark.parametrize("text", ["\\" * 20_000, "%25" * 7000, "\\\\u005c" * 1000, "a\\" * 9000, "aaaaaa%5c" * 3000])
def test_no_text_takes_long_to_search(text: str) -> None:
    secrets = ["aaaaaaaa\\\\\\a", "\\\\aaaaaaaa", "%%%%%%%a", SECRET]
    hide("", secrets)
    began = time.perf_counter()
    hide(text, secrets)

    assert time.perf_counter() - began < 1


def test_the_secrets_of_a_configuration_are_all_found(tmp_path: Path) -> None:
    token = '[bitrix24]\napplication_token = "t0ken-of-the-app"'

    assert secrets_of(load(tmp_path, SIDES.replace("[bitrix24]", token) + PAIR)) == {CODE, KEY, "t0ken-of-the-app"}


def test_the_secrets_of_an_application_are_found(tmp_path: Path) -> None:
    environ = {
        "SLOTBRIDGE_RESERVEKIT__API_KEY": KEY,
        "SLOTBRIDGE_BITRIX24__OAUTH__CLIENT_ID": "local.123456",
        "SLOTBRIDGE_BITRIX24__OAUTH__CLIENT_SECRET": "cl1entsecret",
        "SLOTBRIDGE_BITRIX24__OAUTH__PORTAL": "https://example.bitrix24.com",
    }
    found = secrets_of(load_settings(None, without_secrets(tmp_path, environ)))

    assert found == {KEY, "local.123456", "cl1entsecret"}
