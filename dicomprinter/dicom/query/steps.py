"""The tags of a worklist's scheduled step, and those that people write for them (PS3.4 K.6.1.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomprinter.dicom.tags import parse_tag

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS: Final[int] = parse_tag("ScheduledProcedureStepSequence")
STEP_DATE: Final[int] = parse_tag("ScheduledProcedureStepStartDate")
STATION: Final[int] = parse_tag("ScheduledStationAETitle")

# Root tags by which people mean the scheduled step (PS3.4 table K.6-1).
STEP_ALIASES: Final[Mapping[int, int]] = {
    parse_tag(root): parse_tag(step)
    for root, step in (
        ("StudyDate", "ScheduledProcedureStepStartDate"),
        ("StudyTime", "ScheduledProcedureStepStartTime"),
        ("StationName", "ScheduledStationName"),
        ("PerformingPhysicianName", "ScheduledPerformingPhysicianName"),
        *(
            (name, name)
            for name in (
                "CommentsOnTheScheduledProcedureStep",
                "Modality",
                "PreMedication",
                "RequestedContrastAgent",
                "ScheduledPerformingPhysicianIdentificationSequence",
                "ScheduledPerformingPhysicianName",
                "ScheduledProcedureStepDescription",
                "ScheduledProcedureStepEndDate",
                "ScheduledProcedureStepEndTime",
                "ScheduledProcedureStepID",
                "ScheduledProcedureStepLocation",
                "ScheduledProcedureStepStartDate",
                "ScheduledProcedureStepStartTime",
                "ScheduledProcedureStepStatus",
                "ScheduledProtocolCodeSequence",
                "ScheduledStationAETitle",
                "ScheduledStationName",
                "StageCodeSequence",
            )
        ),
    )
}
