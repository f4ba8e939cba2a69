"""Store: makes the job's objects and sends them to an archive (C-STORE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Connected, common
from dicomprinter.actions.connection import CONNECTION_PARAMETERS, connection_dialect, read_peer
from dicomprinter.actions.objects.representation import Representation
from dicomprinter.config.kinds import BOOLEAN, CHARACTER_SET, choice, integer
from dicomprinter.config.spec import Attribute, Child, Spec, optional
from dicomprinter.config.tree import Element
from dicomprinter.dicom.syntaxes import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from dicomprinter.imaging.mode import ColourMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Flags

SYNTAXES = {
    "RLE": RLELossless,
    "JPEG_Lossless": JPEGLosslessSV1,
    "JPEG_Lossy": JPEGBaseline8Bit,
    "JPEG_LS": JPEGLSLossless,
    "JPEG_2000": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
}
_DEFAULT_QUALITY = 90
_DEFAULT_DPI = 300


def _dialect(element: Element, report: Report) -> None:
    connection_dialect(element, report)
    compression = element.pop("compression")
    if compression is None:
        return
    if element.find("Compression") is not None:
        message = f"the {element.label('compression')} has no effect"
        report.warn(element.position, message, "<Compression> already says it")
        return
    report.warn(
        element.position,
        f'{element.said} has the older attribute "compression"',
        f'today it is <Compression type="{compression}"/>',
    )
    labels = {"type": element.label("compression")}
    element.children.append(Element("Compression", element.position, {"type": compression}, labels=labels))


def _check_compression(node: Node, report: Report) -> None:
    if node["quality"] is not None and node["type"] != "JPEG_Lossy":
        report.warn(node.position, "<Compression> has a quality, which only JPEG_Lossy knows", "it has no effect")


def _check(node: Node, report: Report) -> None:
    compression, mode = node.child("Compression"), node.child("ColorMode")
    if compression and mode and (compression["type"], mode["mode"]) == ("JPEG_Lossy", "Monochrome12"):
        report.error(
            compression.position,
            "JPEG_Lossy holds 8 bits and cannot go with Monochrome12",
            "choose JPEG_Lossless or Monochrome8",
        )


@dataclass(frozen=True)
class Store(Connected):
    """Where to, and how the objects are made."""

    spec = Spec(
        "Store",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("multiframe", BOOLEAN, default=False, doc="true: pages become one multi-frame object"),
        ),
        children=(
            Child(CONNECTION_PARAMETERS, least=1),
            Child(
                Spec(
                    "Compression",
                    attributes=(
                        Attribute("type", choice(*SYNTAXES), required=True, doc="how pixels are compressed"),
                        Attribute("quality", integer(1, 100), doc="of JPEG_Lossy; 90 when unsaid"),
                    ),
                    checks=(_check_compression,),
                    doc="how pixels are compressed; without it they are not",
                )
            ),
            Child(
                Spec(
                    "ColorMode",
                    attributes=(
                        Attribute(
                            "mode", choice("RGB", "Monochrome8", "Monochrome12"), required=True, doc="colour or grey"
                        ),
                    ),
                    doc="the colours of the pixels; without it those of the page",
                    field_name="Colormode",
                )
            ),
            Child(
                Spec(
                    "Document",
                    attributes=(
                        Attribute("as", choice("Pdf", "Images", "Both"), default="Pdf", doc="what a PDF becomes"),
                        Attribute("dpi", integer(36, 1200), default=_DEFAULT_DPI, doc="the resolution of its pages"),
                    ),
                    doc="how PDFs are stored",
                )
            ),
            optional("CharacterSet", CHARACTER_SET, "the set of the objects' texts"),
        ),
        dialect=_dialect,
        checks=(_check,),
        doc="make the job's objects and send them to an archive",
    )

    peer: Peer
    representation: Representation

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        connection = next(node.all("ConnectionParameters"))
        compression, mode, document = node.child("Compression"), node.child("ColorMode"), node.child("Document")
        return cls(
            *common(node),
            peer=read_peer(connection),
            representation=Representation(
                compression=SYNTAXES[compression["type"]] if compression else None,
                quality=(compression and compression["quality"]) or _DEFAULT_QUALITY,
                mode=ColourMode(mode["mode"]) if mode else ColourMode.AS_IS,
                character_set=node.content("CharacterSet"),
                multiframe=node["multiframe"],
                document=document["as"] if document else "Pdf",
                dpi=document["dpi"] if document else _DEFAULT_DPI,
            ),
        )

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """Pages and PDFs; a DICOM file brings its own."""
        return self.representation.contexts()

    def flags_after_failure(self, flags: Flags) -> Flags:
        """STORE_SUCCEEDED is false of a Store that failed."""
        return flags.with_store(self.name, succeeded=False)

    def perform(self, job: Job, tools: Tools) -> None:
        """Send every object that the archive has not confirmed yet.

        Raises:
            TransientError: the archive is away, busy or full; what it confirmed stays confirmed.
            PermanentError: some objects could not be made or were refused; the others are stored.
        """
        from dicomprinter.actions.store.storing import store

        store(self, job, tools)
