"""The commands and their options. Their work is imported when they run, so that help is quick."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.main import get_command

from slotbridge import __version__
from slotbridge.cli import TAKING_VALUES
from slotbridge.cli.app_db import db
from slotbridge.cli.ending import AsJson, end
from slotbridge.cli.invocation import Invocation, LogFormat, LogLevel
from slotbridge.errors import ConfigurationError

INTERRUPTED, TERMINATED = 130, 143

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110},
)

app.add_typer(db, name="db")

ACCEPTED = "that would be held as a likely accident"
BOOKED = 'Slots with upcoming bookings stay held; with booked_slots = "waitlist" those that go as a whole do not.'

InitialPolicy = Literal["hold", "merge", "bitrix24", "reservekit"]


def run(invocation: Invocation, argv: list[str]) -> int:
    """Runs one command line; every way to end becomes an exit code, but for an interrupt: that is a SystemExit."""
    try:
        _command().main(args=argv, prog_name="slotbridge", obj=invocation)
    except SystemExit as end:
        return _ended(invocation, argv, end)
    except Exception as error:
        return invocation.failed(error)
    return 0


@cache
def _command() -> Any:
    """The tree of commands; Typer reads every signature to build it."""
    return get_command(app)


def _ended(invocation: Invocation, argv: list[str], end: SystemExit) -> int:
    code = end.code if isinstance(end.code, int) else 1
    if code in (INTERRUPTED, TERMINATED):
        raise end  # not only this command is to end: the demo calls others
    # Wrong usage is told on standard error before any option is known; here the document for who asked for one.
    mistake = end.__context__
    misplaced = _misplaced(mistake)
    if misplaced:
        invocation.stderr.write(f"{misplaced}\n")
    if "--json" in argv and (told := getattr(mistake, "format_message", None)):
        invocation.as_json = True
        return invocation.failed(ConfigurationError(told(), hint=misplaced or "--help shows what there is"))
    return code


def _misplaced(mistake: BaseException | None) -> str | None:
    """What to say of an option of the program that stands behind a command, which does not know it."""
    option, context = getattr(mistake, "option_name", None), getattr(mistake, "ctx", None)
    if option not in (*TAKING_VALUES, "--version") or context is None or context.parent is None:
        return None
    command = context.command_path.removeprefix("slotbridge ")
    right = f"{option} … {command}" if option in TAKING_VALUES else option
    return f"{option} stands before the command: slotbridge {right}"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"slotbridge {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def slotbridge(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            help="The configuration file; else $SLOTBRIDGE_CONFIG, else config/slotbridge.toml, else "
            "/etc/slotbridge/slotbridge.toml."
        ),
    ] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="What is logged to standard error.")] = None,
    log_format: Annotated[LogFormat, typer.Option(help="How it is logged: auto is for people on a terminal.")] = "auto",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keeps the weekly booking hours of Bitrix24 and ReserveKit in step, both ways."""
    invocation: Invocation = ctx.obj
    invocation.config, invocation.log_level, invocation.log_format = config, log_level, log_format
    invocation.command = ctx.invoked_subcommand
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), file=invocation.stdout)


@app.command()
def sync(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")] = False,
    pair: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this pair; may be repeated.")] = None,
    json: AsJson = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 4 when a dry run finds something to change.")
    ] = False,
    accept_deletes: Annotated[
        bool, typer.Option("--accept-deletes", help=f"Carry out deletions {ACCEPTED}, in this run. {BOOKED}")
    ] = False,
    initial: Annotated[
        InitialPolicy | None,
        typer.Option(help="How pairs begin whose sides differ when they meet for the first time, in this run."),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for another slotbridge to finish.")
    ] = 10,
) -> None:
    """Bring both sides in step, once, and tell what was done.

    Exit codes: 0 done or nothing to do, 1 a pair failed, 2 wrong usage or configuration, 3 something waits for your
    decision, 4 changes found (only with --exit-code), 5 another slotbridge is at work.
    """
    from slotbridge.cli.sync import Request, sync_once

    request = Request(tuple(pair or ()), dry_run, accept_deletes, initial, exit_code, wait)
    end(ctx, json, lambda invocation: sync_once(invocation, request))


@app.command()
def show(
    ctx: typer.Context,
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="The name of a pair in the configuration.")],
    json: AsJson = False,
) -> None:
    """Show a pair's week in both systems, next to each other.

    Differences are marked, with the reason. Nothing is changed.
    """
    from slotbridge.cli.look import show_week

    end(ctx, json, lambda invocation: show_week(invocation, pair))


@app.command("run")
def run_for_good(ctx: typer.Context) -> None:
    """Keep both sides in step for good: the daemon.

    Ends with 0 when it is told to stop. Exit codes: 2 wrong configuration, 5 another slotbridge is at work.
    """
    from slotbridge.cli.run import run_daemon

    end(ctx, False, run_daemon)


@app.command()
def healthcheck(ctx: typer.Context) -> None:
    """Ask the daemon on this machine whether it is well.

    Exit codes: 0 ready, 1 not, with the reasons in one line, 2 where [daemon] listen is empty or cannot be read.
    """
    from slotbridge.cli.healthcheck import check_health

    end(ctx, False, check_health)


@app.command()
def status(
    ctx: typer.Context,
    json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it current until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="With --watch: how often to look.")] = 2,
) -> None:
    """Tell of every pair when it ran, runs next, and how it went. Asks neither service."""
    from slotbridge.cli.look import show_status

    if watch and json:
        raise typer.BadParameter("--watch and --json exclude each other")
    end(ctx, json, lambda invocation: show_status(invocation, every if watch else None))


@app.command()
def holds(ctx: typer.Context, json: AsJson = False) -> None:
    """List what waits for your decision, and how to decide it."""
    from slotbridge.cli.holds import show_holds

    end(ctx, json, show_holds)


@app.command()
def resolve(
    ctx: typer.Context,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="The id that `holds` shows, or the beginning of it.")],
    keep: Annotated[
        Literal["bitrix24", "reservekit"] | None, typer.Option(help="Which side is right, where both differ.")
    ] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Let it be done as shown.")] = False,
    json: AsJson = False,
) -> None:
    """Decide a hold. The next run applies it.

    The decision is for exactly what the hold shows: what was edited since is held again.
    """
    from slotbridge.cli.holds import decide_hold

    end(ctx, json, lambda invocation: decide_hold(invocation, hold, keep, approve=approve))


@app.command()
def history(
    ctx: typer.Context,
    what: Annotated[
        str | None, typer.Argument(metavar="PAIR|RUN", help="The name of a pair, or the number of a run.")
    ] = None,
    pair: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this pair; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many changes are listed at most.")] = 50,
    undo: Annotated[bool, typer.Option("--undo", help="Show what would bring both sides back to before RUN.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --undo: do it.")] = False,
    accept_deletes: Annotated[
        bool, typer.Option("--accept-deletes", help=f"With --undo: carry out deletions {ACCEPTED}. {BOOKED}")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="With --apply: how long to wait for another slotbridge.")
    ] = 10,
    json: AsJson = False,
) -> None:
    """List what was changed on either side and why, or undo a run.

    Undoing goes through the same guards as any run, and without --apply only shows the plan. Its exit codes are
    those of sync.
    """
    from slotbridge.cli.history import Question, show_history, undo_run
    from slotbridge.cli.sync import Request

    question = Question.of(what, pair or (), limit)
    if undo:
        request = Request(question.names, dry_run=not apply, accept_deletes=accept_deletes, wait=wait)
        end(ctx, json, lambda invocation: undo_run(invocation, question, request))
    if apply or accept_deletes:
        raise typer.BadParameter("--apply and --accept-deletes belong to --undo")
    end(ctx, json, lambda invocation: show_history(invocation, question))


@app.command()
def verify(
    ctx: typer.Context,
    pair: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this pair; may be repeated.")] = None,
    json: AsJson = False,
) -> None:
    """Read both sides and name every disagreement. Changes nothing.

    Exit codes: 0 all in step, 1 a pair could not be read, 3 the sides of a pair differ.
    """
    from slotbridge.cli.verify import verify_pairs

    end(ctx, json, lambda invocation: verify_pairs(invocation, pair or ()))


@app.command()
def discover(ctx: typer.Context, json: AsJson = False) -> None:
    """List both sides, and propose pairs by their names."""
    from slotbridge.cli.discover import show_candidates

    end(ctx, json, show_candidates)


@app.command()
def doctor(ctx: typer.Context, json: AsJson = False) -> None:
    """Check everything there is to check, and say what to do.

    Nothing is changed. Exit codes: 0 all well, or warnings at most, 1 a problem, 2 wrong configuration.
    """
    from slotbridge.cli.doctor import show_examination

    end(ctx, json, show_examination)


@app.command()
def events(
    ctx: typer.Context,
    bind: Annotated[bool, typer.Option("--bind", help="Have changes announced to the daemon.")] = False,
    unbind: Annotated[bool, typer.Option("--unbind", help="Have them announced there no longer.")] = False,
    json: AsJson = False,
) -> None:
    """Show whether Bitrix24 announces changes to the daemon.

    An OAuth application can be told to do so here; for a webhook it is explained how it is done by hand.
    """
    from slotbridge.cli.events import show_events

    if bind and unbind:
        raise typer.BadParameter("--bind and --unbind exclude each other")
    end(ctx, json, lambda invocation: show_events(invocation, "bind" if bind else "unbind" if unbind else "show"))


@app.command()
def auth(
    ctx: typer.Context,
    code: Annotated[str | None, typer.Option(help="The code, or the address that the browser was sent to.")] = None,
    json: AsJson = False,
) -> None:
    """Let the portal grant access to the OAuth application, once."""
    from slotbridge.cli.auth import authorize

    end(ctx, json, lambda invocation: authorize(invocation, code))


@app.command()
def sandbox(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8788,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    empty: Annotated[bool, typer.Option("--empty", help="The same business without any hours.")] = False,
) -> None:
    """Serve both APIs here, with sample data, until Ctrl-C."""
    from slotbridge.cli.sandbox import serve_sandbox

    end(ctx, False, lambda invocation: serve_sandbox(invocation, host, port, empty=empty))


@app.command()
def demo(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the demo's own sandbox; 0 takes a free one.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the configuration and database of the demo.")] = False,
) -> None:
    """Play the main job, start to finish, in a sandbox.

    It checks itself, and ends with "in step" and exit code 0 if every step went as it should.
    """
    from slotbridge.cli.demo import play

    end(ctx, False, lambda invocation: play(invocation, port, keep=keep))
