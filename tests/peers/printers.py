"""Real printers on free ports: DCMTK's dcmprscp for grey, a printer over npm's dcmjs-dimse for colour."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.links import ROOT
from tests.peers import program
from tests.peers.servers import running
from tests.scp import closed_port

_DIMSE: Final = "dcmjs-dimse@0.3.3"
_SECONDS_TO_FETCH: Final = 120

# The printer IHEFULL of Debian's /etc/dcmtk/printers.cfg.
_PRINTER = r"""
[[GENERAL]]
[PRINT]
Directory = spool
DeletePrintJobs = false
[DATABASE]
Directory = database
[LUT]
Directory = lut
[[COMMUNICATION]]
[IHEFULL]
Aetitle = IHEFULL
Description = IHE Full Print SCP
Hostname = localhost
Port = {port}
Type = LOCALPRINTER
BorderDensity = 150\20\BLACK\WHITE
DisableNewVRs = false
DisplayFormat=1,1\1,2\2,2\2,3\3,3\3,4\3,5\4,4\4,5
EmptyImageDensity = 20\BLACK\WHITE
FilmDestination = MAGAZINE\PROCESSOR\BIN_1\BIN_2
FilmSizeID = 8INX10IN\10INX12IN\10INX14IN\11INX14IN\14INX14IN\14INX17IN\24CMX24CM\24CMX30CM
ImplicitOnly = {implicit}
MagnificationType = REPLICATE\BILINEAR\CUBIC\NONE
MaxDensity = 320
MaxPDU = 32768
MediumType = PAPER\CLEAR FILM\BLUE FILM
MinDensity = 20
OmitSOPClassUIDFromCreateResponse = {implicit}
PresentationLUTMatchRequired = false
PresentationLUTinFilmSession = false
ResolutionID = STANDARD\HIGH
SmoothingType = NONE
Supports12Bit = {wide}
SupportsDecimateCrop = true
SupportsImageSize = true
SupportsPresentationLUT = {lut}
SupportsTrim = true
"""


@dataclass(frozen=True)
class FilmPrinter:
    """A running dcmprscp."""

    port: int
    folder: Path
    log: Path

    @property
    def images(self) -> list[Dataset]:
        """The images that it stored, in no order."""
        return self._read("HG_")

    @property
    def films(self) -> list[Dataset]:
        """The films that it stored (Stored Print)."""
        return self._read("SP_")

    def _read(self, prefix: str) -> list[Dataset]:
        files = (self.folder / "database").glob(f"{prefix}*.dcm")
        return [dcmread(file) for file in files]


@contextlib.contextmanager
def dcmprscp(folder: Path, *, lut: bool = True, wide: bool = True, implicit: bool = False) -> Iterator[FilmPrinter]:
    """DCMTK's printer of grey films; `wide`: it takes 12 bits, `implicit`: only implicit VR."""
    for name in ("spool", "database", "lut"):
        (folder / name).mkdir(parents=True)
    port = closed_port()
    options = {"port": port, "lut": lut, "wide": wide, "implicit": implicit}
    config = folder / "print.cfg"
    config.write_text(_PRINTER.format(**{name: str(value).lower() for name, value in options.items()}))
    command = [program("dcmprscp"), "-v", "-d", "-c", str(config), "-p", "IHEFULL"]
    with running(command, port, folder / "dcmprscp.log") as log:
        yield FilmPrinter(port, folder, log)


@dataclass(frozen=True)
class ColourPrinter:
    """A running printer over dcmjs-dimse."""

    port: int
    book: Path
    log: Path

    @property
    def noted(self) -> list[dict[str, Any]]:
        """What came, in order: images, films, what was deleted, the release."""
        return [json.loads(line) for line in self.book.read_text().splitlines()]


@contextlib.contextmanager
def colour_printer(folder: Path) -> Iterator[ColourPrinter]:
    """A printer that takes the Basic Color Print Management Meta class alone."""
    node, modules = program("node"), _fetched()
    folder.mkdir(parents=True)
    port, book = closed_port(), folder / "book.jsonl"
    script = Path(__file__).with_name("dimse_printer.cjs")
    with running([node, str(script), str(modules), str(port), str(book)], port, folder / "printer.log") as log:
        book.write_text("")
        yield ColourPrinter(port, book, log)


def _fetched() -> Path:
    """The folder of node_modules with dcmjs-dimse, fetched once for this working copy."""
    there = ROOT / ".venv" / _DIMSE.replace("@", "-")
    if not there.exists():
        there.parent.mkdir(exist_ok=True)
        # Tests side by side may fetch it at once: the first one counts.
        temporary = Path(mkdtemp(dir=there.parent))
        command = [program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(temporary)]
        try:
            subprocess.run(
                [*command, _DIMSE], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS_TO_FETCH
            )
        except (subprocess.SubprocessError, OSError) as error:
            # Also where CI is set: a registry that is away says nothing of this program.
            pytest.skip(f"{_DIMSE} cannot be fetched by npm ({type(error).__name__})")
        with contextlib.suppress(OSError):
            temporary.rename(there)
    return there / "node_modules"
