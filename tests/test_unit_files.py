"""The systemd unit, the compose files and the Dockerfile: sound by themselves, and true to the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from slotbridge.sandbox.sample import sample_world
from slotbridge.sandbox.world import RESERVEKIT_KEY, RESERVEKIT_PATH, WEBHOOK_PATH
from slotbridge.settings import Settings, load_settings
from slotbridge.settings.models import DaemonSettings

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "config" / "slotbridge.service"
SANDBOX_CONFIG = ROOT / "config" / "container" / "sandbox.toml"
COMPOSE = [ROOT / "compose.yaml", ROOT / "compose.sandbox.yaml"]
SECRETS = {
    "SLOTBRIDGE_BITRIX24__WEBHOOK_URL": "https://example.bitrix24.com/rest/1/code/",
    "SLOTBRIDGE_RESERVEKIT__API_KEY": "sk_rsv_from_a_file",
}
PAIRS = '[{"name": "dental", "resource_id": 15, "service_id": 123}]'

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def unit() -> dict[str, str]:
    """The settings of the unit; of one that comes several times, the last."""
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE))


def analysed(folder: Path, *command: str) -> str:
    """What systemd says about the unit, with a program where the unit expects ours."""
    program = folder / "slotbridge"
    program.symlink_to("/bin/true")
    copy = folder / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/slotbridge/bin/slotbridge", str(program)))
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", *command, str(copy)], capture_output=True, text=True, check=True
    )
    return ran.stdout + ran.stderr


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    assert analysed(tmp_path, "verify", "--man=no") == ""


@needs_systemd
def test_systemd_calls_the_unit_well_confined(tmp_path: Path) -> None:
    """10 is unsafe, a service without any hardening has 9.6."""
    told = analysed(tmp_path, "security", "--offline=true")
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)

    assert found
    assert float(found[1]) < 1.5


def test_the_unit_leaves_time_to_drain_and_does_not_repeat_what_cannot_work() -> None:
    settings = unit()

    assert int(settings["TimeoutStopSec"]) > DaemonSettings().drain
    assert settings["Type"] == "notify"
    assert settings["Restart"] == "on-failure"
    assert settings["RestartPreventExitStatus"] == "2"
    assert int(settings["WatchdogSec"]) >= 30


def test_the_credentials_of_the_unit_are_settings(tmp_path: Path) -> None:
    names = re.findall(r"^LoadCredential=(\w+):(\S+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    for name, path in names:
        assert Path(path).name == name, "root's own commands find them by their names"
        (tmp_path / name).write_text(SECRETS[name])

    read_from(load_settings(None, {"CREDENTIALS_DIRECTORY": str(tmp_path), "SLOTBRIDGE_PAIRS": PAIRS}))


def test_the_secrets_of_the_compose_file_are_settings(tmp_path: Path) -> None:
    text = COMPOSE[0].read_text(encoding="utf-8")
    names = re.findall(r"^  (SLOTBRIDGE_\w+):$", text, re.MULTILINE)
    for name in names:
        assert f"\n      - {name}\n" in text
        (tmp_path / name).write_text(SECRETS[name])

    read_from(load_settings(None, {"SLOTBRIDGE_SECRETS_DIR": str(tmp_path), "SLOTBRIDGE_PAIRS": PAIRS}))


def read_from(settings: Settings) -> None:
    assert settings.bitrix24.webhook_url is not None
    assert settings.bitrix24.webhook_url.get_secret_value() == SECRETS["SLOTBRIDGE_BITRIX24__WEBHOOK_URL"]
    assert settings.reservekit.api_key.get_secret_value() == SECRETS["SLOTBRIDGE_RESERVEKIT__API_KEY"]


@pytest.mark.parametrize("file", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_gives_a_container_as_little_as_possible(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    grace = re.search(r"stop_grace_period: (\d+)s", text)

    for line in ("read_only: true", "- /tmp", "cap_drop:", "- ALL", "- no-new-privileges:true", "- data:/data"):
        assert re.search(rf"^ +{line}$", text, re.MULTILINE), line
    assert grace
    assert int(grace[1]) > DaemonSettings().drain


def test_the_configuration_of_the_sandbox_is_that_of_the_sample_business() -> None:
    settings, world = load_settings(SANDBOX_CONFIG, {}), sample_world()
    base = "http://127.0.0.1:8788"

    assert settings.bitrix24.webhook_url is not None
    assert settings.bitrix24.webhook_url.get_secret_value() == base + WEBHOOK_PATH
    assert settings.reservekit.base_url == base + RESERVEKIT_PATH
    assert settings.reservekit.api_key.get_secret_value() == RESERVEKIT_KEY
    named = {pair.name: (pair.resource_id, pair.service_id) for pair in settings.pairs}
    services = {service.name: service.id for service in world.reservations.services.values()}
    assert named == {one.name: (one.id, services[one.name]) for one in world.portal.resources.values()}
    assert '"8788"' in COMPOSE[1].read_text(encoding="utf-8")


def test_the_image_runs_the_daemon_as_nobody_special_and_asks_how_it_is() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    runtime = text.rsplit("FROM ", 1)[1]

    for line in (
        "USER 10001:10001",
        "VOLUME /data",
        "STOPSIGNAL SIGTERM",
        'ENTRYPOINT ["slotbridge"]',
        'CMD ["run"]',
    ):
        assert f"\n{line}\n" in runtime
    assert re.search(r'^HEALTHCHECK .*CMD \["slotbridge", "healthcheck"\]$', runtime, re.MULTILINE)
    installs = re.findall(r"pip (?:--python \S+ )?install (.+)", text)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_only_what_the_image_is_built_from_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)

    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == {name for line in copied for name in line.split()}
