"""The image, built and run for real: `make image-test`.

Not one of the ordinary tests, hence its name: it takes minutes, root, and tools of its own. Else it is skipped.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("build_and_run.sh")
CANNOT_BE_TRIED = 77

SEEN = [
    "the image is built from the Dockerfile as it stands",
    "the sandbox answers",
    "healthy, with a secret from a file",
    "user and group 10001",
    "nothing but /data can be written",
    "no pip in the image",
    "a backup while it runs",
    "both sides are in step",
    "an edit in Bitrix24 arrives in ReserveKit",
    "SIGTERM ends it with 0",
    "the database is sound afterwards",
    "SIGTERM ends the sandbox with 143, as any command that is interrupted",
]


@pytest.mark.timeout(1200)
def test_the_image_does_what_it_is_for() -> None:
    ran = subprocess.run([SCRIPT], capture_output=True, text=True, check=False)
    if ran.returncode == CANNOT_BE_TRIED:
        pytest.skip(ran.stderr.strip())
    print(ran.stdout)  # noqa: T201 - how long each step took, with -s

    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"
    assert [
        what for what in SEEN if not re.search(rf"^ok: {re.escape(what)} \(\d+ s\)$", ran.stdout, re.MULTILINE)
    ] == []
