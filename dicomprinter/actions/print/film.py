"""The attributes of film session, film box and image box (PS3.3 C.13.1, C.13.3, C.13.5), as a Print sets them.

A value that the file does not give, or leaves empty, is None and is not sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from dicomprinter.config.kinds import Kind, choice, decimal, integer
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Child, Spec, optional

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Element, Node

LABEL = Template.parse("DICOM PRINTER PRINT SESSION")


@dataclass(frozen=True)
class Layout:
    """An ImageDisplayFormat (2010,0010).

    Args:
        text: as it is sent.
        boxes: how many image boxes the film has; None when only the printer knows (CUSTOM).
    """

    text: str
    boxes: int | None


ONE_IMAGE = Layout("STANDARD\\1,1", 1)


@dataclass(frozen=True)
class FilmSession:
    """Basic Film Session."""

    number_of_copies: int = 1
    print_priority: str | None = None
    medium_type: str | None = None
    film_destination: str | None = None
    film_session_label: Template = LABEL
    memory_allocation: int | None = None
    owner_id: Template | None = None


@dataclass(frozen=True)
class FilmBox:
    """Basic Film Box; densities in hundredths of optical density, lights in cd/m²."""

    image_display_format: Layout = ONE_IMAGE
    film_orientation: str = "AUTO"
    film_size_id: str | None = None
    magnification_type: str | None = None
    smoothing_type: str | None = None
    trim: str | None = None
    border_density: str | None = None
    empty_image_density: str | None = None
    min_density: int | None = None
    max_density: int | None = None
    configuration_information: Template | None = None
    requested_resolution_id: str | None = None
    illumination: int | None = None
    reflected_ambient_light: int | None = None
    annotation_display_format_id: str | None = None


@dataclass(frozen=True)
class ImageBox:
    """Basic Image Box; the requested size is a width in mm."""

    polarity: str = "NORMAL"
    magnification_type: str | None = None
    smoothing_type: str | None = None
    border_density: str | None = None
    requested_image_size: float | None = None
    requested_decimate_crop_behavior: str | None = None
    min_density: int | None = None
    max_density: int | None = None
    configuration_information: Template | None = None


def _code(text: str) -> str:
    """A CS value (PS3.5 6.2); printers have terms of their own, so any is taken."""
    code = text.upper()
    if not re.fullmatch(r"[A-Z0-9_ ]{1,16}", code):
        raise ValueError(f'"{text}" is not a code (1 to 16 letters, digits, blanks or underscores)')
    return code


_LISTED = re.compile(r"(ROW|COL)\\([1-9]\d{0,2}(?:,[1-9]\d{0,2})*)")
_GRID = re.compile(r"STANDARD\\([1-9]\d{0,2}),([1-9]\d{0,2})")
_OTHER = re.compile(r"SLIDE|SUPERSLIDE|CUSTOM\\[1-9]\d{0,2}")


def _layout(text: str) -> Layout:
    r"""PS3.3 C.13.3: STANDARD\columns,rows; ROW\ and COL\ list how many images each row or column has."""
    format_ = re.sub(r"\s", "", text).upper()
    if match := _GRID.fullmatch(format_):
        return Layout(format_, int(match[1]) * int(match[2]))
    if match := _LISTED.fullmatch(format_):
        return Layout(format_, sum(int(count) for count in match[2].split(",")))
    if _OTHER.fullmatch(format_):
        # How many slides fit on a film is the printer's to say.
        return Layout(format_, None)
    raise ValueError(f'"{text}" is not a display format; write it like STANDARD\\1,1 (columns, rows)')


def _text(length: int) -> Kind:
    def parse(text: str) -> Template:
        template = Template.parse(text)
        if template.is_literal and len(text) > length:
            raise ValueError(f'"{text}" is longer than {length} characters')
        return template

    return Kind(f"text with placeholders, at most {length} characters", parse)


def _or_unset(kind: Kind) -> Kind:
    def parse(text: str) -> Any:
        return kind.parse(text) if text else None

    def write(value: Any) -> str:
        return "" if value is None else kind.write(value) if kind.write else str(value)

    return Kind(kind.name + ", or nothing", parse, kind.choices, write=write if kind.write else None)


_CODE = Kind("a code", _code, write=str)
_SHORT = integer(0, 65535)
_LAYOUT = Kind(r"STANDARD\columns,rows, ROW\…, COL\…, SLIDE, SUPERSLIDE or CUSTOM\i", _layout, write=lambda v: v.text)
_IGNORED = "printers scale by MagnificationType"


def _film(name: str, kind: Kind, doc: str, old: tuple[str, ...] = ()) -> Child:
    return optional(name, _or_unset(kind), doc, old=old)


def _spelling_dialect(element: Element, report: Report) -> None:
    """FilmSizeID differs from today's spelling by its case alone, which any other element may."""
    for child in element.children:
        if child.name == "FilmSizeID":
            report.warn(child.position, "<FilmSizeID> is an older spelling", "today it is <FilmSizeId>")


SESSION = Spec(
    "BasicFilmSessionAttributes",
    children=(
        _film("NumberOfCopies", integer(1, 999), "how often each film is printed; 1"),
        _film("PrintPriority", choice("HIGH", "MED", "LOW"), "where the job stands in the printer's queue"),
        _film("MediumType", _CODE, "PAPER, CLEAR FILM, BLUE FILM or a term of the printer"),
        _film("FilmDestination", _CODE, "MAGAZINE, PROCESSOR, BIN_1 or a term of the printer"),
        _film("FilmSessionLabel", _text(64), f"a name for the session; {LABEL.source}"),
        _film("MemoryAllocation", integer(0, 2**31 - 1), "KB that the printer sets aside"),
        _film("OwnerId", _text(16), "who owns the session"),
    ),
    doc="what holds for all films of a job",
)
FILM_BOX = Spec(
    "BasicFilmBoxAttributes",
    children=(
        _film("ImageDisplayFormat", _LAYOUT, r"the layout of a film; STANDARD\1,1"),
        _film("FilmOrientation", choice("PORTRAIT", "LANDSCAPE", "AUTO"), "AUTO: by the shape of the page"),
        _film("FilmSizeId", _CODE, "8INX10IN, 14INX17IN, A4 or a term of the printer"),
        _film("MagnificationType", _CODE, "REPLICATE, BILINEAR, CUBIC, NONE or a term of the printer"),
        _film("SmoothingType", _CODE, "a term of the printer, for CUBIC"),
        _film("Trim", choice("YES", "NO"), "whether each image gets a frame"),
        _film("BorderDensity", _CODE, "BLACK, WHITE or hundredths of optical density"),
        _film("EmptyImageDensity", _CODE, "BLACK, WHITE or hundredths of optical density"),
        _film("MinDensity", _SHORT, "hundredths of optical density"),
        _film("MaxDensity", _SHORT, "hundredths of optical density"),
        _film("ConfigurationInformation", _text(1024), "what the printer understands"),
        _film("RequestedResolutionId", _CODE, "STANDARD, HIGH or a term of the printer"),
        _film("Illumination", _SHORT, "cd/m² of the light box; sent with a Presentation LUT only"),
        _film("ReflectedAmbientLight", _SHORT, "cd/m² of the room's light; sent with a Presentation LUT only"),
        _film("AnnotationDisplayFormatId", _CODE, "sent with Annotation Boxes only"),
        optional("MagnificationFactor", Kind("text", str), ignored=_IGNORED),
    ),
    dialect=_spelling_dialect,
    doc="what holds for a film",
)
IMAGE_BOX = Spec(
    "BasicImageBoxAttributes",
    children=(
        _film("Polarity", choice("NORMAL", "REVERSE"), "REVERSE: black and white change places; NORMAL"),
        _film("MagnificationType", _CODE, "REPLICATE, BILINEAR, CUBIC, NONE or a term of the printer"),
        _film("SmoothingType", _CODE, "a term of the printer, for CUBIC"),
        _film("BorderDensity", _CODE, "BLACK, WHITE or hundredths of optical density"),
        _film("RequestedImageSize", decimal(0), "the printed width in mm"),
        _film("RequestedDecimateCropBehavior", choice("DECIMATE", "CROP", "FAIL"), "for images that do not fit"),
        _film("MinDensity", _SHORT, "hundredths of optical density; not with Color"),
        _film("MaxDensity", _SHORT, "hundredths of optical density; not with Color"),
        _film("ConfigurationInformation", _text(1024), "what the printer understands; not with Color"),
        optional("MagnificationFactor", Kind("text", str), ignored=_IGNORED),
    ),
    doc="what holds for an image",
)

Part = TypeVar("Part", FilmSession, FilmBox, ImageBox)


def merged(part: Part, node: Node | None) -> Part:
    """A part with what a checked Basic…Attributes element sets; None changes nothing."""
    given = {_field(child.name): child.value for child in node.children if child.value is not None} if node else {}
    given.pop("magnification_factor", None)
    return replace(part, **given)


def _field(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
