"""`dicomprinter service`: a service of systemd's or of Windows'."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.cli.bases import refuse_folder
from dicomprinter.cli.messages import (
    PATH,
    examples,
    invocation,
    json_option,
    plain,
    print_json,
    say,
    say_problems,
    show_help,
    verbose_option,
)
from dicomprinter.cli.state_report import state_json, state_lines
from dicomprinter.config.environment import read_environment, where_to_set
from dicomprinter.errors import ConfigError, InputError, PermanentError, Problem
from dicomprinter.service.installation import NAME, Installation
from dicomprinter.service.manager import Manager, manager
from dicomprinter.service.spool_state import SpoolState, spool_state
from dicomprinter.service.state import Standing, last_error
from dicomprinter.service.unit import unit_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.cli.messages import F
    from dicomprinter.service.steps import Step

_NOT_RUNNING = PermanentError.exit_code


def _name_option(function: F) -> F:
    return click.option("--name", default=NAME, show_default=True, help="The service's name.")(function)


@click.group(
    "service",
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    epilog=examples(
        "sudo dicomprinter service install --config /etc/dicomprinter/config.xml",
        "sudo dicomprinter service start",
        "dicomprinter service status",
    ),
)
@click.pass_context
def command(ctx: click.Context) -> int:
    """Install a service of the system's that runs `serve`, and look after it: systemd, or Windows' own services."""
    if ctx.invoked_subcommand is None:
        return show_help(ctx)
    return 0


@command.command(
    "install",
    epilog=examples(
        "dicomprinter service install --dry-run  # what it would do",
        "sudo dicomprinter service install --incoming-group radiology",
        "sudo dicomprinter service install --writable /srv/export --workers 4",
    ),
)
@click.option(
    "--config",
    type=PATH,
    help="The configuration; BASE/config/config.xml if --base is named and has it, else /etc/dicomprinter/config.xml.",
)
@click.option("--base", type=PATH, help="The base directory; /var/lib/dicomprinter.")
@click.option("--log-dir", type=PATH, help="Where the log goes; /var/log/dicomprinter.")
@click.option("--user", help="Who the service runs as; made if missing; dicomprinter.")
@click.option("--incoming-group", help="A group that may drop files into spool/incoming; made if missing.")
@click.option("--writable", type=PATH, multiple=True, help="A folder elsewhere that the workflow writes to.")
@click.option("--workers", type=click.IntRange(1, 64), help="Jobs that run at once; 4.")
@_name_option
@click.option("--root", type=PATH, help="Below this folder a system lies: write files there, run nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@verbose_option
def install(*, name: str, root: Path | None, dry_run: bool, **options: Any) -> int:
    """Install the service, or change one that is installed; what is not said stays as it was.

    It starts with the machine from then on, as a user of its own that may do little else. On Windows the places are
    in dicomprinter in %PROGRAMDATA%.
    """
    system = manager(root)
    before = system.installed(name)
    installation = _wanted(system, before or system.standard(name), options)
    _check_configuration(system, installation)
    if dry_run:
        for step in system.installing(installation):
            click.echo(plain(step.plan()))
        click.echo()
        click.echo(plain(unit_text(installation)) if system.writes_units else "", nl=False)
        return 0
    system.require_rights("install")
    changed = _do(system.installing(installation))
    if not changed:
        click.echo(f"{name} is installed as it was before")
    for line in system.what_next(installation, is_changed=before is not None and changed):
        say(line)
    return 0


@command.command("start", epilog=examples("sudo dicomprinter service start"))
@_name_option
@verbose_option
def start(name: str) -> int:
    """Start the service and wait until it watches its folder."""
    system = manager()
    system.require_rights("start")
    system.start(name)
    click.echo(f"{name} runs")
    return 0


@command.command("stop", epilog=examples("sudo dicomprinter service stop"))
@_name_option
@verbose_option
def stop(name: str) -> int:
    """Stop the service; it starts again with the machine. No job is lost."""
    system = manager()
    system.require_rights("stop")
    system.stop(name)
    click.echo(f"{name} has stopped")
    return 0


@command.command(
    "status",
    epilog=examples("dicomprinter service status", "sudo dicomprinter service status --json"),
)
@_name_option
@json_option
@verbose_option
def status(name: str) -> int:
    """Whether the service runs, what its spool holds, and the last error of its log. Exit code 3: it does not run."""
    standing = manager().standing(name)
    state: SpoolState | None = None
    error: str | None = None
    with suppress(PermissionError):
        state = spool_state(standing.installation.base)
        error = last_error(standing.installation.log_dir)
    if invocation().as_json:
        print_json(_as_json(standing, state, error))
    else:
        for title, value in _lines(standing, state, error):
            click.echo(plain(f"{title:<11} {value}"))
        if state is None:
            say("the spool and the log are open to the service's user and to administrators alone")
    return 0 if standing.is_active else _NOT_RUNNING


@command.command("uninstall", epilog=examples("sudo dicomprinter service uninstall"))
@_name_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@verbose_option
def uninstall(name: str, dry_run: bool) -> int:
    """Stop the service and take it away. Jobs, logs, the configuration and the user stay."""
    system = manager()
    installation = system.our(name)
    steps = system.uninstalling(name)
    if dry_run:
        for step in steps:
            click.echo(plain(step.plan()))
        return 0
    system.require_rights("uninstall")
    _do(steps)
    kept = {
        "jobs": installation.base,
        "log": installation.log_dir,
        "configuration": installation.config,
        "user": installation.user,
    }
    click.echo(plain("these stay: " + ", ".join(f"{what} {value}" for what, value in kept.items())))
    return 0


def _wanted(system: Manager, standard: Installation, options: dict[str, Any]) -> Installation:
    """The standard with what the options say."""
    said = {name: value for name, value in options.items() if value not in (None, ())}
    said |= {name: said[name].absolute() for name in ("config", "base", "log_dir") if name in said}
    if "writable" in said:
        said["writable"] = tuple(path.absolute() for path in said["writable"])
    if "config" not in said and said.get("base", standard.base) != standard.base:
        # Where `init` has put it.
        own = said["base"] / "config" / "config.xml"
        said |= {"config": own} if system.place(own).is_file() else {}
    return replace(standard, **said, python=Path(sys.executable))


def _check_configuration(system: Manager, installation: Installation) -> None:
    """What cannot be used is not installed; the environment of whoever installs it is not the service's.

    Raises:
        ConfigError, InputError: it cannot be used.
    """
    file = system.place(installation.config)
    refuse_folder(file)
    if not file.exists():
        raise InputError(
            f"there is no configuration {file}",
            remedy="write one (`dicomprinter check` says what is wrong with it), or name it with --config",
        )
    base = system.place(installation.base)
    from dicomprinter.program import load  # noqa: PLC0415 - every action's declaration, which a status has no use for

    try:
        warnings = load(file, base, {}).warnings
    except ConfigError as error:
        way_out = where_to_set(read_environment(base, {}))
        raise ConfigError(_told_once(way_out, error.problems), error.warnings) from None
    say_problems(warnings, "yellow", "warning: ")


def _told_once(way_out: str, problems: list[Problem]) -> list[Problem]:
    """Nine variables that are not set have one way out, which stands at the last of them."""
    having = [problem for problem in problems if way_out in problem.suggestion]
    shorter = {one: replace(one, suggestion=one.suggestion.partition(way_out)[2].lstrip(", ")) for one in having[:-1]}
    return [shorter.get(problem, problem) for problem in problems]


def _do(steps: Iterable[Step]) -> bool:
    """Carry the steps out; whether one changed anything."""
    changed = False
    for step in steps:
        said = step.do()
        if said:
            changed = True
            click.echo(plain(said))
    return changed


def _as_json(standing: Standing, state: SpoolState | None, error: str | None) -> dict[str, Any]:
    installation = standing.installation
    return {
        "name": installation.name,
        "state": standing.state,
        "active": standing.is_active,
        "starts_by_itself": standing.starts_by_itself,
        "since": standing.since.isoformat(timespec="seconds") if standing.since else None,
        "pid": standing.pid,
        "restarts": standing.restarts,
        "text": standing.text,
        "config": str(installation.config),
        "base": str(installation.base),
        "log_dir": str(installation.log_dir),
        **(state_json(state) if state else dict.fromkeys(("jobs", "incoming", "rejected"))),
        "last_error": error,
    }


def _lines(standing: Standing, state: SpoolState | None, error: str | None) -> Iterable[tuple[str, object]]:
    installation = standing.installation
    yield "service", installation.name
    yield "state", standing.state + (f": {standing.text}" if standing.text else "")
    if standing.since:
        yield "since", standing.since.isoformat(" ", timespec="seconds")
    if standing.pid:
        yield "process", standing.pid
    if standing.restarts:
        yield "restarts", f"{standing.restarts}, since it was last started by hand"
    yield "at boot", "starts" if standing.starts_by_itself else "does not start"
    yield "base", installation.base
    yield "config", installation.config
    if state:
        yield from state_lines(state)
        yield "last error", error or "none"
