"""From the keys of the file to those of one job: texts filled in, the job's own values, conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom.tag import Tag

from dicomprinter.actions.query.declaration import LEVELS, OWN_TAGS, UNIQUE_KEYS, Model
from dicomprinter.config.placeholders import Template
from dicomprinter.dicom.query.filter import (
    NUMBER_VRS,
    WILDCARD_VRS,
    Condition,
    Expression,
    Literal,
    criterion,
    has_wildcard,
    split_range,
)
from dicomprinter.dicom.query.keys import (
    QueryItem,
    QueryKey,
    QuerySequence,
    as_keys,
    asking_also,
    is_empty,
    is_identifier,
    own_key,
)
from dicomprinter.dicom.query.steps import STATION, STEP_DATE
from dicomprinter.dicom.query.worklist import worklist
from dicomprinter.dicom.tags import dictionary_vr, tag_name
from dicomprinter.dicom.text import ONE_VALUE_VRS, without_separators
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from dicomprinter.actions.query.declaration import Wishes
    from dicomprinter.actions.query.keys import Key, KeyItem, KeyPart, KeySequence
    from dicomprinter.dicom.query.filter import Criterion
    from dicomprinter.job.job import Job

_WORKLIST_DATES: Final = Template.parse("#{Date,-7,7}")
# What an object needs to agree with the study or patient that it joins (PS3.4 tables C.6-1, C.6-2 and C.6-5).
_RETURNED: Final = {
    (Model.PATIENT, "PATIENT"): ("PatientName", "PatientID"),
    (Model.PATIENT, "STUDY"): ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyInstanceUID"),
    (Model.STUDY, "STUDY"): (
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "PatientName",
        "PatientID",
        "StudyID",
        "StudyInstanceUID",
    ),
}
# A worklist's keys that the job fills in whether the Query names them or not.
_FROM_THE_JOB: Final = tuple(map(Tag, ("PatientName", "PatientID", "AccessionNumber")))


@dataclass(frozen=True)
class Asker:
    """Turns a Query's wishes into the question for one job.

    Args:
        name: the action's, for the history.
        wishes: what the file says.
        force_station: whether the job's station AE title is a key.
        job: whose values fill the keys.
    """

    name: str
    wishes: Wishes
    force_station: bool
    job: Job

    def question(self) -> QueryItem:
        """The keys to send and to check.

        Raises:
            PermanentError: a level above lacks its unique key (PS3.4 C.4.1.2.1).
        """
        item = self._item(self.wishes.keys, self.job.dataset)
        item = asking_also(self._with_creators(item), (tag for tag, _ in self.wishes.order))
        if self.wishes.model is Model.WORKLIST:
            return self._worklist(item)
        return self._at_level(item)

    def _worklist(self, item: QueryItem) -> QueryItem:
        known = item.tags
        more = [self._own(tag, self.job.dataset) for tag in _FROM_THE_JOB if tag not in known]
        if self.force_station and STATION not in known:
            more.append(self._own(STATION, self.job.dataset))
        date = self._own(Tag("StudyDate"), self.job.dataset)
        if is_empty(date.value):
            text = self.job.expand(_WORKLIST_DATES, place=f"{self.name}/{tag_name(STEP_DATE)}")
            date = QueryKey(STEP_DATE, "DA", text, Condition((criterion(text, "DA"),)))
        else:
            date = QueryKey(STEP_DATE, "DA", date.value)
        return worklist(QueryItem((*item.keys, *more), item.sequences), date)

    def _at_level(self, item: QueryItem) -> QueryItem:
        levels = LEVELS[self.wishes.model]
        level = self.wishes.level_asked
        known = item.tags
        parents = [UNIQUE_KEYS[parent] for parent in levels[: levels.index(level)]]
        keys = [*item.keys, *(self._own(tag, self.job.dataset) for tag in parents if tag not in known)]
        for key in keys:
            if key.tag in parents and not _is_single(key):
                raise PermanentError(
                    f'"{self.name}" asks at level {level}, but {tag_name(key.tag)} has no single value',
                    cause="neither the Query nor the job has one",
                    remedy="find it first, by a query at the level above",
                )
        returned = (*map(Tag, _RETURNED.get((self.wishes.model, level), ())), UNIQUE_KEYS[level])
        return asking_also(QueryItem(tuple(keys), item.sequences), returned)

    def _with_creators(self, item: QueryItem) -> QueryItem:
        """Private keys mean nothing without their creator (PS3.5 7.8.1); the job may know it."""
        creators = {Tag(key.tag >> 16, (key.tag & 0xFFFF) >> 8) for key in item.keys if Tag(key.tag).is_private}
        known = [self._own(tag, self.job.dataset) for tag in creators - item.tags if tag in self.job.dataset]
        return QueryItem((*item.keys, *known), item.sequences)

    def _item(self, keys: KeyItem, holder: Dataset | None) -> QueryItem:
        """`holder` has the job's values: its dataset, or the like item of its own sequence."""
        return QueryItem(
            tuple(self._key(key, holder) for key in keys.keys if key.tag not in OWN_TAGS),
            tuple(self._sequence(sequence, holder) for sequence in keys.sequences),
        )

    def _sequence(self, sequence: KeySequence, holder: Dataset | None) -> QuerySequence:
        own = list(holder[sequence.tag].value or ()) if holder is not None and sequence.tag in holder else []
        if not sequence.items:
            return QuerySequence(sequence.tag, tuple(as_keys(item) for item in own))
        own += [None] * len(sequence.items)
        return QuerySequence(
            sequence.tag, tuple(self._item(item, like) for item, like in zip(sequence.items, own, strict=False))
        )

    def _key(self, key: Key, holder: Dataset | None) -> QueryKey:
        if key.text.is_pattern:
            return QueryKey(key.tag, key.vr, "", self._condition(key))
        place = f"{self.name}/{tag_name(key.tag)}"
        # A peer need not know the older forms of dates and times.
        text = without_separators(key.vr, self.job.expand(key.text.template, place=place).strip())
        if not text:
            own = self._own(key.tag, holder, key.vr)
            if key.local and not is_empty(own.value):
                return QueryKey(key.tag, key.vr, "", _any_of([str(own.value)], key.vr))
            return own
        texts = [text] if key.vr in ONE_VALUE_VRS else [one for one in text.split("\\") if one.strip()]
        condition = _any_of(texts, key.vr)
        if key.local or not _may_go_out(text, key.vr):
            return QueryKey(key.tag, key.vr, "", condition)
        if not _is_the_files(key.text.template):
            condition = self._literally(key, place)
        return QueryKey(key.tag, key.vr, text, condition)

    def _literally(self, key: Key, place: str) -> Condition:
        """What the job says is not checked, unless it is an identifier with what a peer takes for wildcards."""
        filled = [
            (part, False) if isinstance(part, str) else (part.expand(self.job, f"{place}#{index}") or "", True)
            for index, part in enumerate(key.text.template.parts)
        ]
        if not is_identifier(key.tag) or not any(has_wildcard(text) for text, is_the_jobs in filled if is_the_jobs):
            return Condition()
        return Condition((Literal(tuple(filled), key.vr),))

    def _condition(self, key: Key) -> Condition:
        wanted: list[Criterion] = []
        excluded: list[Criterion] = []
        for part in key.text.parts:
            test = self._criterion(part, key)
            if test is not None:
                (excluded if part.excluded else wanted).append(test)
        return Condition(tuple(wanted), tuple(excluded))

    def _criterion(self, part: KeyPart, key: Key) -> Criterion | None:
        """A part of a pattern; a part whose placeholder the job cannot fill says nothing."""
        place = f"{self.name}/{tag_name(key.tag)}"
        text = self.job.expand(part.text, place=place).strip()
        if not text or part.text.expand(self.job, place)[1]:
            return None
        if not part.is_pattern:
            return criterion(text, key.vr)
        return Expression(part.compile(self.job, place), key.vr, f'{tag_name(key.tag)} in "{self.name}"')

    def _own(self, tag: int, holder: Dataset | None, vr: str = "") -> QueryKey:
        """The job's value, else a return key. The station is the job's only when that is forced."""
        vr = vr or dictionary_vr(tag) or "UN"
        if tag == STATION and self.wishes.model is Model.WORKLIST:
            station = self._station() if self.force_station else ""
            return QueryKey(tag, vr, station)
        element = holder.get(tag) if holder is not None else None
        if element is None or element.VR == "SQ":
            return QueryKey(tag, vr)
        return own_key(element)

    def _station(self) -> str:
        dataset = self.job.dataset
        return str(dataset.get("ScheduledStationAETitle") or dataset.get("StationAETitle") or "")


def _may_go_out(text: str, vr: str) -> bool:
    """Whether the standard gives the text its meaning (PS3.4 C.2.2.2.4 and C.2.2.2.5).

    A range of numbers has none there: DCMTK and Orthanc take it for a number and find nothing.
    """
    if has_wildcard(text):
        return vr in WILDCARD_VRS
    return vr not in NUMBER_VRS or split_range(text, vr) is None


def _is_the_files(template: Template) -> bool:
    """Whether a text comes from the file alone; what comes from the job is not checked in answers."""
    return all(isinstance(part, str) or part.kind in ("date", "moment") for part in template.parts)


def _is_single(key: QueryKey) -> bool:
    return isinstance(key.value, str) and bool(key.value) and "\\" not in key.value and not has_wildcard(key.value)


def _any_of(texts: Sequence[str], vr: str) -> Condition:
    return Condition(tuple(criterion(text, vr) for text in texts))
