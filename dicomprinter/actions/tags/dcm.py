"""DcmTag, DcmItem and DcmSequence, as SetTag and SetSequence hold them; `keys` has those of a Query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.config.kinds import SETTABLE_TAG, TEMPLATE, TEXT, VR, choice
from dicomprinter.config.spec import Attribute, Child, Spec
from dicomprinter.config.tree import Element
from dicomprinter.dicom import dictionary
from dicomprinter.dicom.tags import parse_tag, tag_name
from dicomprinter.dicom.text import clean
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.config.placeholders import Template
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node, Position
    from dicomprinter.dicom.tags import Tag


@dataclass(frozen=True)
class DcmTag:
    """A tag and the text to set it to; `vr` is the one to write, `name` what the file calls a private tag."""

    tag: Tag
    vr: str
    name: str
    text: Template


@dataclass(frozen=True)
class DcmItem:
    """An item of a sequence."""

    tags: tuple[DcmTag, ...]
    sequences: tuple[DcmSequence, ...]


@dataclass(frozen=True)
class DcmSequence:
    """A sequence and its items."""

    tag: Tag
    name: str
    items: tuple[DcmItem, ...]


VR_ATTRIBUTE = Attribute("vr", VR, doc="the value representation of a tag that the dictionary lacks")
TAG_NAME_ATTRIBUTE = Attribute("tagName", TEXT, default="", doc="a name for a private tag")
SEQUENCE_ATTRIBUTES = (
    Attribute("tag", SETTABLE_TAG, required=True, doc="the sequence's tag"),
    Attribute("vr", choice("SQ"), doc="SQ, nothing else"),
    TAG_NAME_ATTRIBUTE,
)
OLD_TAG = ("DcmElement",)


def tag_dialect(element: Element, report: Report) -> None:
    """`<DcmTag tag="…" value="…"/>` means `<DcmTag tag="…">…</DcmTag>`."""
    value = element.pop("value")
    if value is None:
        return
    if element.text.strip():
        report.error(element.position, f"{element.said} has both a value attribute and a text", "keep one of them")
    element.text = value
    element.labels[""] = element.label("value")


def container_dialect(element: Element, report: Report) -> None:
    """A DcmTag around a DcmSequence means the DcmSequence itself."""
    element.children = [plain for child in element.children for plain in _unwrapped(child, report)]


def sequence_dialect(element: Element, report: Report) -> None:
    """As `container_dialect`; tags and sequences that stand in a sequence without an item form one item."""
    container_dialect(element, report)
    loose = [child for child in element.children if _is(child, *_LOOSE)]
    if not loose:
        return
    report.warn(
        loose[0].position, f"{loose[0].said} stands in {element.said} without a <DcmItem>", "put a <DcmItem> around"
    )
    item = Element("DcmItem", loose[0].position, children=loose, said=element.said)
    place = element.children.index(loose[0])
    element.children[place] = item
    element.children = [child for child in element.children if not any(child is one for one in loose)]


_LOOSE = ("DcmTag", *OLD_TAG, "DcmSequence")


def _is(element: Element, *names: str) -> bool:
    return element.name.lower() in {name.lower() for name in names}


def _unwrapped(element: Element, report: Report) -> Iterable[Element]:
    """What a DcmTag that holds DcmSequences means; any other element is itself."""
    inner = [child for child in element.children if _is(child, "DcmSequence")]
    if not _is(element, "DcmTag", *OLD_TAG) or not inner:
        return (element,)
    tag = element.attribute("tag")
    report.warn(
        element.position,
        f"{element.said} stands around a <DcmSequence>",
        f'today it is <DcmSequence tag="{tag or inner[0].attribute("tag") or "…"}"> alone',
    )
    others = [child for child in element.children if child not in inner]
    if len(inner) > 1 or others or element.text.strip():
        report.error(
            element.position, f"{element.said} holds a <DcmSequence> and something beside it", "give each its own tag"
        )
    for sequence in inner:
        own = sequence.attribute("tag")
        if own is not None and tag is not None and not _same_tag(own, tag):
            report.error(
                sequence.position,
                f'<DcmSequence> has the tag "{own}", the {element.said} around it "{tag}"',
                f"keep the <DcmSequence> without the {element.said}",
            )
        for name, text in element.attributes.items():
            if sequence.attribute(name) is None:
                sequence.attributes[name] = text
                sequence.labels[name.lower()] = element.label(name)
    return inner


def _same_tag(one: str, other: str) -> bool:
    try:
        return int(parse_tag(one)) == int(parse_tag(other))
    except ValueError:
        return one.strip().lower() == other.strip().lower()


def resolve_vr(tag: Tag, vr: str | None) -> str:
    """The representation to write: the dictionary's where it has one, else the file's, else LO."""
    known = _dictionary(tag)
    if known is None:
        return vr or "LO"
    return vr if vr in known else known[0]


def _dictionary(tag: Tag) -> list[str] | None:
    known = dictionary.vr(tag)
    return known.split(" or ") if known else None


def check_tag(tag: Tag, vr: str | None, position: Position, report: Report, *, may_say_vr: bool = True) -> None:
    """Whether a tag may stand in a file with this vr, or with none; `may_say_vr`: its element has such an attribute."""
    known = _dictionary(tag)
    what = tag_name(tag)
    if tag.is_private:
        if tag.group in (1, 3, 5, 7, 0xFFFF) or (tag.element < 0x1000 and not tag.is_private_creator):
            report.error(position, f"{what} is not a private tag (PS3.5 7.8.1)", "use gggg,1000 to gggg,FFFF")
        elif vr is None and may_say_vr and not tag.is_private_creator:
            report.warn(position, f"the private tag {what} has no vr, so it is LO", 'say vr="LO", or the right one')
    elif known is None and vr is None:
        way_out = "correct it, or give it a vr" if may_say_vr else "correct it"
        report.error(position, f"the dictionary does not know {what}", way_out)
    elif known is not None and vr is not None and vr not in known:
        report.warn(position, f"{what} is {' or '.join(known)}, not {vr}", "the vr has no effect; take it away")


def check_no_sequence(tag: Tag, vr: str | None, source: str, position: Position, report: Report) -> None:
    """A text cannot be the value of a sequence."""
    if source and resolve_vr(tag, vr) == "SQ":
        report.error(position, f"{tag_name(tag)} is a sequence and takes no text", "use <DcmSequence> with <DcmItem>")


def check_takes_text(node: Node, report: Report) -> None:
    """Whether a tag that is set from a text, and whose element has no vr, may stand in a file."""
    check_tag(node["tag"], None, node.position, report, may_say_vr=False)
    check_no_sequence(node["tag"], None, "text", node.position, report)


def check_sequence(node: Node, report: Report) -> None:
    """Only a tag whose representation is SQ holds items."""
    tag: Tag = node["tag"]
    if resolve_vr(tag, node["vr"] or "SQ") != "SQ":
        report.error(node.position, f"{tag_name(tag)} is no sequence", "use <DcmTag> for it")
    else:
        check_tag(tag, "SQ", node.position, report)


def _check_value(node: Node, report: Report) -> None:
    check_tag(node["tag"], node["vr"], node.position, report)
    check_no_sequence(node["tag"], node["vr"], node.text, node.position, report)
    _check_literal(node["tag"], resolve_vr(node["tag"], node["vr"]), node.value, node.position, report)


def _check_literal(tag: Tag, vr: str, text: Template, position: Position, report: Report) -> None:
    """A text without placeholders is the same for every job: what cannot be written is told before there is one."""
    if not text.is_literal or vr == "SQ":
        return
    try:
        _, notes = clean(tag, vr, text.source)
    except PermanentError as error:
        report.error(position, f'"{text.source}" cannot be the value of {tag_name(tag)}: {error.cause}', error.remedy)
    else:
        for note in notes:
            report.warn(position, f'the value "{text.source}" will be changed: {note}', "write it as it is to be")


DCM_TAG = Spec(
    "DcmTag",
    attributes=(
        Attribute("tag", SETTABLE_TAG, required=True, doc="the tag to set"),
        VR_ATTRIBUTE,
        TAG_NAME_ATTRIBUTE,
    ),
    text=TEMPLATE,
    dialect=tag_dialect,
    checks=(_check_value,),
    doc="a tag and its value; no text blanks the tag",
)
DCM_TAG_CHILD = Child(DCM_TAG, most=None, old=OLD_TAG)
DCM_ITEM = Spec(
    "DcmItem",
    children=(DCM_TAG_CHILD, Child(lambda: DCM_SEQUENCE, most=None)),
    dialect=container_dialect,
    doc="an item of a sequence",
)
DCM_SEQUENCE: Spec = Spec(
    "DcmSequence",
    attributes=SEQUENCE_ATTRIBUTES,
    children=(Child(DCM_ITEM, most=None),),
    dialect=sequence_dialect,
    checks=(check_sequence,),
    doc="a sequence; without items it is empty",
)


def read_tag(node: Node) -> DcmTag:
    """A checked DcmTag of a SetTag or SetSequence."""
    return DcmTag(node["tag"], resolve_vr(node["tag"], node["vr"]), node["tagName"], node.value)


def read_item(node: Node) -> DcmItem:
    """A checked DcmItem of a SetSequence."""
    return DcmItem(
        tuple(read_tag(child) for child in node.all("DcmTag")),
        tuple(read_sequence(child) for child in node.all("DcmSequence")),
    )


def read_sequence(node: Node) -> DcmSequence:
    """A checked DcmSequence of a SetSequence."""
    return DcmSequence(node["tag"], node["tagName"], tuple(read_item(child) for child in node.all("DcmItem")))
