"""The keys of a Modality Worklist query (PS3.4 K.6.1.2.2): one step sequence, and all that an object needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydicom.tag import Tag

from dicomprinter.dicom.query.keys import QueryItem, QueryKey, QuerySequence, asking_also
from dicomprinter.dicom.query.steps import STEP_ALIASES, STEP_DATE, STEPS
from dicomprinter.dicom.tags import dictionary_vr

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODE: Final = tuple(map(Tag, ("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning")))
_REFERENCE: Final = tuple(map(Tag, ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")))
ORDER_KEYS: Final = tuple(
    map(
        Tag,
        (
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "AccessionNumber",
            "StudyInstanceUID",
            "RequestedProcedureID",
            "RequestedProcedureDescription",
        ),
    )
)
_ORDER_SEQUENCES: Final = (
    (Tag("RequestedProcedureCodeSequence"), _CODE),
    (Tag("ReferencedStudySequence"), _REFERENCE),
)
_STEP_KEYS: Final = tuple(
    map(
        Tag,
        (
            "Modality",
            "ScheduledStationAETitle",
            "ScheduledProcedureStepStartDate",
            "ScheduledProcedureStepStartTime",
            "ScheduledPerformingPhysicianName",
            "ScheduledProcedureStepDescription",
            "ScheduledProcedureStepID",
        ),
    )
)
_STEP_SEQUENCES: Final = ((Tag("ScheduledProtocolCodeSequence"), _CODE),)


def worklist(item: QueryItem, date: QueryKey) -> QueryItem:
    """An item's keys as a worklist wants them.

    Root keys that mean the step are moved into the first item of its sequence; one that stands there already wins.
    `date` is the step's date where no key has one.
    """
    moved = QueryItem(
        tuple(_as_step(key) for key in item.keys if key.tag in STEP_ALIASES),
        tuple(one for one in item.sequences if one.tag in STEP_ALIASES),
    )
    given = item.sequence(STEPS)
    first, *others = (given.items if given else ()) or (QueryItem(),)
    inside = first.tags
    first = QueryItem(
        (*first.keys, *(key for key in moved.keys if key.tag not in inside)),
        (*first.sequences, *(one for one in moved.sequences if one.tag not in inside)),
    )
    first = _with_sequences(asking_also(_dated(first, date), _STEP_KEYS), _STEP_SEQUENCES)
    root = QueryItem(
        tuple(key for key in item.keys if key.tag not in STEP_ALIASES),
        tuple(one for one in item.sequences if one.tag not in STEP_ALIASES and one.tag != STEPS),
    )
    root = _with_sequences(asking_also(root, ORDER_KEYS), _ORDER_SEQUENCES)
    steps = QuerySequence(STEPS, (first, *others))
    return replace(root, sequences=(*root.sequences, steps))


def _as_step(key: QueryKey) -> QueryKey:
    tag = STEP_ALIASES[key.tag]
    return key if tag == key.tag else replace(key, tag=tag, vr=dictionary_vr(tag) or key.vr)


def _dated(step: QueryItem, date: QueryKey) -> QueryItem:
    if any(key.tag == STEP_DATE and key.asks for key in step.keys):
        return step
    return replace(step, keys=(*(key for key in step.keys if key.tag != STEP_DATE), date))


def _with_sequences(item: QueryItem, wanted: Sequence[tuple[int, Sequence[int]]]) -> QueryItem:
    known = item.tags
    more = [QuerySequence(tag, (asking_also(QueryItem(), inner),)) for tag, inner in wanted if tag not in known]
    return replace(item, sequences=(*item.sequences, *more))
