"""`dicomprinter completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dicomprinter.cli.messages import examples, verbose_option
from dicomprinter.errors import InputError

_NAME = "dicomprinter"
# click looks for the variable of this name when the program is called.
_VARIABLE = "_DICOMPRINTER_COMPLETE"


@click.command(
    "completion",
    epilog=examples(
        "dicomprinter completion bash > ~/.local/share/bash-completion/completions/dicomprinter",
        "dicomprinter completion zsh > ~/.zfunc/_dicomprinter  # a folder of $fpath",
        "dicomprinter completion fish > ~/.config/fish/completions/dicomprinter.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@verbose_option
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that lets a shell complete commands, options and files with the Tab key.

    It is read by the shell: put it where the shell looks, as below, or for one session say
    `source <(dicomprinter completion bash)`. It stays valid when the program is updated.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise InputError(f"no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, _NAME, _VARIABLE).source())
    return 0
