"""SetSequence: put a sequence with its items into the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.tags.dcm import DCM_ITEM, SEQUENCE_ATTRIBUTES, check_sequence, read_sequence, sequence_dialect
from dicomprinter.config.kinds import BOOLEAN, TEXT
from dicomprinter.config.spec import Attribute, Child, Spec

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.tags.dcm import DcmSequence
    from dicomprinter.config.tree import Node
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class SetSequence(Action):
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
        checks=(check_sequence,),
        doc="put a sequence into the job",
    )

    sequence: DcmSequence
    replace: bool
    unique: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            read_sequence(node),
            replace=node["replace"],
            unique=node["unique"],
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Put the sequence into the job's dataset, or into each page and file of the job.

        Raises:
            PermanentError: the job has the sequence already, or a value does not fit its tag; names the tag.
        """
        from dicomprinter.actions.tags.sequences import set_sequence

        set_sequence(self, job, tools)
