"""A portal for tests: answers what it is told to, or from its own small memory; keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import httpx

from slotbridge.bitrix24 import Bitrix24Client
from slotbridge.bitrix24.access import WebhookAccess
from slotbridge.bitrix24.gateway import Gateway
from slotbridge.http.limiter import Limiter
from slotbridge.http.transport import Transport
from tests.http.clock import FakeClock

SECRET = "s3cr3tC0de"
WEBHOOK = f"https://example.bitrix24.com/rest/1/{SECRET}/"

Answer = httpx.Response | Exception
Rule = Callable[[str, dict[str, Any]], Any]

NOT_FOUND = {"error": "1009", "error_description": "Resource not found"}


def ok(result: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"result": result, "time": {"duration": 0.1}, **more})


def failed(code: object, status: int = 400, description: str = "", **headers: str) -> httpx.Response:
    body = {"error": code, "error_description": description}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


def nested(query: str) -> dict[str, Any]:
    """A PHP query string as PHP would read it; `[]` and encoded brackets are not needed here."""
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True, strict_parsing=True):
        head, *rest = name.replace("]", "").split("[")
        inner = found
        for key in rest:
            inner = inner.setdefault(head, {})
            head = key
        inner[head] = text
    return found


def as_json(value: Any) -> Any:
    """What PHP makes of an array in JSON: a list where the keys are 0..n-1."""
    if not isinstance(value, dict):
        return value
    if list(value) == [str(index) for index in range(len(value))]:
        return [as_json(item) for item in value.values()]
    return {key: as_json(item) for key, item in value.items()}


class Portal:
    """`script` holds the next answers; when it is used up, `slots` and `names` answer."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.slots: dict[int, Any] = {}
        self.names: dict[int, str | None] = {}
        self.refuse: dict[tuple[str, int], object] = {}
        self.skip: set[tuple[str, int]] = set()
        self.sent: list[tuple[str, Any]] = []
        self.clock = FakeClock()
        self.limiter = Limiter(2, 50, self.clock)
        self.transport = Transport("bitrix24", self.limiter, self.clock, handler=httpx.MockTransport(self.handle))
        self.client = Bitrix24Client(WebhookAccess(WEBHOOK), self.transport, clock=self.clock, random=Random(1))
        self.gateway = Gateway(WebhookAccess(WEBHOOK), self.transport, clock=self.clock, random=Random(1))

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.sent]

    def commands(self, index: int = -1) -> list[tuple[str, Any]]:
        """The decoded commands of a batch that was sent."""
        lines = self.sent[index][1]["cmd"].values()
        return [(line.partition("?")[0], as_json(nested(line.partition("?")[2]))) for line in lines]

    def handle(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        parameters = json.loads(request.content)
        self.sent.append((method, parameters))
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if method == "batch":
            return self.answer_batch(parameters)
        result = self.result(method, parameters)
        return httpx.Response(400, json=result) if "error" in result else httpx.Response(200, json=result)

    def answer_batch(self, parameters: dict[str, Any]) -> httpx.Response:
        results, errors = {}, {}
        for key, line in parameters["cmd"].items():
            method, _, query = line.partition("?")
            arguments = as_json(nested(query))
            if (method.rpartition(".")[2], int(arguments.get("resourceId", arguments.get("id", 0)))) in self.skip:
                continue
            answer = self.result(method, arguments)
            if "error" in answer:
                errors[key] = answer
            else:
                results[key] = answer["result"]
        return ok({"result": results or [], "result_error": errors or [], "result_time": []})

    def result(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        verb = method.rpartition(".")[2]
        if verb == "list" and ".slots." not in method:
            start = int(arguments["start"]) // 50 * 50
            rows = [self.resource(each) for each in sorted(self.names)[start : start + 50]]
            return {"result": {"resource": rows}, "total": 0}
        resource_id = int(arguments.get("resourceId", arguments.get("id", 0)))
        if (verb, resource_id) in self.refuse:
            return {"error": self.refuse[verb, resource_id], "error_description": "refused"}
        if verb == "get":
            known = resource_id in self.names
            return {"result": {"resource": self.resource(resource_id)}} if known else NOT_FOUND
        if verb == "update":
            return self.update(resource_id, arguments["fields"])
        return self.change(verb, resource_id, arguments) if resource_id in self.slots else NOT_FOUND

    def resource(self, resource_id: int) -> dict[str, object]:
        return {"id": resource_id, "name": self.names[resource_id], "isMain": "Y", "description": None}

    def update(self, resource_id: int, fields: Any) -> dict[str, Any]:
        if resource_id not in self.slots:
            return {"error": "1007", "error_description": "Resource not found"}
        self.names[resource_id] = fields.get("name", self.names.get(resource_id))
        self.slots[resource_id] = []
        return {"result": True}

    def change(self, verb: str, resource_id: int, arguments: dict[str, Any]) -> dict[str, Any]:
        if verb == "list":
            return {"result": {"slots": self.slots[resource_id]}, "total": 0}
        self.slots[resource_id] = arguments.get("slots", [])
        return {"result": True}
