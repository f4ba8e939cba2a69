"""A dry run: nobody is called, what would be sent is kept as files, no program is started that does something."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.query.action import AsksNobody
from dicomprinter.actions.store.sending import StandIn
from dicomprinter.dicom.status import store_status
from dicomprinter.engine.outside.programs import RealPrograms
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pydicom import Dataset

    from dicomprinter.actions.programs import Call, Ended
    from dicomprinter.dicom.network.normalized import Heard, Request, Response
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.engine.dry_print import DryPrinter


class DryNetwork(AsksNobody):
    """Answers Stores and Prints with success and Queries with nothing; keeps objects and films below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], *, action: str) -> DryAssociation:
        """An association that accepts everything proposed."""
        return DryAssociation(self, peer, contexts, action)

    def file(self, action: str, sop_instance: str) -> Path:
        """Where an action's object is kept."""
        return self.place(action) / f"{sop_instance}.dcm"

    def place(self, action: str) -> Path:
        """Where what an action sends or prints is kept."""
        return self.folder / re.sub(r"[^\w.-]+", "_", action)


class DryAssociation:
    """Stands in for an Association."""

    def __init__(
        self, network: DryNetwork, peer: Peer, contexts: Sequence[tuple[str, Sequence[str]]], action: str
    ) -> None:
        self.peer = peer
        self._network = network
        self._contexts = dict(contexts)
        self._action = action
        self._printer: DryPrinter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def accepted(self, sop_class: str) -> tuple[str, ...]:
        """Everything that was proposed."""
        return tuple(self._contexts.get(sop_class, ()))

    def no_context(self, wanted: str) -> PermanentError:
        """Never happens: everything is accepted."""
        return PermanentError(f"nothing was proposed for {wanted}")

    def store(self, path: Path, *, sop_class: str, sop_instance: str, transfer_syntax: str) -> StandIn:  # noqa: ARG002 - stands in for Association.store
        """Keep the object."""
        target = self._network.file(self._action, sop_instance)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        return StandIn(store_status(0), "", ())

    def find(self, sop_class: str, identifier: Dataset, *, default_charset: str = "") -> Iterator[Dataset]:  # noqa: ARG002 - stands in for Association.find
        """Nothing: `--assume` says what the conditions after it shall see."""
        return iter(())

    def normalized(self, request: Request, heard: Heard) -> Response:  # noqa: ARG002 - stands in for Association.normalized
        """Keep what would be printed."""
        if self._printer is None:
            from dicomprinter.engine.dry_print import DryPrinter  # noqa: PLC0415 - it brings numpy and Pillow

            folder, syntaxes = self._network.place(self._action), self.accepted(request.context)
            self._printer = DryPrinter(folder, syntaxes[0])
        return self._printer.answer(request)


def kept_below(folder: Path) -> Callable[[Path], Path]:
    """Where a dry run writes what a real run writes elsewhere: `/archive/x` becomes `<folder>/archive/x`."""

    def outside(path: Path) -> Path:
        inside = [part.rstrip(":\\/").replace(":", "_") for part in path.parts if part not in ("..", "/", "\\")]
        return folder.absolute().joinpath(*(part.lstrip("\\/") for part in inside if part.strip("\\/")))

    return outside


class DryPrograms(RealPrograms):
    """Starts only what computes something for an action and changes nothing."""

    def run(self, call: Call) -> Ended | None:
        """As `actions.programs.Programs` says."""
        return super().run(call) if call.only_computes else None
