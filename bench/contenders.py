"""Those who read the slots of a portal's resources, each by its own best way. Each runs in a process of its own:

python -m bench.contenders NAME WEBHOOK [--ids N] [--memory FILE]

says that it is ready, waits for a line on its standard input, reads, and prints one JSON document. `--ids N` says that
the ids are known, 1 to N. `--memory` is the database of an earlier process of ours.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIST = "booking.v1.resource.list"
SLOTS = "booking.v1.resource.slots.list"

Ids = Sequence[int] | None
Found = dict[int, list[int]]
"""By resource, when its ranges end: enough to tell whether they are the right ones."""
Read = Callable[[Ids], Found]


def ends(answer: Any) -> list[int]:
    """When the ranges end, in an answer of `slots.list`."""
    return sorted(int(item["to"]) for item in answer["slots"])


def slotbridge(webhook: str, memory: Path | None) -> Read:
    """Our client, as the product sets it up."""
    process = import_module("bench.ours").Ours(webhook, memory)
    return lambda ids: asyncio.run(process.read(ids))


def fast_bitrix24(webhook: str, memory: Path | None) -> Read:
    """`get_all` for the list and `get_by_ID` for the slots, as its documentation says: batches, sent in parallel."""
    client = import_module("fast_bitrix24").BitrixAsync(webhook, verbose=False)
    warnings.simplefilter("ignore")

    async def reading(ids: Ids) -> Found:
        wanted = [int(row["id"]) for row in await client.get_all(LIST)] if ids is None else list(ids)
        answers = await client.get_by_ID(SLOTS, wanted, ID_field_name="resourceId")
        found = {int(key): ends(answer) for key, answer in answers.items() if key != "slots"}
        if "slots" in answers:  # what was alone in its batch comes without its id
            (alone,) = set(wanted) - found.keys()
            found[alone] = ends(answers)
        return found

    return lambda ids: asyncio.run(reading(ids))


def b24pysdk(webhook: str, memory: Path | None) -> Read:
    """`as_list` for the list and `call_batches` for the slots, as its documentation says."""
    sdk: Any = import_module("b24pysdk")
    sessions: Any = import_module("requests.sessions")

    class Plain(sessions.HTTPAdapter):  # type: ignore[misc]
        """It knows https only, and our portal has no certificate."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = request.url.replace("https://", "http://", 1)
            return super().send(request, *args, **kwargs)

    sessions.HTTPAdapter = Plain
    host, _, token = webhook.removeprefix("http://").rstrip("/").partition("/rest/")
    client = sdk.Client(sdk.BitrixWebhook(domain=host, webhook_token=token))
    resources = client.booking.v1.resource

    def read(ids: Ids) -> Found:
        wanted = [int(row["id"]) for row in resources.list().as_list().result] if ids is None else ids
        requests = {str(each): resources.slots.list(each) for each in wanted}
        return {int(key): ends(answer) for key, answer in client.call_batches(requests).result.result.items()}

    return read


def plain_httpx(webhook: str, memory: Path | None) -> Read:
    """Page after page until one is not full, then one resource after the other; a second's pause after a 503."""
    http = import_module("httpx").Client(base_url=webhook, trust_env=False, timeout=30)

    def call(method: str, parameters: Mapping[str, object]) -> Any:
        while (answer := http.post(method, json=parameters)).status_code == 503:
            time.sleep(1)
        return answer.raise_for_status().json()["result"]

    def listed() -> list[int]:
        rows: list[Any] = []
        while len(rows) % 50 == 0:
            page = call(LIST, {"order": {"id": "asc"}, "start": len(rows)})["resource"]
            rows += page
            if not page:
                break
        return [row["id"] for row in rows]

    def read(ids: Ids) -> Found:
        return {each: ends(call(SLOTS, {"resourceId": each})) for each in (listed() if ids is None else ids)}

    return read


CONTENDERS: dict[str, Callable[[str, Path | None], Read]] = {
    "slotbridge": slotbridge,
    "fast_bitrix24": fast_bitrix24,
    "b24pysdk": b24pysdk,
    "plain httpx": plain_httpx,
}
VERSIONED = {"plain httpx": "httpx"}


def measured(name: str, webhook: str, ids: Ids, memory: Path | None) -> dict[str, object]:
    """What one contender brought, and what it took. Memory in MB: the most ever, and the most before it began."""
    read = CONTENDERS[name](webhook, memory)
    print("ready", flush=True)
    sys.stdin.readline()
    before, began, start = _peak(), time.time(), time.perf_counter()
    found: Found = {}
    error = None
    try:
        found = read(ids)
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"[:200].replace(webhook, "…")
    seconds = time.perf_counter() - start
    told = {"version": version(VERSIONED.get(name, name)), "began": began, "seconds": seconds, "error": error}
    return told | {"found": found, "peak": _peak(), "before": before}


def _peak() -> float:
    # Linux: ru_maxrss would also tell of the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str]) -> None:
    name, webhook, *options = arguments
    given = dict(zip(options[::2], options[1::2], strict=True))
    ids = range(1, int(given["--ids"]) + 1) if "--ids" in given else None
    memory = Path(given["--memory"]) if "--memory" in given else None
    print(json.dumps(measured(name, webhook, ids, memory)))


if __name__ == "__main__":
    main(sys.argv[1:])
