"""What is dropped, what the workflow does with it, and where it has to be in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dicomprinter.imaging.decoder import Decoder
from tests.canary import CANARY
from tests.system.help import perform, set_tag, store
from tests.system.service import connection
from torture import files
from torture.files import DPI, A, B, Maker

# The tag by which the workflow chooses.
_KIND: Final = "StudyID"
_PRIVATE: Final = MappingProxyType({"PatientName": CANARY["PatientName"], "PatientID": CANARY["PatientID"]})
PRINTER: Final = "PRINTER"
_CANNOT_UNDERSTAND: Final = 0xC000
_OUT_OF_RESOURCES: Final = 0xA700
MOST_MERGED: Final = 3
# Each MergeJob's Timeout and MaxJobs. A round comes to the latter, or has nothing more to wait for: what it does must
# not depend on how fast jobs come.
_MERGES: Final = MappingProxyType({"Merge": (5000, MOST_MERGED), "Collect": (300, MOST_MERGED), "Gather": (5000, 2)})


@dataclass(frozen=True)
class Drop:
    """Files that belong together.

    Args:
        kind: which way the workflow sends them.
        title: the job's name.
        files: in the order in which they are dropped.
        wanted: for each archive, what it has to show of them in the end.
        outcome: the ledger's word, or `rejected`.
        saved: what the folder outside the spool has to show of them.
        sender: host and user.
        text: what lies beside them, where it is to be part of another one.
    """

    kind: str
    title: str
    files: Mapping[str, bytes]
    wanted: Mapping[str, frozenset[str]]
    outcome: str
    saved: frozenset[str] = frozenset()
    sender: tuple[str, str] = ("", "")
    text: str = ""


@dataclass(frozen=True)
class Kind:
    """One way through the workflow.

    Args:
        nodes: of the workflow.
        maker: of the files.
        archives: which have to have them in the end.
        outcome: as in Drop.
        b_is_down: B refuses connections until a job waits for it.
        b_refuses: B answers so until an operator has resumed the job, or for good.
        b_answers: B's first answers.
        is_saved: whether a Save brings them into the folder outside the spool.
        operator: what an operator does with a job that is held, or manual.
        user: who sends it from the host that others come from, too; a host of its own, if empty.
    """

    nodes: str
    maker: Maker
    archives: tuple[str, ...] = (A, B)
    outcome: str = "done"
    b_is_down: bool = False
    b_refuses: int = 0
    b_answers: tuple[int, ...] = ()
    operator: str | None = None
    is_saved: bool = False
    user: str = ""


_BOTH: Final = perform("ToA", "ToB", on_error="Suspend")
_HELD: Final = perform("ToA", "ToB", on_error="Hold")


def _to_b(resume: str) -> str:
    """B gets it, sooner or later; until then it goes back to that action."""
    suspend = f'<Suspend resumeAction="{resume}"/>'
    again = f'<If field="STORE_SUCCEEDED" value="false"><Statements>{suspend}</Statements></If>'
    return perform(resume) + perform("ToB", on_error="Ignore") + again


_AGAIN: Final = _to_b("Other")

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "page": Kind(perform("Find") + _BOTH, files.page_and_text, b_is_down=True),
        "pages": Kind(_BOTH, files.pages, b_answers=(0, _OUT_OF_RESOURCES)),
        "frames": Kind(perform("Frames", on_error="Suspend"), files.frames, (A,)),
        "pdf": Kind(_BOTH, files.pdf),
        "dicom": Kind(_BOTH, files.dicom, b_is_down=True),
        "saved": Kind(perform("Keep", on_error="Suspend"), files.pages, (), is_saved=True),
        # Turned twice by a half, a page is what it was.
        "turned": Kind(perform("Turn", "Turn") + _AGAIN, files.pages, (B,), b_is_down=True),
        "text": Kind(perform("ToA", on_error="Suspend"), files.text, (A,)),
        "held": Kind(_HELD, files.page, b_refuses=_CANNOT_UNDERSTAND, operator="resume"),
        "manual": Kind(perform("Ask", "ToA"), files.page, (A,), operator="match"),
        "discarded": Kind(_HELD, files.page, (A,), "discarded", b_refuses=_CANNOT_UNDERSTAND, operator="discard"),
        "thrown": Kind("<Discard/>", files.page, (), "discarded"),
        "again": Kind(_AGAIN, files.page, (B,), b_is_down=True),
        "film": Kind(perform("Film", "ToA", on_error="Suspend"), files.pages, (A,)),
        "damaged": Kind(perform("ToA"), files.damaged, (), "rejected"),
        "mergepdf": Kind(perform("Merge") + _BOTH, files.pdf_and_text, user="anna"),
        "mergepages": Kind(perform("Collect") + _BOTH, files.pages, user="dora"),
        "mergeagain": Kind(_to_b("Gather"), files.pages, (B,), user="carl", b_is_down=True),
        "mergeother": Kind(perform("Collect") + _BOTH, files.page, user="bert"),
    }
)
ROUNDS: Final = (
    *((kind,) for kind in KINDS if not kind.startswith("merge")),
    # The jobs of one sender become one, up to the first of somebody else.
    ("mergepdf", "mergepdf", "mergepdf"),
    ("mergepages", "mergeother", "mergepages"),
    ("mergeagain", "mergeagain"),
)
"""What is dropped at once."""


def drop(kind: str, number: int, decoder: Decoder, folder: Path) -> Drop:
    """Files of a kind; no other number has their content. `folder` is for files that are being made."""
    chosen = KINDS[kind]
    made = chosen.maker(number, decoder, folder)
    title = f"{kind}-{number:04}"
    sender = ("ward", chosen.user) if chosen.user else (title, "")
    sidecar = {"title": title, "host": sender[0], "user": sender[1], "tags": {**_PRIVATE, _KIND: kind}}
    named = {f"{title}{list(made.files)[-1]}.json": json.dumps(sidecar).encode()}
    named |= {f"{title}{ending}": data for ending, data in made.files.items()}
    wanted = {archive: made.shown[archive] for archive in chosen.archives}
    saved = made.shown[A] if chosen.is_saved else frozenset()
    text = files.text_of(number) if chosen.maker is files.pdf_and_text else ""
    return Drop(kind, title, named, wanted, chosen.outcome, saved, sender, text)


def configuration(
    ports: Mapping[str, int], ris: int, printer: int, *, suspension: float = 0.3, validity: float = 0
) -> str:
    """The configuration of all kinds; `suspension` is in seconds, `validity` in days."""
    label = "<BasicFilmSessionAttributes><FilmSessionLabel>#{Job.Name}</FilmSessionLabel></BasicFilmSessionAttributes>"
    merges = (
        f'<MergeJob name="{name}"><Timeout>{milliseconds}</Timeout><TimeThreshold>600000</TimeThreshold>'
        f"<MaxJobs>{most}</MaxJobs></MergeJob>"
        for name, (milliseconds, most) in _MERGES.items()
    )
    actions = (
        f'<Query name="Find" type="Worklist" select="first">{connection(ris, "WORKLIST")}'
        '<DcmTag tag="PatientID">#{PatientID}</DcmTag></Query><Query name="Ask" type="Manual"/>'
        + "".join(merges)
        + '<Save name="Keep"><Directory>archive</Directory></Save>'
        + set_tag("Mark", "InstitutionName", "Clinic")
        + set_tag("Other", "StationName", "Other")
        + '<Rotate name="Turn"><Angle>180</Angle></Rotate>'
        + store("ToA", ports[A], ae_title=A)
        + store("ToB", ports[B], f'<Compression type="JPEG_Lossless"/><Document as="Images" dpi="{DPI}"/>', ae_title=B)
        + store("Frames", ports[A], ae_title=A, attributes='multiframe="true"')
        + f'<Print name="Film">{connection(printer, PRINTER)}{label}</Print>'
    )
    cases = "".join(f'<Case value="^{name}$">{kind.nodes}</Case>' for name, kind in KINDS.items())
    general = f"<CheckingInterval>0.1</CheckingInterval><SuspensionTime>{suspension / 60:.6f}</SuspensionTime>"
    if validity:
        general += f"<ValidityPeriod>{validity:.6f}</ValidityPeriod>"
    return (
        f"<DicomPrinter><General>{general}</General><Actions>{actions}</Actions>"
        f'<Workflow>{perform("Mark")}<Switch field="TAG_VALUE(0020,0010)">{cases}</Switch></Workflow></DicomPrinter>'
    )


def operators_match() -> dict[str, Any]:
    """What an operator answers, in the DICOM JSON model."""
    return {"00100020": {"vr": "LO", "Value": ["OPERATOR-1"]}}
