"""The command line: which commands there are, and what becomes of their errors."""

from __future__ import annotations

import difflib
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dicomprinter import __version__
from dicomprinter.cli.lazy import LazyGroup, commands_of
from dicomprinter.cli.messages import Invocation, examples, say, say_error, show_help, verbose_option
from dicomprinter.cli.standins import stand_in
from dicomprinter.errors import DicomPrinterError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130

# Each is a module of this room, imported when it is asked for: help and version are not to wait for DICOM.
_COMMANDS = {
    "init": "Make a base directory with a configuration to start from.",
    "check": "Say everything that is wrong with a configuration.",
    "explain": "Show what a configuration does, as a tree or a flowchart.",
    "echo": "Ask the peers of a configuration whether they are there.",
    "run": "Make one job of files and run it in the foreground.",
    "serve": "Watch the spool and run its jobs until a signal ends it.",
    "jobs": "List, show, match, resume, restore or discard the jobs of a spool.",
    "events": "Show what Notify has told people, and go on with what comes.",
    "status": "Say what waits, how each destination does, and what wants a person.",
    "service": "Install a service of the system's that serves, and look after it.",
    "demo": "Print to an archive inside this program and show what it holds.",
    "completion": "Print the script that completes commands in a shell.",
}


# What these do first is to look into a file: the process for that starts while they are imported.
_DECODING = ("run",)


class Commands(LazyGroup):
    """The program's commands, in the order in which a newcomer wants them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(places={name: f"dicomprinter.cli.{name}:command" for name in _COMMANDS}, **options)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; a stand-in when a shell only wants to complete it."""
        return stand_in(cmd_name) if ctx.resilient_parsing else super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, or the nearest name."""
        near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if near and args[0] not in _COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{args[0]}'; did you mean \"{near[0]}\"?")
        runs = not ctx.resilient_parsing and isinstance(ctx.obj, Invocation) and not {"-h", "--help"} & set(args)
        if runs and args[0] in _DECODING:
            _start_child(ctx.obj)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "dicomprinter demo  # print to an archive inside this program",
        "dicomprinter check config.xml",
        "dicomprinter run config.xml scan.pdf --dry-run --output-dir out",
    ),
)
@click.version_option(__version__, prog_name="dicomprinter")
@verbose_option
@click.pass_context
def commands(ctx: click.Context) -> int:
    """Whatever is printed, dropped in a folder or received becomes a job that reaches the PACS."""
    return show_help(ctx) if ctx.invoked_subcommand is None else 0


def main() -> NoReturn:
    """The entry point: run the command of `sys.argv` and exit."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """Run a command; its exit code. No error of a user's leaves a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be text, and a terminal need not know every letter.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if list(arguments[:1]) == ["help"]:
        arguments = [*arguments[1:], "--help"]
    # Known before the options are read: a command that cannot be imported has none.
    invocation = Invocation("--json" in arguments, verbose="-v" in arguments or "--verbose" in arguments)
    try:
        code = commands.main(list(arguments), prog_name="dicomprinter", standalone_mode=False, obj=invocation)
        return int(code or 0)
    except click.ClickException as error:
        say_error(InputError(_misplaced(error) or error.format_message()), invocation)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say_error(DicomPrinterError("interrupted"), invocation)
        return INTERRUPTED
    except DicomPrinterError as error:
        say_error(error, invocation)
        return error.exit_code
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say_error(InputError(f"{where}{error.strerror or type(error).__name__}"), invocation)
        _say_where(invocation)
        return InputError.exit_code
    except Exception as error:  # noqa: BLE001 - the last place where a fault can be told in words
        remedy = "report the lines above" if invocation.verbose else "run it again with -v and report what it says"
        _say_where(invocation)
        say_error(DicomPrinterError(f"a fault of the program ({type(error).__name__})", remedy=remedy), invocation)
        return DicomPrinterError.exit_code
    finally:
        if invocation.child is not None:
            invocation.child.kill()


def _start_child(invocation: Invocation) -> None:
    from dicomprinter.imaging.process import ChildProcess  # noqa: PLC0415 - only for a command that decodes

    # Where it cannot be started, the first call says why.
    with suppress(OSError):
        invocation.child = ChildProcess()


def _misplaced(error: click.ClickException) -> str:
    """Where an option belongs that only a command below has; empty of any other error."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None or not isinstance(error.ctx.command, click.Group):
        return ""
    group = error.ctx.command
    below = commands_of(group, error.ctx)
    while below:
        command = below.pop()
        if any(error.option_name in parameter.opts for parameter in command.params):
            return f"{error.option_name} goes after the command, as in: dicomprinter jobs list --base DIR"
        below += commands_of(command, error.ctx) if isinstance(command, click.Group) else ()
    return ""


def _say_where(invocation: Invocation) -> None:
    if invocation.verbose:
        say(traceback.format_exc())
