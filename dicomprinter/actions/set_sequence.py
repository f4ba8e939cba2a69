"""SetSequence: put a sequence with its items into the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, policy
from dicomprinter.actions.dcm import DCM_ITEM, SEQUENCE_ATTRIBUTES, check_sequence, read_sequence, sequence_dialect
from dicomprinter.actions.later import LaterAction
from dicomprinter.config.kinds import BOOLEAN, TEXT
from dicomprinter.config.spec import Attribute, Child, Spec

if TYPE_CHECKING:
    from dicomprinter.actions.dcm import DcmSequence
    from dicomprinter.config.tree import Node


@dataclass(frozen=True)
class SetSequence(LaterAction):
    """Sets a sequence; without `replace` it fails when the job has one, with `unique` each instance gets its own."""

    spec = Spec(
        "SetSequence",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            *SEQUENCE_ATTRIBUTES,
            Attribute("replace", BOOLEAN, default=False, doc="whether a sequence that is there is replaced"),
            Attribute("unique", BOOLEAN, default=False, doc="whether placeholders are filled in for each instance"),
            Attribute("type", TEXT, ignored="unique says it"),
        ),
        children=(Child(DCM_ITEM, most=None),),
        dialect=sequence_dialect,
        check=check_sequence,
        doc="put a sequence into the job",
    )

    sequence: DcmSequence
    replace: bool
    unique: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            node["name"],
            node.position,
            policy(node),
            read_sequence(node),
            replace=node["replace"],
            unique=node["unique"],
        )
