"""Rows for Store; `rows_print` has those of its ConnectionParameters."""

from __future__ import annotations

from dicomprinter.imaging.colour import ColourMode
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
    Row("Store@multiframe", store("", 'multiframe="1"'), "multiframe", True),
    Row("no Store@multiframe", store(), "multiframe", False),
    Row("no Store/Compression", store(), "compression", None),
    Row("Store/Compression", store('<Compression type="RLE"/>'), "quality", 90),
    Row(
        "Store/Compression",
        store("", 'compression="jpeg_lossless"'),
        "compression",
        "JPEG_Lossless",
        ('today it is <Compression type="jpeg_lossless"/>',),
    ),
    Row(
        "Store/Compression",
        store('<Compression type="RLE"/>', 'compression="JPEG_Lossy"'),
        "compression",
        "RLE",
        ('"compression" of <Store> has no effect',),
    ),
    *(
        Row("Compression@type", store(f'<Compression type="{written}"/>'), "compression", read)
        for written, read in (
            ("RLE", "RLE"),
            ("rle", "RLE"),
            ("JPEG_Lossless", "JPEG_Lossless"),
            ("JPEG_LOSSY", "JPEG_Lossy"),
            ("JPEG_LS", "JPEG_LS"),
            ("JPEG_2000", "JPEG_2000"),
            ("HTJ2K", "HTJ2K"),
        )
    ),
    Row("Compression@quality", store('<Compression type="JPEG_Lossy" quality="1"/>'), "quality", 1),
    Row("Compression@quality", store('<Compression type="JPEG_Lossy" quality="100"/>'), "quality", 100),
    Row(
        "Compression@quality",
        store('<Compression type="RLE" quality="75"/>'),
        "compression",
        "RLE",
        ("which only JPEG_Lossy knows",),
    ),
    Row("no Store/ColorMode", store(), "mode", ColourMode.AS_IS),
    Row("Store/ColorMode", store('<ColorMode mode="RGB"/>'), "mode", ColourMode.RGB),
    Row("Store/ColorMode", store('<Colormode mode="RGB"/>'), "mode", ColourMode.RGB),
    Row("ColorMode@mode", store('<ColorMode mode="monochrome8"/>'), "mode", ColourMode.MONOCHROME8),
    Row("ColorMode@mode", store('<Colormode mode="Monochrome12"/>'), "mode", ColourMode.MONOCHROME12),
    Row("no Store/Document", store(), "document", "Pdf"),
    Row("no Store/Document", store(), "dpi", 300),
    Row("Store/Document", store("<Document/>"), "document", "Pdf"),
    Row("Store/Document", store("<Document/>"), "dpi", 300),
    Row("Document@as", store('<Document as="images"/>'), "document", "Images"),
    Row("Document@as", store('<Document as="Both"/>'), "document", "Both"),
    Row("Document@as", store('<Document as="PDF"/>'), "document", "Pdf"),
    Row("Document@dpi", store('<Document as="Images" dpi="150"/>'), "dpi", 150),
    Row("no Store/CharacterSet", store(), "character_set", None),
    *elements(
        "Store",
        store,
        "",
        ("CharacterSet", "ISO_IR 192", "character_set", "ISO_IR 192"),
        ("CharacterSet", "\n ISO_IR 100 ", "character_set", "ISO_IR 100"),
        ("CharacterSet", "\\ ISO 2022 IR 87 ", "character_set", "\\ISO 2022 IR 87"),
        ("CharacterSet", "ISO 2022 IR 6 \\ ISO 2022 IR 87", "character_set", "ISO 2022 IR 6\\ISO 2022 IR 87"),
    ),
]
