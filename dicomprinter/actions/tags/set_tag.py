"""SetTag: sets tags in the job's dataset."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.tags.dcm import DCM_TAG_CHILD, DcmTag, container_dialect, read_tag
from dicomprinter.config.canonical import meant
from dicomprinter.config.kinds import TEXT
from dicomprinter.config.spec import Attribute, Spec
from dicomprinter.config.tree import Element
from dicomprinter.dicom.tags import tag_name

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.job.job import Job


_ITS_TAG = ("tag", "vr", "tagName", "value")
_ATTRIBUTES = (
    NAME_ATTRIBUTE,
    ON_ERROR_ATTRIBUTE,
    Attribute("type", TEXT, ignored="tags are set in the whole job"),
    Attribute("replace", TEXT, ignored="a tag is always replaced"),
    Attribute("unique", TEXT, ignored="tags are set in the whole job"),
)


def _dialect(element: Element, report: Report) -> None:
    """The field dialect's one tag on the action itself is a DcmTag child."""
    container_dialect(element, report)
    names = (*_ITS_TAG, *(attribute.name for attribute in _ATTRIBUTES))
    moved = [name for name in element.attributes if meant(name, names) in _ITS_TAG]
    has_text = bool(element.text.strip()) and not element.children
    if not moved and not has_text:
        return
    attributes = {name: element.attributes.pop(name) for name in moved}
    element.children.insert(0, Element("DcmTag", element.position, attributes, element.text, said=element.said))
    element.text = ""


def _check(node: Node, report: Report) -> None:
    if node.count("DcmTag") == 0:
        report.error(node.position, "<SetTag> sets no tag", 'give it a <DcmTag tag="…">, or the attribute "tag"')


@dataclass(frozen=True)
class SetTag(Action):
    """The tags that it sets, in the order of the file."""

    spec = Spec(
        "SetTag",
        attributes=_ATTRIBUTES,
        children=(DCM_TAG_CHILD,),
        dialect=_dialect,
        checks=(_check,),
        doc="set tags in the job's dataset; empty text blanks the tag",
    )

    tags: tuple[DcmTag, ...]

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        tags = tuple(read_tag(child) for child in node.all("DcmTag"))
        return cls(*common(node), tags)

    def perform(self, job: Job, tools: Tools) -> None:
        """Set the tags, all of them or none.

        Raises:
            PermanentError: a value does not fit its tag; names the tag.
        """
        from dicomprinter.actions.tags.setting import set_cleaned, settle

        dataset = deepcopy(job.dataset)
        for tag in self.tags:
            text = job.expand(tag.text, f"{self.name}/{tag_name(tag.tag)}")
            for note in set_cleaned(dataset, tag.tag, tag.vr, text):
                job.note(f"{self.name}: {note}", level="WARN")
        settle(job, dataset, [tag.tag for tag in self.tags])
