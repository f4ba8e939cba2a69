"""What an If or a Switch asks of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomprinter.config.kinds import BOOLEAN, PATTERN
from dicomprinter.dicom.expressions import search
from dicomprinter.dicom.pcre import compiled
from dicomprinter.dicom.tags import parse_tag, tag_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.job.job import Job

FIELDS = (
    "QUERY_FOUND",
    "QUERY_PARTIAL",
    "STORE_SUCCEEDED",
    "TAG_VALUE",
    "CLIENT_HOST_NAME",
    "PRINTED_FILE_NAME",
)
REFUSED_FIELDS = ("VALIDATION_FAILED", "EXCEPTION_OCCURRED")
YES_OR_NO = ("QUERY_FOUND", "QUERY_PARTIAL", "STORE_SUCCEEDED")


def check_tag(node: Node, report: Report) -> None:
    """Look at the tag of an If or a Switch at load."""
    field, tag = node["field"], node["tag"]
    if field == "TAG_VALUE":
        if tag is None:
            way_out = 'write field="TAG_VALUE(0010,0020)" or tag="…"'
            report.error(node.position, f"{node.said} TAG_VALUE needs a tag", way_out)
        else:
            _try(lambda: parse_tag(tag), "tag", node, report)
    elif tag is not None and field != "STORE_SUCCEEDED":
        report.error(node.position, f'{node.said} {field} takes no attribute "tag"')


def check_value(field: str, value: str, node: Node, report: Report) -> None:
    """Look at what a field is compared with at load."""
    if field == "TAG_VALUE":
        _try(lambda: PATTERN.parse(value), "value", node, report)
    elif field in YES_OR_NO:
        _try(lambda: BOOLEAN.parse(value), "value", node, report)


def _try(read: Any, attribute: str, node: Node, report: Report) -> None:
    try:
        read()
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        report.error(node.position, f"{node.labels[attribute]}: {message}", hint)


@dataclass(frozen=True)
class Condition:
    """One comparison.

    Args:
        field: one of FIELDS.
        tag: the tag of TAG_VALUE, as a number.
        store: the Store's name of STORE_SUCCEEDED; None is the last Store.
        value: what it is compared with: a regular expression for TAG_VALUE, `true` or `false` for the flags.
        case_sensitive: whether capital and small letters differ.
    """

    field: str
    tag: int | None
    store: str | None
    value: str
    case_sensitive: bool

    @property
    def is_private(self) -> bool:
        """Whether the value, beside a yes, tells something of the patient: no log may hold it."""
        return self.field in ("TAG_VALUE", "PRINTED_FILE_NAME")

    @classmethod
    def read(cls, node: Node, value: str) -> Condition:
        """Make it from an If, or from a Switch and one of its Cases."""
        field = node["field"]
        tag = int(parse_tag(node["tag"])) if field == "TAG_VALUE" else None
        store = node["tag"] if field == "STORE_SUCCEEDED" else None
        if field in YES_OR_NO and value:
            value = "true" if BOOLEAN.parse(value) else "false"
        return cls(field, tag, store, value, node["caseSensitive"])

    @property
    def label(self) -> str:
        """`TAG_VALUE(0010,0020)`, `STORE_SUCCEEDED(SendToPACS)`, `QUERY_FOUND`."""
        if self.tag is not None:
            return f"{self.field}{tag_text(self.tag)}"
        return f"{self.field}({self.store})" if self.store else self.field

    def holds(self, job: Job, assumed: Mapping[str, str]) -> bool:
        """Whether it is true of the job; what is assumed of a field is taken for its value."""
        actual = self.assumption(assumed)
        if actual is None:
            actual = self._actual(job)
        if self.field in YES_OR_NO:
            return bool(BOOLEAN.parse(actual) == BOOLEAN.parse(self.value))
        if self.field == "TAG_VALUE":
            return self._matches(actual)
        if self.case_sensitive:
            return actual == self.value
        return actual.casefold() == self.value.casefold()

    def assumption(self, assumed: Mapping[str, str]) -> str | None:
        """What is assumed of its field; None is nothing."""
        return assumed.get(self.label, assumed.get(self.field))

    def _actual(self, job: Job) -> str:
        flags = job.flags
        match self.field:
            case "QUERY_FOUND":
                return str(flags.query_found)
            case "QUERY_PARTIAL":
                return str(flags.query_partial)
            case "STORE_SUCCEEDED":
                return str(flags.stores.get(self.store or flags.last_store or "", False))
            case "CLIENT_HOST_NAME":
                return job.facts.host
            case "PRINTED_FILE_NAME":
                return job.facts.name
        return job.tag_text(self.tag or 0) or ""

    def _matches(self, text: str) -> bool:
        return search(compiled(self.value, ignore_case=not self.case_sensitive), text, self.label)
