"""Rows for Print, and with it for ConnectionParameters."""

from __future__ import annotations

from pathlib import Path

from dicomprinter.actions.print.film import Layout
from dicomprinter.config.placeholders import Template
from tests.actions.row import Row, elements

PEER = "<ConnectionParameters><PeerAETitle>P</PeerAETitle><Host>h</Host><Port>104</Port>{}</ConnectionParameters>"
OLD = '<Print name="A" calledAE="P" callingAE="ME" host="h" port="1"/>'
OLD_WARNINGS = ("<PeerAETitle>P<", "<MyAETitle>ME<", "<Host>h<", "<Port>1<")


def text(source: str) -> Template:
    return Template.parse(source)


def connected(inner: str) -> str:
    return f'<Print name="A">{PEER.format(inner)}</Print>'


def printing(inner: str) -> str:
    return f'<Print name="A">{PEER.format("")}{inner}</Print>'


def session(inner: str) -> str:
    return printing(f"<BasicFilmSessionAttributes>{inner}</BasicFilmSessionAttributes>")


def film(inner: str) -> str:
    return printing(f"<BasicFilmBoxAttributes>{inner}</BasicFilmBoxAttributes>")


def image(inner: str) -> str:
    return printing(f"<BasicImageBoxAttributes>{inner}</BasicImageBoxAttributes>")


def image_in_colour(inner: str) -> str:
    return printing(f"<BasicImageBoxAttributes>{inner}</BasicImageBoxAttributes><PrintMode>Color</PrintMode>")


CONNECTION = [
    Row("Print/ConnectionParameters", connected(""), "peer.dimse_timeout", 60.0),
    Row("Print/ConnectionParameters", connected(""), "peer.association_timeout", 30.0),
    Row("Print/ConnectionParameters", connected(""), "peer.max_pdu", 16384),
    Row("Print/ConnectionParameters", connected(""), "peer.calling_ae_title", "DICOM_PRINTER"),
    Row("Print/ConnectionParameters", connected(""), "peer.tls", None),
    Row("ConnectionParameters/PeerAETitle", connected(""), "peer.ae_title", "P"),
    Row("ConnectionParameters/PeerAETitle", connected("").replace("PeerAET", "PeerAet"), "peer.ae_title", "P"),
    Row("ConnectionParameters/PeerAETitle", OLD, "peer.ae_title", "P", OLD_WARNINGS),
    Row("ConnectionParameters/MyAETitle", OLD, "peer.calling_ae_title", "ME", OLD_WARNINGS),
    Row("ConnectionParameters/Host", connected(""), "peer.host", "h"),
    Row("ConnectionParameters/Host", connected("").replace(">h<", ">fe80::1<"), "peer.host", "fe80::1"),
    Row("ConnectionParameters/Host", OLD, "peer.host", "h", OLD_WARNINGS),
    Row("ConnectionParameters/Port", connected(""), "peer.port", 104),
    Row("ConnectionParameters/Port", OLD, "peer.port", 1, OLD_WARNINGS),
    Row("ConnectionParameters/Tls", connected("<Tls/>"), "peer.tls.verify", True),
    Row("Tls@ca", connected('<Tls ca="/c.pem"/>'), "peer.tls.ca", Path("/c.pem"), ("there is no file",)),
    Row("Tls@cert", connected('<Tls cert="/c.pem"/>'), "peer.tls.cert", Path("/c.pem"), ("there is no file",)),
    Row(
        "Tls@key",
        connected('<Tls cert="/c.pem" key="/k.pem"/>'),
        "peer.tls.key",
        Path("/k.pem"),
        ("there is no file",) * 2,
    ),
    Row("Tls@verify", connected('<Tls verify="no"/>'), "peer.tls.verify", False, ("does not check who",)),
    *elements(
        "ConnectionParameters",
        connected,
        "peer.",
        ("MyAETitle", " ME ", "calling_ae_title", "ME"),
        ("MyAETitle<MyAeTitle", "ME", "calling_ae_title", "ME"),
        ("MaxPdu", "0", "max_pdu", 0),
        ("AssociationTimeout", "-1", "association_timeout", None),
        ("AssociationTimeout", "5", "association_timeout", 5.0),
        ("DimseTimeout", "-1", "dimse_timeout", None),
        ("DimseTimeout", "2.5", "dimse_timeout", 2.5),
        ("BlockingMode", "BLOCKING", "port", 104, "<BlockingMode> has no effect"),
    ),
]

FILM = [
    Row("Print/BasicFilmSessionAttributes", session(""), "session.number_of_copies", 1),
    Row(
        "Print/BasicFilmSessionAttributes",
        session(""),
        "session.film_session_label",
        text("DICOM PRINTER PRINT SESSION"),
    ),
    Row("Print/BasicFilmBoxAttributes", film(""), "film_box.image_display_format", Layout("STANDARD\\1,1", 1)),
    Row("Print/BasicImageBoxAttributes", image(""), "image_box.polarity", "NORMAL"),
    *elements(
        "BasicFilmSessionAttributes",
        session,
        "session.",
        ("NumberOfCopies", "3", "number_of_copies", 3),
        ("PrintPriority", "High", "print_priority", "HIGH"),
        ("PrintPriority", "", "print_priority", None),
        ("MediumType", "blue film", "medium_type", "BLUE FILM"),
        ("FilmDestination", "BIN_1", "film_destination", "BIN_1"),
        ("FilmSessionLabel", "#{Job.Name}", "film_session_label", text("#{Job.Name}")),
        ("MemoryAllocation", "512", "memory_allocation", 512),
        ("OwnerId<OwnerID", "me", "owner_id", text("me")),
    ),
    *elements(
        "BasicFilmBoxAttributes",
        film,
        "film_box.",
        ("ImageDisplayFormat", "standard\\2, 3", "image_display_format", Layout("STANDARD\\2,3", 6)),
        ("ImageDisplayFormat", "ROW\\2,3,1", "image_display_format", Layout("ROW\\2,3,1", 6)),
        ("ImageDisplayFormat", "COL\\4", "image_display_format", Layout("COL\\4", 4)),
        ("ImageDisplayFormat", "SLIDE", "image_display_format", Layout("SLIDE", None)),
        ("ImageDisplayFormat", "SUPERSLIDE", "image_display_format", Layout("SUPERSLIDE", None)),
        ("ImageDisplayFormat", "CUSTOM\\2", "image_display_format", Layout("CUSTOM\\2", None)),
        ("FilmOrientation", "landscape", "film_orientation", "LANDSCAPE"),
        ("FilmOrientation", "", "film_orientation", "AUTO"),
        ("FilmSizeId", "14INX17IN", "film_size_id", "14INX17IN"),
        ("FilmSizeId<FilmSizeID", "A4", "film_size_id", "A4", "today it is <FilmSizeId>"),
        ("MagnificationType", "cubic", "magnification_type", "CUBIC"),
        ("MagnificationFactor", "2", "magnification_type", None, "<MagnificationFactor> has no effect"),
        ("SmoothingType", "", "smoothing_type", None),
        ("SmoothingType", "7", "smoothing_type", "7"),
        ("Trim", "yes", "trim", "YES"),
        ("BorderDensity", "150", "border_density", "150"),
        ("EmptyImageDensity", "White", "empty_image_density", "WHITE"),
        ("MinDensity", "20", "min_density", 20),
        ("MaxDensity", "320", "max_density", 320),
        ("ConfigurationInformation", "LUT=1", "configuration_information", text("LUT=1")),
        ("RequestedResolutionId", "HIGH", "requested_resolution_id", "HIGH"),
        ("Illumination", "2000", "illumination", 2000),
        ("ReflectedAmbientLight", "10", "reflected_ambient_light", 10),
        ("AnnotationDisplayFormatId", "A1", "annotation_display_format_id", "A1"),
    ),
    *elements(
        "BasicImageBoxAttributes",
        image,
        "image_box.",
        ("Polarity", "Reverse", "polarity", "REVERSE"),
        ("MagnificationType", "NONE", "magnification_type", "NONE"),
        ("MagnificationFactor", "2", "magnification_type", None, "<MagnificationFactor> has no effect"),
        ("SmoothingType", "S", "smoothing_type", "S"),
        ("BorderDensity", "black", "border_density", "BLACK"),
        ("RequestedImageSize", "210.5", "requested_image_size", 210.5),
        ("RequestedDecimateCropBehavior", "crop", "requested_decimate_crop_behavior", "CROP"),
        ("MinDensity", "1", "min_density", 1),
        ("MaxDensity", "2", "max_density", 2),
        ("ConfigurationInformation", "c", "configuration_information", text("c")),
    ),
    *elements(
        "BasicImageBoxAttributes",
        image_in_colour,
        "image_box.",
        ("MinDensity", "1", "min_density", 1, "<MinDensity> has no effect"),
        ("MaxDensity", "2", "max_density", 2, "<MaxDensity> has no effect"),
        ("ConfigurationInformation", "c", "polarity", "NORMAL", "<ConfigurationInformation> has no effect"),
    ),
]

ROWS = [
    *CONNECTION,
    *FILM,
    *elements(
        "Print",
        printing,
        "",
        ("PrintMode", "color", "mode", "Color"),
        ("PrintMode", "Grayscale12", "mode", "Grayscale12"),
        ("Resolution", "300x600", "resolution", (300, 600)),
        ("Resolution", "0x0", "resolution", None),
        ("Debug", "1", "mode", "Grayscale8", "<Debug> has no effect"),
    ),
]
