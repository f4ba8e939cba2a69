"""Real printers: DCMTK's dcmprscp, with a folder of its own on a free port."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.peers import program
from tests.peers.servers import running
from tests.scp import closed_port

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
        """The images that it stored, in the order of their arrival."""
        return self._read("HG_")

    @property
    def films(self) -> list[Dataset]:
        """The films that it stored (Stored Print)."""
        return self._read("SP_")

    def _read(self, prefix: str) -> list[Dataset]:
        files = (self.folder / "database").glob(f"{prefix}*.dcm")
        return [dcmread(file) for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]


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
