"""The habits that no tool checks for us."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, str]:
    """The pinned versions of a lock file."""
    pins = re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE | re.IGNORECASE)
    return {package.lower(): version for package, version in pins}


def missing(requirements: list[str], pins: dict[str, str]) -> list[str]:
    wanted = map(Requirement, requirements)
    return [str(need) for need in wanted if not need.specifier.contains(pins.get(need.name.lower(), "0"))]


def test_no_module_is_longer_than_350_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "src").rglob("*.py")}

    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > 350} == {}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_files_pin_by_hash_and_name_no_host(lock: Path) -> None:
    text = lock.read_text()

    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE), "options such as an index do not belong into a lock file"
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert pins
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_lock_files_hold_what_the_project_asks_for() -> None:
    project = PROJECT["project"]

    assert missing(project["dependencies"], locked("requirements.lock")) == []
    assert missing(project["optional-dependencies"]["dev"], locked("requirements-dev.lock")) == []
    assert missing(PROJECT["build-system"]["requires"], locked("requirements-build.lock")) == []


def test_lock_files_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for package, version in locked(lock.name).items():
            versions.setdefault(package, set()).add(version)

    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_uv_lock_is_not_tracked() -> None:
    """It records hosts. In a checkout of another owner git answers only if told that this is meant."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "uv.lock"]
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    assert subprocess.run(git, capture_output=True, text=True, check=True).stdout == ""
