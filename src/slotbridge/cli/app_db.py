"""`db`: the commands about the database, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbridge.cli.ending import AsJson, end

db = typer.Typer(
    help="Copy, restore, check or migrate the database. Neither service is asked.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110},
)
Patience = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for another slotbridge to finish.")
]


@db.command()
def backup(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A new file, or a folder; else one beside the database.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a copy of the database, also while slotbridge runs."""
    from slotbridge.cli.db import make_backup

    end(ctx, json, lambda invocation: make_backup(invocation, file))


@db.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy of the database.")],
    wait: Patience = 0,
    json: AsJson = False,
) -> None:
    """Put a copy in the place of the database, which is kept aside.

    Exit codes: 0 done, 1 the copy is of no use, 5 another slotbridge is at work.
    """
    from slotbridge.cli.db import restore_backup

    end(ctx, json, lambda invocation: restore_backup(invocation, file, wait))


@db.command()
def check(ctx: typer.Context, json: AsJson = False) -> None:
    """Tell whether the database is sound, and what to do if not. Exit code 1 if something has to be done."""
    from slotbridge.cli.db import check_database

    end(ctx, json, check_database)


@db.command()
def upgrade(ctx: typer.Context, wait: Patience = 0, json: AsJson = False) -> None:
    """Migrate the database to this version now, after a copy. Any run does so by itself."""
    from slotbridge.cli.db import upgrade_database

    end(ctx, json, lambda invocation: upgrade_database(invocation, wait))
