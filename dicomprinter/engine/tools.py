"""The tools of real runs: the clock, the network, the child process for pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dicomprinter.actions.base import Tools
from dicomprinter.dicom.network.association import Association
from dicomprinter.engine.events import Events
from dicomprinter.engine.outside.messenger import RealMessenger
from dicomprinter.engine.outside.programs import RealPrograms
from dicomprinter.engine.siblings import NoSiblings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dicomprinter.actions.base import Network
    from dicomprinter.actions.messages import Messenger
    from dicomprinter.actions.programs import Programs
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.engine.spool_view import SpoolView
    from dicomprinter.imaging.decoder import Decoder
    from dicomprinter.job.job import Job


class RealNetwork:
    """Opens associations with the peers themselves."""

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> Association:  # noqa: ARG002 - a dry run needs the action
        """Open an association; raises TransientError or PermanentError."""
        return Association.open(peer, contexts)


def local_now() -> datetime:
    """The local time with its offset."""
    return datetime.now().astimezone()


def secure(job: Job) -> None:
    """Write a job down so that it survives a loss of power."""
    job.folder.save(job, secure=True)


def tools(
    decoder: Decoder,
    spool: SpoolView,
    *,
    outside: Callable[[Path], Path] | None = None,
    network: Network | None = None,
    programs: Programs | None = None,
    messenger: Messenger | None = None,
) -> Tools:
    """What actions use in a real run of a spool's jobs, or in one with other ways out.

    Args:
        decoder: opens pages.
        spool: holds the event stream.
        outside: where a folder or file outside the spool lies; a relative one below the base directory when unsaid.
        network: opens associations.
        programs: starts programs of others.
        messenger: tells people.
    """
    programs = programs or RealPrograms()
    messenger = messenger or RealMessenger(Events(spool.events_file), programs, local_now)
    return Tools(
        local_now,
        network or RealNetwork(),
        decoder,
        secure,
        programs=programs,
        outside=outside or below(spool.base),
        messenger=messenger,
        siblings=NoSiblings(),
    )


def below(base: Path) -> Callable[[Path], Path]:
    """Where a path leads that a configuration names: a relative one begins at the base directory."""
    return base.absolute().joinpath
