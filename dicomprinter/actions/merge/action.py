"""MergeJob: take the next jobs of the same sender into this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.config.kinds import BOOLEAN, MILLISECONDS, TEXT, integer
from dicomprinter.config.spec import Spec, optional

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.tree import Node
    from dicomprinter.job.job import Job

_IGNORED = "PDFs are merged without another program"


@dataclass(frozen=True)
class MergeJob(Action):
    """Merges the jobs that follow; times in milliseconds.

    Args:
        timeout: how long to wait for a further job, anew after each merge.
        time_threshold: how far apart two jobs may have arrived.
        max_jobs: how many jobs one may become of.
    """

    spec = Spec(
        "MergeJob",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            optional("Timeout", MILLISECONDS, "ms to wait for a further job; 2000"),
            optional("PollInterval", TEXT, ignored="the queue tells at once"),
            optional("TimeThreshold", MILLISECONDS, "ms that two jobs may lie apart; 2000"),
            optional("MatchHost", BOOLEAN, "whether they must come from one host; true"),
            optional("MatchUser", BOOLEAN, "whether they must come from one user; true"),
            optional("MaxJobs", integer(1), "how many jobs become one; 10"),
            optional("MergePdf", BOOLEAN, "whether PDFs become one; true"),
            optional("MergeText", BOOLEAN, "whether texts become one; true"),
            optional("PdfMergeCommand", TEXT, ignored=_IGNORED),
            optional("PdfMergeArguments", TEXT, ignored=_IGNORED),
            optional("PdfMergeTimeout", TEXT, ignored=_IGNORED),
        ),
        doc="take the next jobs of the same sender into this one",
    )

    timeout: int
    time_threshold: int
    match_host: bool
    match_user: bool
    max_jobs: int
    merge_pdf: bool
    merge_text: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            timeout=node.content("Timeout", 2000),
            time_threshold=node.content("TimeThreshold", 2000),
            match_host=node.content("MatchHost", True),
            match_user=node.content("MatchUser", True),
            max_jobs=node.content("MaxJobs", 10),
            merge_pdf=node.content("MergePdf", True),
            merge_text=node.content("MergeText", True),
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Take in the jobs that follow, up to the first that does not fit.

        Raises:
            OSError: the spool's disk fails; what is taken in stays so.
            Interrupted: the service ends; at the next start it goes on.
        """
        from dicomprinter.actions.merge.performing import merge

        merge(self, job, tools)
