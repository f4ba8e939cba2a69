"""The action Query: what it is to ask and to choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from dicomprinter.actions.base import Connected, common
from dicomprinter.actions.connection import read_peer
from dicomprinter.actions.query.declaration import (
    CHANGES,
    Model,
    Select,
    Wishes,
    about_connection,
    about_keys,
    about_level,
    about_order,
    merged_keys,
    query_spec,
    remarks,
)
from dicomprinter.actions.query.keys import read_keys
from dicomprinter.dicom.syntaxes import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.query.declaration import Remark
    from dicomprinter.actions.query.keys import KeyItem
    from dicomprinter.config.spec import Report, Spec
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Flags

# PS3.4 table C.6.1.3-1, C.6.2.3-1 and K.5-1.
SOP_CLASSES: Final = {
    Model.WORKLIST: "1.2.840.10008.5.1.4.31",
    Model.PATIENT: "1.2.840.10008.5.1.4.1.2.1.1",
    Model.STUDY: "1.2.840.10008.5.1.4.1.2.2.1",
}
_SYNTAXES: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def _check_force_assignment(node: Node, report: Report) -> None:
    if node["force-assignment"] and node["select"] == Select.LAST.value:
        report.warn(node.position, 'force-assignment has no effect beside select="last"', "take it away")


def _check_station(node: Node, report: Report) -> None:
    if node["forcePeerAe"] and node["type"] != Model.WORKLIST.value:
        report.warn(node.position, 'forcePeerAe has an effect with type="Worklist" alone', "take it away")


def _sound_keys(node: Node) -> KeyItem:
    """Without those that are wrong: no other key is missed for them."""
    return read_keys(replace(node, children=tuple(child for child in node.children if child.is_sound)))


_ABOUT: Final[tuple[Callable[[Node], Iterator[Remark]], ...]] = (
    lambda node: about_connection(Model(node["type"]), has_peer=node.child("ConnectionParameters") is not None),
    lambda node: about_level(Model(node["type"]), node["level"] or "", _sound_keys(node)),
    lambda node: about_keys(Model(node["type"]), _sound_keys(node)),
    lambda node: about_order(node["order-by"], _select(node)),
)


def _check_about(about: Callable[[Node], Iterator[Remark]], node: Node, report: Report) -> None:
    for remark in about(node):
        tell = report.error if remark.is_error else report.warn
        tell(node.position, remark.message, remark.suggestion)


class AsksNobody:
    """What a network derives from that answers without a peer."""


@dataclass(frozen=True)
class Query(Connected):
    """Asks for the patient, the order or the study, and copies a single answer into the job.

    Args:
        peer: whom to ask; None for a manual query.
        wishes: what to ask, and which answer to take.
        force_station: whether a worklist is asked for the job's station AE title.
        show: whether operators' lists offer it.
        character_set: the SpecificCharacterSet of answers that have none.
    """

    spec = query_spec(_check_force_assignment, _check_station, *(partial(_check_about, about) for about in _ABOUT))

    peer: Peer | None
    wishes: Wishes
    force_station: bool
    show: bool
    character_set: str

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        connection = node.child("ConnectionParameters")
        return cls(
            *common(node),
            peer=None if connection is None else read_peer(connection),
            wishes=Wishes(
                model=Model(node["type"]),
                level=node["level"] or "",
                keys=read_keys(node),
                select=_select(node),
                order=node["order-by"],
                has_peer=connection is not None,
            ),
            force_station=node["forcePeerAe"],
            show=node["show"],
            character_set=node["characterSet"],
        )

    def flags_after_failure(self, flags: Flags) -> Flags:
        """A Query that failed has found nothing."""
        return replace(flags, query_found=False, query_partial=False)

    @classmethod
    def overriding(cls) -> tuple[Spec, ...]:
        """A `<Query>` inside a Perform."""
        return (CHANGES,)

    def overridden(self, changes: Node) -> Self:
        """This action with what a Perform names instead: a key replaces the key of its tag, others are added.

        Args:
            changes: the Perform, or its `<Query>`.

        Raises:
            PermanentError: the result contradicts itself.
        """
        node = changes if changes.name == "Query" else changes.child("Query")
        if node is None:
            return self
        connection = node.child("ConnectionParameters")
        named = node.texts
        wishes = replace(
            self.wishes,
            model=Model(node["type"]) if "type" in named else self.wishes.model,
            level=node["level"] if "level" in named else self.wishes.level,
            keys=merged_keys(self.wishes.keys, read_keys(node)),
            select=_select(node) if {"select", "force-assignment"} & set(named) else self.wishes.select,
            order=node["order-by"] if "order-by" in named else self.wishes.order,
            has_peer=self.wishes.has_peer or connection is not None,
        )
        for remark in remarks(wishes):
            if remark.is_error:
                raise PermanentError(
                    f'"{self.name}" as changed by its Perform: {remark.message}', remedy=remark.suggestion
                )
        return replace(
            self,
            peer=self.peer if connection is None else read_peer(connection),
            wishes=wishes,
            force_station=node["forcePeerAe"] if "forcePeerAe" in named else self.force_station,
            show=node["show"] if "show" in named else self.show,
            character_set=node["characterSet"] if "characterSet" in named else self.character_set,
        )

    def contexts(self) -> list[tuple[str, Sequence[str]]]:
        """Its information model; nothing for a Manual one."""
        sop_class = SOP_CLASSES.get(self.wishes.model)
        return [(sop_class, _SYNTAXES)] if sop_class else []

    @property
    def is_offered(self) -> bool:
        """Whether operators may use it to find out whose a job is."""
        return self.show and self.peer is not None and self.wishes.model is not Model.MANUAL

    def perform(self, job: Job, tools: Tools) -> None:
        """Ask, and copy the answer when it is the only one or select says which.

        Raises:
            TransientError, PermanentError: the query failed; what had come is dropped.
            OperatorNeeded: it is a Manual one, and no operator has matched the job yet.
        """
        from dicomprinter.actions.query.performing import Performing

        Performing(self, job, tools).run()


def _select(node: Node) -> Select | None:
    if node["select"] is not None:
        return Select(node["select"])
    return Select.FIRST if node["force-assignment"] else None
