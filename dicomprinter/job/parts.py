"""What a job is made of; each part is a plain value that goes into `job.json` as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from dicomprinter.job.values import inside, made, moment, texts

# The ending of a PDF that a job's text has been set as; before it stands the text's name without its own.
TEXT_AS_PDF: Final = ".set.pdf"


class State(StrEnum):
    """Where an unfinished job stands. A job that is done or discarded has left the spool."""

    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    HELD = "held"
    MANUAL = "manual"
    EXPIRED = "expired"

    @property
    def is_waiting(self) -> bool:
        """Whether the job waits for a time or a person."""
        return self in (State.SUSPENDED, State.HELD, State.MANUAL)


@dataclass(frozen=True)
class Position:
    """A place in the workflow.

    Args:
        path: the way to the node, e.g. `2/then/0`.
        node: what stands there, e.g. `Perform SendToPACS`, so that it is found again after a change of the file.
    """

    path: str
    node: str

    def __str__(self) -> str:
        return f"{self.node} (at {self.path})" if self.path else self.node

    @property
    def depth(self) -> int:
        """How deep a log indents it: 2 for the workflow's own nodes, one more for each If or Switch around it."""
        return 2 + self.path.count("/") // 2


START = Position("", "the first node")
MIDDLE_PRIORITY = 50


@dataclass(frozen=True)
class Facts:
    """What is known of where a job came from.

    Args:
        name: a print's title, or a dropped file's relative path with its ending.
        created: the moment that counts as the job's now and today, local time with its offset.
        accepted: when the spool took it; its age counts from here.
        size: how much work it is: its pages, the pages of its PDFs and the frames of its DICOM files.
        priority: 1 to 100; of the jobs that could run, the highest runs first (job-priority, RFC 8011 5.2.1).
    """

    name: str
    user: str
    host: str
    source: str
    created: datetime
    accepted: datetime
    copies: int = 1
    options: dict[str, str] = field(default_factory=dict)
    size: int = 1
    priority: int = MIDDLE_PRIORITY

    def to_json(self) -> dict[str, Any]:
        """As it goes into `job.json`."""
        return {**self.__dict__, "created": self.created.isoformat(), "accepted": self.accepted.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Facts:
        """From `job.json`."""
        texts(data["options"].values())
        return made(cls, {**data, **{key: moment(data[key]) for key in ("created", "accepted")}})


@dataclass(frozen=True)
class PageRef:
    """One page: a file in the job's payload and which picture of it, from 0."""

    file: str
    index: int = 0

    @property
    def name(self) -> str:
        """`payload/1-scan.tif#2`."""
        return f"{self.file}#{self.index}"


@dataclass(frozen=True)
class Own:
    """Attributes of a single page, document or DICOM file, beside those of the job's dataset.

    Args:
        name: whose: a page's name, or the file of a document or DICOM file.
        dataset: the attributes, as DICOM JSON text (PS3.18 Annex F).
    """

    name: str
    dataset: str


@dataclass(frozen=True)
class Edit:
    """What a page action has said of a document's pages; it is done when they are rendered, the first one first.

    Args:
        document: the file.
        kind: the edit's name, such as `rotate`.
        arguments: what it needs, as JSON text.
        first: the number that the document's first page had in the job then, from 1.
        after: behind which of its pages, from 0, another page stood then, once for each.
    """

    document: str
    kind: str
    arguments: str
    first: int = 1
    after: tuple[int, ...] = ()

    def number(self, index: int) -> int:
        """The number that a page of the document, from 0, had in the job then."""
        return self.first + index + sum(place < index for place in self.after)


@dataclass(frozen=True)
class Place:
    """Where a page image stands that was put behind a page of a document; the others stand before all documents.

    Args:
        page: its name.
        document: the file.
        after: the document's page, from 0.
    """

    page: str
    document: str
    after: int


@dataclass(frozen=True)
class Payload:
    """The job's files, each named relative to its folder; files are never changed, only replaced by others.

    `own` are the attributes that a single one of them has, `edits` what is to be done to the pages of documents,
    `places` where pages stand among those.
    """

    pages: tuple[PageRef, ...] = ()
    documents: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    own: tuple[Own, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()

    def __add__(self, other: Payload) -> Payload:
        return Payload(
            self.pages + other.pages,
            self.documents + other.documents,
            self.texts + other.texts,
            self.objects + other.objects,
            self.own + other.own,
            self.edits + other.edits,
            self.places + other.places,
        )

    def with_pages(self, changed: Mapping[PageRef, PageRef]) -> Payload:
        """This payload with other pages in the place of some; what is a page's own goes with it."""
        names = {old.name: new.name for old, new in changed.items()}
        return replace(
            self,
            pages=tuple(changed.get(page, page) for page in self.pages),
            own=tuple(replace(one, name=names.get(one.name, one.name)) for one in self.own),
            places=tuple(replace(one, page=names.get(one.page, one.page)) for one in self.places),
        )

    def with_document(self, old: str, new: str) -> Payload:
        """This payload with another file in the place of a document; what is said of that one goes with it."""
        return replace(
            self,
            documents=tuple(new if name == old else name for name in self.documents),
            own=tuple(replace(one, name=_renamed(one.name, old, new)) for one in self.own),
            edits=tuple(replace(one, document=new) if one.document == old else one for one in self.edits),
            places=tuple(replace(one, document=new) if one.document == old else one for one in self.places),
        )

    def to_json(self) -> dict[str, Any]:
        """As it goes into `job.json`."""
        pages = [{"file": page.file, "index": page.index} for page in self.pages]
        return {
            "pages": pages,
            "documents": list(self.documents),
            "texts": list(self.texts),
            "objects": list(self.objects),
            "own": [one.__dict__ for one in self.own],
            "edits": [{**one.__dict__, "after": list(one.after)} for one in self.edits],
            "places": [one.__dict__ for one in self.places],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Payload:
        """From `job.json`."""
        return cls(
            tuple(made(PageRef, {**page, "file": inside(page["file"])}) for page in data["pages"]),
            tuple(map(inside, data["documents"])),
            tuple(map(inside, data["texts"])),
            tuple(map(inside, data["objects"])),
            # A job.json of a version that changed no pages has none of these.
            tuple(made(Own, one) for one in data.get("own", ())),
            tuple(map(_edit, data.get("edits", ()))),
            tuple(made(Place, {**one, "document": inside(one["document"])}) for one in data.get("places", ())),
        )


def _edit(data: dict[str, Any]) -> Edit:
    after = tuple(data.get("after", ()))
    if not all(isinstance(place, int) for place in after):
        raise TypeError("after")
    return made(Edit, {**data, "document": inside(data["document"]), "after": after})


def _renamed(name: str, old: str, new: str) -> str:
    """A document's name, or that of one of its pages, after another file has taken its place."""
    return new + name.removeprefix(old) if name == old or name.startswith(f"{old}#") else name


@dataclass(frozen=True)
class Flags:
    """What conditions ask for: the last Query's result and each Store's, by the action's name.

    `updates` are the paths of the Update nodes that the job has passed, `set_tags` the tags that the configuration
    itself has set, as eight hexadecimal digits. `existing_study` is the Study Instance UID that an archive answered
    with: others' series are in that study.
    """

    query_found: bool = False
    query_partial: bool = False
    stores: dict[str, bool] = field(default_factory=dict)
    last_store: str | None = None
    updates: tuple[str, ...] = ()
    set_tags: tuple[str, ...] = ()
    existing_study: str = ""

    def with_update(self, path: str) -> Flags:
        """These flags after an Update."""
        return replace(self, updates=(*self.updates, path))

    def with_store(self, action: str, succeeded: bool) -> Flags:
        """These flags after a Store."""
        return replace(self, stores={**self.stores, action: succeeded}, last_store=action)

    def to_json(self) -> dict[str, Any]:
        """As it goes into `job.json`."""
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Flags:
        """From `job.json`."""
        return made(cls, {**data, "updates": texts(data["updates"]), "set_tags": texts(data["set_tags"])})


@dataclass(frozen=True)
class Entry:
    """The state in which a Perform was first entered: what a Suspend that goes back to it puts back."""

    position: Position
    dataset: int
    flags: Flags
    payload: Payload


@dataclass(frozen=True)
class Instance:
    """An object that a Store makes of the job, with the UIDs that it has once and for all.

    Args:
        key: names the content: the page or document, how its pixels are made, and the attributes.
    """

    key: str
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    series_number: int
    instance_number: int


@dataclass(frozen=True)
class Sent:
    """An archive's answer for an instance.

    Args:
        peer: `AET@host:port`.
        status: None before the first byte goes out; the archive may have the object although its answer never came.
        key: the instance's.
    """

    action: str
    peer: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    status: int | None
    stored: bool
    key: str = ""


@dataclass(frozen=True)
class Asked:
    """What a Query of type Manual wants of an operator.

    Args:
        query: its name.
        default: the Query that its Perform names for operators; empty when it names none.
        queries: the Queries that an operator may use, by name.
    """

    query: str
    default: str = ""
    queries: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it goes into `job.json`."""
        return {"query": self.query, "default": self.default, "queries": list(self.queries)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Asked:
        """From `job.json`."""
        return made(cls, {**data, "queries": texts(data["queries"])})
