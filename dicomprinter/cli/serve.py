"""`dicomprinter serve`."""

from __future__ import annotations

from pathlib import Path

import click

from dicomprinter.cli.arguments import endpoint_option
from dicomprinter.cli.bases import BASE_HELP, refuse_folder, service_base
from dicomprinter.cli.messages import PATH, invocation, verbose_option
from dicomprinter.service.serve import Service


@click.command("serve")
@click.option("--base", type=PATH, help=BASE_HELP)
@click.option("--config", type=PATH, help="The configuration; config/config.xml in the base directory.")
@click.option("--log-dir", type=PATH, help="Where the log goes; log in the base directory.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Jobs that run at once.")
@endpoint_option
@verbose_option
def command(
    base: Path | None,
    config: Path | None,
    log_dir: Path | None,
    workers: int,
    endpoints: dict[str, tuple[str, int]],
) -> int:
    """Watch spool/incoming in the base directory and run every job.

    SIGTERM or Ctrl-C ends it within seconds. A changed configuration is loaded by itself, or on SIGHUP.
    """
    place = service_base(base)
    file = config.absolute() if config else place / "config" / "config.xml"
    refuse_folder(file)
    Service(
        place,
        file,
        log_dir.absolute() if log_dir else place / "log",
        workers,
        invocation().verbose,
        endpoints,
    ).run()
    return 0
