"""What becomes of answers: their order, and what of the chosen one goes into a job's dataset."""

from __future__ import annotations

import unicodedata
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from dicomprinter.dicom.query.filter import NUMBER_VRS
from dicomprinter.dicom.query.keys import quiet_element, values
from dicomprinter.dicom.query.steps import STEP_ALIASES, STEPS
from dicomprinter.dicom.tags import dictionary_vr

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pydicom.dataelem import DataElement

# Whole groups that speak of the patient, the visit, the order, the trial (PS3.3 C.2, C.3, C.4, C.7.1.3).
_GROUPS: Final = frozenset({0x0010, 0x0012, 0x0032, 0x0038})
# In the groups that levels share: the study, the order and the visit (PS3.3 C.7.2, C.4.11 to C.4.13).
_SHARED: Final = frozenset(
    Tag(keyword)
    for keyword in (
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionalDepartmentName",
        "ReferringPhysicianName",
        "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers",
        "ConsultingPhysicianName",
        "StudyDescription",
        "PhysiciansOfRecord",
        "NameOfPhysiciansReadingStudy",
        "AdmittingDiagnosesDescription",
        "TimezoneOffsetFromUTC",
        "StudyInstanceUID",
        "StudyID",
        "OtherStudyNumbers",
    )
)
# Asked for whether the Query names them or not.
_ASIDE: Final = tuple(map(Tag, ("AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription")))
_NEVER: Final = frozenset(
    Tag(keyword)
    for keyword in (
        "SpecificCharacterSet",
        "SOPClassUID",
        "SOPInstanceUID",
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "InstanceAvailability",
        "ModalitiesInStudy",
        "SeriesInstanceUID",
        "InstanceNumber",
    )
)
_ORDER_IN_0040: Final = (range(0x1001, 0x1500), range(0x2001, 0x2500))

Order = tuple[int, bool]
"""A tag to sort by, and whether it descends."""


def in_order(answers: Sequence[Dataset], order: Sequence[Order]) -> list[Dataset]:
    """The answers sorted, stable; those that lack a value come last, whichever the direction.

    A tag that a worklist keeps in its step is looked for there too.
    """
    ordered = list(answers)
    for tag, descending in reversed(order):
        keys = {id(answer): sort_key(answer, tag) for answer in ordered}
        present = [answer for answer in ordered if keys[id(answer)] is not None]
        present.sort(key=lambda answer: keys[id(answer)] or (0.0, ""), reverse=descending)
        ordered = present + [answer for answer in ordered if keys[id(answer)] is None]
    return ordered


def sort_key(answer: Dataset, tag: int) -> tuple[float, str] | None:
    """What an answer is sorted by, or None when it lacks the tag; a worklist may keep it in its first step."""
    found = values(answer, tag)
    steps = answer[STEPS].value if STEPS in answer and not "".join(found) else None
    if steps:
        found = values(steps[0], STEP_ALIASES.get(tag, tag))
    if not found or not found[0].strip():
        return None
    if dictionary_vr(tag) in NUMBER_VRS:
        try:
            return float(found[0]), ""
        except ValueError:
            return None
    return 0.0, unicodedata.normalize("NFC", found[0]).strip().casefold()


def copied(dataset: Dataset, answer: Dataset, *, asked: Collection[int] = (), persist: Collection[int] = ()) -> Dataset:
    """A copy of a job's dataset with what an answer says of patient, study and order, empty elements too.

    Args:
        dataset: the job's.
        answer: the answer chosen.
        asked: the tags that the Query names: they are copied even where they speak of a series.
        persist: the sequences to copy; no other is.
    """
    result = deepcopy(dataset)
    for element in answer:
        tag = element.tag
        if element.VR == "SQ":
            if tag in persist:
                result[tag] = deepcopy(element)
        elif _never_copied(tag) or not (tag in asked or is_of_patient_or_study(tag)):
            continue
        elif tag.is_private:
            copy_private(result, answer, element)
        else:
            result[tag] = deepcopy(element)
    modalities = [value for value in values(answer, Tag("ModalitiesInStudy")) if value]
    if len(modalities) == 1:
        _set_if_empty(result, "Modality", modalities[0])
    return result


def copied_from_worklist(
    dataset: Dataset, answer: Dataset, *, asked: Collection[int] = (), persist: Collection[int] = ()
) -> Dataset:
    """As `copied`, with what a worklist's steps and order mean for objects (PS3.3 C.7.3.1, table 10-9).

    The order's values stand in RequestAttributesSequence (one item a step), ProcedureCodeSequence,
    ReferencedStudySequence and StudyID; those of an earlier match go. In the dataset itself stand only those
    that the Query names.
    """
    named = deepcopy(answer)
    for tag in _ASIDE:
        if tag in named and tag not in asked:
            del named[tag]
    result = copied(dataset, named, asked=asked, persist=persist)
    steps = list(answer.get(STEPS).value or ()) if STEPS in answer else []
    step = steps[0] if steps else Dataset()
    for target, source in (
        ("StudyDate", "ScheduledProcedureStepStartDate"),
        ("StudyTime", "ScheduledProcedureStepStartTime"),
        ("Modality", "Modality"),
    ):
        if step.get(source):
            _set(result, target, step.get(source))
    _set_if_empty(result, "PerformingPhysicianName", step.get("ScheduledPerformingPhysicianName"))
    _set_if_empty(result, "AccessionNumber", answer.get("AccessionNumber"))
    planned, ordered = step.get("ScheduledProcedureStepDescription"), answer.get("RequestedProcedureDescription")
    if planned and not result.get("StudyDescription"):
        _set(result, "StudyDescription", planned)
    elif ordered:
        _set(result, "StudyDescription", ordered)
    _keep_for_the_object(result, answer, steps)
    return result


def _keep_for_the_object(result: Dataset, answer: Dataset, steps: Sequence[Dataset]) -> None:
    codes = _codes(answer, "RequestedProcedureCodeSequence")
    references = _references(answer)
    requests = [request for step in steps or [Dataset()] if (request := _request(answer, step, codes))]
    for keyword, items in (
        ("RequestAttributesSequence", requests),
        ("ProcedureCodeSequence", codes),
        ("ReferencedStudySequence", references),
    ):
        if items:
            _set(result, keyword, deepcopy(items))
        elif keyword in result:
            delattr(result, keyword)
    if answer.get("RequestedProcedureID"):
        _set(result, "StudyID", answer.RequestedProcedureID)


def _request(answer: Dataset, step: Dataset, codes: Sequence[Dataset]) -> Dataset:
    """An item of the Request Attributes Sequence (PS3.3 table 10-9)."""
    request = Dataset()
    for keyword in ("AccessionNumber", "StudyInstanceUID", "RequestedProcedureID", "RequestedProcedureDescription"):
        if answer.get(keyword):
            _set(request, keyword, answer.get(keyword))
    for keyword in ("ScheduledProcedureStepID", "ScheduledProcedureStepDescription"):
        if step.get(keyword):
            _set(request, keyword, step.get(keyword))
    protocol = _codes(step, "ScheduledProtocolCodeSequence")
    for keyword, items in (
        ("RequestedProcedureCodeSequence", codes),
        ("ScheduledProtocolCodeSequence", protocol),
        ("ReferencedStudySequence", _references(answer)),
    ):
        if items:
            _set(request, keyword, deepcopy(list(items)))
    return request


def _codes(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The codes that are complete (PS3.3 table 8.8-1); a shell of empty return keys is none."""
    return _complete(dataset, keyword, ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))


def _references(answer: Dataset) -> list[Dataset]:
    return _complete(answer, "ReferencedStudySequence", ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID"))


def _complete(dataset: Dataset, keyword: str, needed: Sequence[str]) -> list[Dataset]:
    kept = []
    for item in dataset.get(keyword) or ():
        if all(item.get(name) for name in needed):
            whole = deepcopy(item)
            for element in list(whole):
                if element.is_empty:
                    del whole[element.tag]
            kept.append(whole)
    return kept


def _never_copied(tag: BaseTag) -> bool:
    """What belongs to the file, the image, the archive or the series that our objects do not join."""
    if tag.group in (0x0002, 0x0028, 0x7FE0) or tag in _NEVER:
        return True
    return tag.group == 0x0020 and tag.element >> 8 == 0x12


def is_of_patient_or_study(tag: BaseTag) -> bool:
    """Whether a tag speaks of the patient, the study, the visit or the order, not of a series or an image."""
    if tag.group in _GROUPS or tag in _SHARED:
        return True
    return tag.group == 0x0040 and any(tag.element in part for part in _ORDER_IN_0040)


def copy_private(result: Dataset, answer: Dataset, element: DataElement) -> None:
    """Copy a private element under its creator, in whichever block the job's dataset has free."""
    if element.tag.is_private_creator:
        return
    try:
        creator = answer.private_creators(element.tag.group) and answer[element.tag].private_creator
        # Several values are no name.
        if creator and isinstance(creator, str):
            block = result.private_block(element.tag.group, creator, create=True)
            block.add_new(element.tag.element & 0xFF, element.VR, deepcopy(element.value))
    except (KeyError, ValueError):
        return


def _set(dataset: Dataset, keyword: str, value: object) -> None:
    tag = Tag(keyword)
    dataset.add(quiet_element(tag, dictionary_vr(tag) or "UN", value))


def _set_if_empty(dataset: Dataset, keyword: str, value: object) -> None:
    if value and not dataset.get(keyword):
        _set(dataset, keyword, value)
