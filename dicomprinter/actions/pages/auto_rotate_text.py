"""AutoRotateText: turn each page so that most of its text is upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.config.kinds import BOOLEAN, SIDE, decimal, integer
from dicomprinter.config.spec import Spec, optional

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.tree import Node
    from dicomprinter.imaging.orientation.finding import Gates
    from dicomprinter.job.job import Job

_SHARE = decimal(0, 1)


@dataclass(frozen=True)
class AutoRotateText(Action):
    """Turns pages by their text; confidences and weights are shares from 0 to 1, the analysis side is in pixels.

    What the confidences mean says `imaging.orientation.analysis`. A page image becomes a new file of the job. A PDF is
    turned by the /Rotate of its pages, in a new file that begins with the old one. A DICOM file stays as it is.
    """

    spec = Spec(
        "AutoRotateText",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            optional("MinAxisConfidence", _SHARE, "how sure one must be of lines across or down; 0.30"),
            optional("MinDirectionConfidence", _SHARE, "how sure of up or down, for a quarter turn; 0.35"),
            optional("MinDirectionConfidence180", _SHARE, "how sure of up or down, for a half turn; 0.60"),
            optional("MinLinesFor180", integer(0), "how many lines of text a half turn needs; 6"),
            optional("MinScoreDelta", _SHARE, "how far the better axis must lead; 0.15"),
            optional("MarginBandPercent", decimal(0, 49), "how broad the margin is, of the shorter side; 8"),
            optional("MarginWeight", _SHARE, "what text in the margin counts; 0.25"),
            optional("MaxAnalysisSide", SIDE, "the longer side of the page that is looked at; 1600"),
            optional("FailOnUnsupported", BOOLEAN, "whether a page that cannot be read fails the action; false"),
            optional("UseHints", BOOLEAN, "whether <job>.orientation.json is read; true"),
            optional("TrustHintConfidence", _SHARE, "how sure a hint must be to be followed; 0.90"),
        ),
        doc="turn pages by their text",
    )

    min_axis_confidence: float
    min_direction_confidence: float
    min_direction_confidence_180: float
    min_lines_for_180: int
    min_score_delta: float
    margin_band_percent: float
    margin_weight: float
    max_analysis_side: int
    fail_on_unsupported: bool
    use_hints: bool
    trust_hint_confidence: float

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            min_axis_confidence=node.content("MinAxisConfidence", 0.30),
            min_direction_confidence=node.content("MinDirectionConfidence", 0.35),
            min_direction_confidence_180=node.content("MinDirectionConfidence180", 0.60),
            min_lines_for_180=node.content("MinLinesFor180", 6),
            min_score_delta=node.content("MinScoreDelta", 0.15),
            margin_band_percent=node.content("MarginBandPercent", 8.0),
            margin_weight=node.content("MarginWeight", 0.25),
            max_analysis_side=node.content("MaxAnalysisSide", 1600),
            fail_on_unsupported=node.content("FailOnUnsupported", False),
            use_hints=node.content("UseHints", True),
            trust_hint_confidence=node.content("TrustHintConfidence", 0.90),
        )

    def gates(self) -> Gates:
        """How a page is looked at, and from what on it is turned."""
        from dicomprinter.imaging.orientation.finding import Gates

        return Gates(
            axis=self.min_axis_confidence,
            direction=self.min_direction_confidence,
            direction_180=self.min_direction_confidence_180,
            lines_180=self.min_lines_for_180,
            delta=self.min_score_delta,
            margin_percent=self.margin_band_percent,
            margin_weight=self.margin_weight,
            longest=self.max_analysis_side,
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Turn the pages that are not upright; the history tells of each page what was decided, and why.

        Raises:
            PermanentError: what cannot be read or turned, with FailOnUnsupported.
            TransientError: the decoder cannot be started.
        """
        from dicomprinter.actions.pages.upright import turn_pages

        turn_pages(self, job, tools)
