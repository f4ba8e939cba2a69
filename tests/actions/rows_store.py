"""Rows for Store; `rows_print` has those of its ConnectionParameters."""

from __future__ import annotations

from dicomprinter.dicom.syntaxes import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from dicomprinter.imaging.mode import ColourMode
from tests.actions.row import Row, elements
from tests.actions.rows_print import PEER

FIELD_PEER = (
    "<ConnectionParameters><PeerAeTitle>P</PeerAeTitle><MyAeTitle>ME</MyAeTitle><Host>h</Host><Port>104</Port>"
    "</ConnectionParameters>"
)
OLD = '<Store name="A" calledAE="P" callingAE="ME" host="h" port="11112"/>'
OLD_WARNINGS = ("<PeerAETitle>P<", "<MyAETitle>ME<", "<Host>h<", "<Port>11112<")


def store(inner: str = "", attributes: str = "") -> str:
    return f'<Store name="A" {attributes}>{inner}{PEER.format("")}</Store>'


ROWS = [
    Row("Store/ConnectionParameters", store(), "peer.ae_title", "P"),
    Row("Store/ConnectionParameters", f'<Store name="A">{FIELD_PEER}</Store>', "peer.ae_title", "P"),
    Row("Store/ConnectionParameters", f'<Store name="A">{FIELD_PEER}</Store>', "peer.calling_ae_title", "ME"),
    Row("Store/ConnectionParameters", OLD, "peer.ae_title", "P", OLD_WARNINGS),
    Row("Store/ConnectionParameters", OLD, "peer.calling_ae_title", "ME", OLD_WARNINGS),
    Row("Store/ConnectionParameters", OLD, "peer.host", "h", OLD_WARNINGS),
    Row("Store/ConnectionParameters", OLD, "peer.port", 11112, OLD_WARNINGS),
    Row("Store@multiframe", store("", 'multiframe="1"'), "representation.multiframe", True),
    Row("no Store@multiframe", store(), "representation.multiframe", False),
    Row("no Store/Compression", store(), "representation.compression", None),
    Row("Store/Compression", store('<Compression type="RLE"/>'), "representation.quality", 90),
    Row(
        "Store/Compression",
        store("", 'compression="jpeg_lossless"'),
        "representation.compression",
        JPEGLosslessSV1,
        ('today it is <Compression type="jpeg_lossless"/>',),
    ),
    Row(
        "Store/Compression",
        store('<Compression type="RLE"/>', 'compression="JPEG_Lossy"'),
        "representation.compression",
        RLELossless,
        ('"compression" of <Store> has no effect',),
    ),
    *(
        Row("Compression@type", store(f'<Compression type="{written}"/>'), "representation.compression", read)
        for written, read in (
            ("RLE", RLELossless),
            ("rle", RLELossless),
            ("JPEG_Lossless", JPEGLosslessSV1),
            ("JPEG_LOSSY", JPEGBaseline8Bit),
            ("JPEG_LS", JPEGLSLossless),
            ("JPEG_2000", JPEG2000Lossless),
            ("HTJ2K", HTJ2KLossless),
        )
    ),
    Row("Compression@quality", store('<Compression type="JPEG_Lossy" quality="1"/>'), "representation.quality", 1),
    Row("Compression@quality", store('<Compression type="JPEG_Lossy" quality="100"/>'), "representation.quality", 100),
    Row(
        "Compression@quality",
        store('<Compression type="RLE" quality="75"/>'),
        "representation.compression",
        RLELossless,
        ("which only JPEG_Lossy knows",),
    ),
    Row("no Store/ColorMode", store(), "representation.mode", ColourMode.AS_IS),
    Row("Store/ColorMode", store('<ColorMode mode="RGB"/>'), "representation.mode", ColourMode.RGB),
    Row("Store/ColorMode", store('<Colormode mode="RGB"/>'), "representation.mode", ColourMode.RGB),
    Row("ColorMode@mode", store('<ColorMode mode="monochrome8"/>'), "representation.mode", ColourMode.MONOCHROME8),
    Row("ColorMode@mode", store('<Colormode mode="Monochrome12"/>'), "representation.mode", ColourMode.MONOCHROME12),
    Row("no Store/Document", store(), "representation.document", "Pdf"),
    Row("no Store/Document", store(), "representation.dpi", 300),
    Row("Store/Document", store("<Document/>"), "representation.document", "Pdf"),
    Row("Store/Document", store("<Document/>"), "representation.dpi", 300),
    Row("Document@as", store('<Document as="images"/>'), "representation.document", "Images"),
    Row("Document@as", store('<Document as="Both"/>'), "representation.document", "Both"),
    Row("Document@as", store('<Document as="PDF"/>'), "representation.document", "Pdf"),
    Row("Document@dpi", store('<Document as="Images" dpi="150"/>'), "representation.dpi", 150),
    Row("no Store/CharacterSet", store(), "representation.character_set", None),
    *elements(
        "Store",
        store,
        "",
        ("CharacterSet", "ISO_IR 192", "representation.character_set", "ISO_IR 192"),
        ("CharacterSet", "\n ISO_IR 100 ", "representation.character_set", "ISO_IR 100"),
        ("CharacterSet", "\\ ISO 2022 IR 87 ", "representation.character_set", "\\ISO 2022 IR 87"),
        (
            "CharacterSet",
            "ISO 2022 IR 6 \\ ISO 2022 IR 87",
            "representation.character_set",
            "ISO 2022 IR 6\\ISO 2022 IR 87",
        ),
    ),
]
