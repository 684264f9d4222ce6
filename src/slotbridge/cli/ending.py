"""How a command ends: what its work returns is the exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from slotbridge.cli.invocation import Invocation

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output, nothing else.")]


def end(ctx: typer.Context, as_json: bool, work: Callable[[Invocation], int]) -> NoReturn:
    """Does a command's work and ends with what it returns."""
    invocation: Invocation = ctx.obj
    invocation.as_json = as_json
    raise typer.Exit(work(invocation))
