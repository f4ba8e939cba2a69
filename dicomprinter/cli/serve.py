"""`dicomprinter serve`."""

from __future__ import annotations

import faulthandler
import os
import shlex
from pathlib import Path

import click

from dicomprinter.cli.arguments import endpoint_option
from dicomprinter.cli.bases import BASE_HELP, refuse_folder, service_base
from dicomprinter.cli.log_option import log_format_option
from dicomprinter.cli.messages import PATH, examples, invocation, verbose_option
from dicomprinter.errors import InputError
from dicomprinter.service.log_form import Form
from dicomprinter.service.notify import supervisor
from dicomprinter.service.serve import Service


@click.command(
    "serve",
    epilog=examples(
        "dicomprinter serve --base /var/lib/dicomprinter --config /etc/dicomprinter/config.xml",
        "dicomprinter serve --workers 4 --log-format json",
    ),
)
@click.option("--base", type=PATH, help=BASE_HELP)
@click.option("--config", type=PATH, help="The configuration; config/config.xml in the base directory.")
@click.option("--log-dir", type=PATH, help="Where the log goes; log in the base directory.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Jobs that run at once.")
@endpoint_option
@log_format_option
@verbose_option
def command(
    *,
    base: Path | None,
    config: Path | None,
    log_dir: Path | None,
    workers: int,
    endpoints: dict[str, tuple[str, int]],
    form: Form,
) -> int:
    """Watch spool/incoming in the base directory and run every job.

    SIGTERM or Ctrl-C ends it within seconds. A changed configuration is loaded by itself, or on SIGHUP.
    """
    place = service_base(base)
    file = config.absolute() if config else place / "config" / "config.xml"
    refuse_folder(file)
    if not file.exists():
        made = shlex.join(["dicomprinter", "init", str(place)])
        remedy = "check the path" if config else f"`{made}` writes one to start from; or name yours with --config"
        raise InputError(f"there is no configuration {file}", remedy=remedy)
    watcher = supervisor(os.environ)
    if watcher.period is not None:
        # A watchdog ends what stands still by SIGABRT: then every thread's place is told, and no value.
        faulthandler.enable()
    Service(
        place,
        file,
        log_dir.absolute() if log_dir else place / "log",
        workers,
        invocation().verbose,
        endpoints,
        form,
        supervisor=watcher,
    ).run()
    return 0
