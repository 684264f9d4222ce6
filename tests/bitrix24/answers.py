"""Answers to batches, as a portal's PHP would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from tests.bitrix24.portal import ok

PAGES = 10


def batch(*results: object, errors: Mapping[int, object] | None = None) -> httpx.Response:
    """The answer to a batch: results in their order, and codes in place of those that failed."""
    refused = {f"c{index}": {"error": code, "error_description": ""} for index, code in (errors or {}).items()}
    done = {f"c{index}": result for index, result in enumerate(results) if f"c{index}" not in refused}
    return ok({"result": done or [], "result_error": refused or [], "result_time": []})


def listing(key: str, rows: Sequence[object], **more: object) -> httpx.Response:
    """The answer to the first ten pages of a list method that has fewer than 500 rows."""
    return batch(*({key: list(rows[page * 50 : page * 50 + 50]), **more} for page in range(PAGES)))
