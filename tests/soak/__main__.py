"""`python -m tests.soak`: the real daemon under a storm, then what came of it. Exit code 1 if anything was wrong.

--minutes N  how long the storm blows (10); the calm after it takes some minutes more
--seed N     the storm's choices; what the machine and its scheduler do to them differs each time
--keep PATH  a new folder for logs, database and the story of all requests and edits, which stays;
             else it goes when all was well
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="The real daemon under a storm.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    folder = Path(given.keep or tempfile.mkdtemp(prefix="slotbridge-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{given.minutes:g} minutes, seed {given.seed}, logs in {folder / 'logs'}\n")
    sys.stdout.flush()
    verdict = soak(folder, given.seed, given.minutes)
    sys.stdout.write("".join(f"{line}\n" for line in verdict.table()))
    sys.stdout.write("all well\n" if verdict.well else "not well\n")
    if verdict.well and given.keep is None:
        shutil.rmtree(folder)
    return 0 if verdict.well else 1


if __name__ == "__main__":
    sys.exit(main())
