"""How a command's log is written."""

from __future__ import annotations

import click

from dicomprinter.cli.messages import F
from dicomprinter.service.log_form import Form


def log_format_option(command: F) -> F:
    """`--log-format`, as a Form."""
    option = click.option(
        "--log-format",
        "form",
        type=click.Choice([form.value for form in Form]),
        default=Form.TEXT.value,
        show_default=True,
        callback=lambda _context, _parameter, value: Form(value),
        help="How the log is written: lines for people, or a JSON object a line.",
    )
    return option(command)
