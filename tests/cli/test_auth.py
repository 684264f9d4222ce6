"""`auth`: from an address to open to tokens that work, and what each mistake on the way is told."""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from slotbridge.bitrix24.token_server import Application
from slotbridge.cli.auth import authorize, code_in
from slotbridge.cli.invocation import Invocation
from slotbridge.cli.render.auth import Granted, granted_json, granted_lines
from slotbridge.errors import ConfigurationError
from slotbridge.sandbox.traffic import Fault
from slotbridge.sandbox.world import CLIENT_ID, CLIENT_SECRET
from slotbridge.store import DatabaseLock
from slotbridge.store.tokens import Tokens
from slotbridge.sync.bridge import Bridge
from tests.store.samples import START, StillClock

from .conftest import Result, Shell, Terminal

APPLICATION = Application(CLIENT_ID, "s3cr3t", "https://example.bitrix24.com", "https://oauth.example/oauth/token")


class Typing(Terminal):
    """A terminal at which somebody types."""


def address_of(shell: Shell) -> str:
    """Where the sandbox listens."""
    return shell.config.read_text(encoding="utf-8").partition('webhook_url = "')[2].partition("/rest/")[0]


@pytest.fixture
def application(shell: Shell) -> Shell:
    """The sample business with an application in place of the webhook."""
    url, text = address_of(shell), shell.config.read_text(encoding="utf-8")
    oauth = f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\nportal = "{url}"\n'
    lines = [line for line in text.splitlines() if not line.startswith("webhook_url")]
    table = f'\n[bitrix24.oauth]\n{oauth}token_url = "{url}/oauth/token/"\n'
    shell.config.write_text("\n".join(lines) + table, encoding="utf-8")
    return shell


def auth(shell: Shell, code: str | None = None, *, as_json: bool = False, terminal: bool = False) -> Result:
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    environ = {"SLOTBRIDGE_SECRETS_DIR": str(shell.folder / "none"), "COLUMNS": "200"}
    invocation = Invocation(out, err, environ, config=shell.config, as_json=as_json)
    try:
        ended = authorize(invocation, code)
    except Exception as error:
        ended = invocation.failed(error)
    return Result(ended, out.getvalue(), err.getvalue())


def grant(shell: Shell) -> str:
    """What the browser is sent to after the user granted access."""
    address = shell.world.portal.application.authorize()
    return f"https://app.example/?code={address}&state=&domain=127.0.0.1&member_id=m&scope=booking"


def stored(shell: Shell) -> bool:
    return Tokens(f"sqlite:///{shell.database}", StillClock()).load(CLIENT_ID) is not None


def test_with_a_webhook_nothing_is_needed(shell: Shell) -> None:
    done = auth(shell)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Nothing is needed: ")
    assert auth(shell, as_json=True).document == {"version": 1, "status": "not needed"}
    assert not shell.database.exists()


def test_without_a_terminal_the_address_and_the_next_command_are_told(application: Shell) -> None:
    done = auth(application)
    assert (done.code, done.err) == (0, "")
    assert f"{address_of_portal(application)}/oauth/authorize/?client_id={CLIENT_ID}\n" in done.out
    assert f"{application.program} auth --code CODE" in done.last
    document = auth(application, as_json=True).document
    assert (document["status"], document["next"]) == ("waiting", f"{application.program} auth --code CODE")
    assert httpx.get(document["address"]).status_code == 200


def address_of_portal(shell: Shell) -> str:
    return shell.config.read_text(encoding="utf-8").partition('portal = "')[2].partition('"')[0]


@pytest.mark.parametrize("whole", [True, False])
def test_a_code_or_the_whole_address_becomes_tokens_that_work(application: Shell, whole: bool) -> None:
    given = grant(application) if whole else application.world.portal.application.authorize()
    done = auth(application, given)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Access granted by 127.0.0.1: booking, crm.")
    assert "180 days" in done.last
    assert stored(application)
    assert application.database.stat().st_mode & 0o077 == 0


def test_after_the_grant_nothing_is_waited_for(application: Shell) -> None:
    assert auth(application, grant(application)).code == 0
    done = auth(application)
    assert done.out.startswith("Access was granted before; nothing needs to be done while it lasts.\n")
    document = auth(application, as_json=True).document
    assert document["status"] == "granted before"
    assert document["next"] == f"{application.program} auth --code CODE"


def test_the_document(application: Shell) -> None:
    document = auth(application, grant(application), as_json=True).document
    expected = {"version": 1, "status": "granted", "portal": "127.0.0.1", "scopes": ["booking", "crm"], "missing": []}
    assert document == {**expected, "expires_at": document["expires_at"]}


def test_tokens_are_masked_in_what_is_told_of_a_mistake_in_the_program(
    application: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(bridge: Bridge, *_: object, **__: object) -> None:
        token = (await bridge._connection.access.parameters())["auth"]
        raise RuntimeError(f"neither is what {token} stands for")

    auth(application, grant(application))
    monkeypatch.setattr(Bridge, "sync", break_down)

    assert "neither is what *** stands for" in application.call("--log-level", "debug", "sync").err


def test_a_terminal_is_asked(application: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Typing(f"  {grant(application)}\n"))
    done = auth(application, terminal=True)
    assert done.code == 0
    assert "good for 30 seconds" in done.out
    assert stored(application)


@pytest.mark.parametrize("typed", ["", "\n", "no code here\n", "https://app.example/?error=access_denied\n"])
def test_an_answer_without_a_code_says_what_is_wanted(
    application: Shell, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Typing(typed))
    done = auth(application, terminal=True)
    assert done.code == 2
    assert "there is no code in what was given" in done.err
    assert not stored(application)


def test_a_code_that_was_used_before_says_so_and_leaves_the_tokens_alone(application: Shell) -> None:
    given = grant(application)
    assert auth(application, given).code == 0
    done = auth(application, given)
    assert done.code == 1
    assert "30 seconds" in done.err
    assert stored(application)


def test_a_wrong_secret_says_where_the_right_one_is(application: Shell) -> None:
    text = application.config.read_text(encoding="utf-8")
    application.config.write_text(text.replace(CLIENT_SECRET, "wr0ngS3cret"), encoding="utf-8")
    done = auth(application, grant(application))
    assert done.code == 1
    assert "client_secret anew" in done.err
    assert "wr0ngS3cret" not in done.err + done.out


def test_a_database_that_cannot_be_used_is_found_before_a_code_is_spent(application: Shell) -> None:
    application.database.write_text("not a database, but long enough to be told apart from one" * 20)
    assert auth(application, grant(application)).code == 1
    assert [line.path for line in application.world.log if "oauth" in line.path] == []


async def hold(lock: DatabaseLock) -> None:
    await lock.acquire(0, StillClock())


def test_it_works_next_to_a_run_that_holds_the_lock(application: Shell) -> None:
    with DatabaseLock(f"sqlite:///{application.database}", "run") as lock:
        asyncio.run(hold(lock))
        assert auth(application, grant(application)).code == 0


def test_a_missing_permission_exits_with_1(application: Shell) -> None:
    application.world.portal.behaviour = replace(application.world.portal.behaviour, booking_scope=False)
    done = auth(application, grant(application))
    assert (done.code, stored(application)) == (1, True)
    assert "missing: booking\n" in done.out


def test_a_missing_permission_is_told_with_what_to_do() -> None:
    done = granted_lines(Granted("example.bitrix24.com", {"crm"}, START))
    assert [line.plain for line in done][1:3] == [
        "missing: booking",
        "Add booking to the application's permissions in the portal, and run `slotbridge auth` again.",
    ]
    assert granted_json(Granted("example.bitrix24.com", {"crm"}, START))["missing"] == ["booking"]


def test_a_portal_that_does_not_tell_its_permissions_has_granted_access_nevertheless(application: Shell) -> None:
    body = '{"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}'
    application.world.faults.append(Fault("/scope", "answer", times=2, status=404, body=body))
    done = auth(application, grant(application))
    assert (done.code, done.err, stored(application)) == (0, "", True)
    assert "The portal does not tell for what: `slotbridge doctor` tries it." in done.out
    document = auth(application, grant(application), as_json=True).document
    assert (document["scopes"], document["missing"]) == (None, [])


def test_no_secret_is_shown(application: Shell, tmp_path: Path) -> None:
    given = grant(application)
    shown = "".join(done.out + done.err for done in (auth(application), auth(application, given)))
    pair = Tokens(f"sqlite:///{application.database}", StillClock()).load(CLIENT_ID)
    assert pair is not None
    for secret in (CLIENT_SECRET, pair.access_token, pair.refresh_token, given.partition("code=")[2].partition("&")[0]):
        assert secret not in shown


# What a person pastes


@pytest.mark.parametrize(
    "given",
    [
        "c0de",
        "  c0de\n",
        "code=c0de&domain=example.bitrix24.com",
        "https://app.example/path?state=&code=c0de&domain=example.bitrix24.com#top",
        "https://app.example/?code=c0de&domain=EXAMPLE.bitrix24.com",
        "https://app.example/?code=c0de",
    ],
)
def test_the_code_is_found(given: str) -> None:
    assert code_in(given, APPLICATION) == "c0de"


def test_a_code_of_another_portal_is_not_spent() -> None:
    with pytest.raises(ConfigurationError, match=r"one of other\.bitrix24\.com, and the configuration names example"):
        code_in("https://app.example/?code=c0de&domain=other.bitrix24.com", APPLICATION)


@pytest.mark.parametrize(
    "given", ["", " ", "two words", "cödе", "https://app.example/?domain=example.bitrix24.com", "a\x1bb"]
)
def test_what_is_no_code_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        code_in(given, APPLICATION)
    assert not given.strip() or given.strip() not in str(caught.value)
