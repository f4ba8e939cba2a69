"""The canary: whatever a test does, no patient data of it may be in a log, in a ledger or on a service's screen.

Registered by tests/conftest.py, it looks at every test of the suite:

- Every event that the program would log is written in both forms, redacted.
- After the test the logs, the ledgers and the services' screens below its `tmp_path` are read.

All of this must hold none of `KNOWN` (the patients of the suite's helpers and of the demonstration), no name in the
form `Family^Given`, no UID but those of the standard, and no value that one of the test's own jobs had in its dataset
or as its name. A test that switches redaction off is marked `unredacted`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, quote_plus

import pytest
from pydicom import Dataset

from dicomprinter.job.folder import JobFolder
from dicomprinter.job.job import Job
from dicomprinter.service.log_event import OURS, Settings
from dicomprinter.service.log_form import EventFormatter, Form
from dicomprinter.service.redaction import LIBRARY_LEVELS

MARKER: Final = "unredacted"

# One patient, for tests that follow her through the program.
CANARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PatientName": "Kanarienvogel^Käthe",
        "PatientID": "CANARY-4711",
        "PatientBirthDate": "18990713",
        "PatientAddress": "Vogelbauerweg 17",
        "OtherPatientIDs": "RING-0815-K",
        "ReferringPhysicianName": "Käfigmeister^Ödön",
        "OperatorsName": "Körnerstreuer^Gül",
        "AccessionNumber": "ACC-KANARI-9",
        "StudyDescription": "Flügelbruch links",
        "RequestedProcedureDescription": "Röntgen des Flügels",
        "ReasonForTheRequestedProcedure": "gegen die Scheibe geflogen",
        "StudyInstanceUID": "1.2.276.0.99.4711.1899.7.13",
    }
)
# Each is long and odd enough to stand nowhere by chance; `Family^Given` is looked for by its form.
KNOWN: Final = (
    *CANARY.values(),
    "Kanarienvogel",
    "Geheim",
    "Müller",
    "Muster^Erika",
    "Erika Muster",
    "Yamada",
    "Wang^XiaoDong",
    "Gildong",
    "山田",
    "王小東",
    "Иванов",
)
_FILES: Final = ("dicomprinter.log*", "ledger*.jsonl", "screen.log")
_NAME: Final = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")
# UIDs of the standard's registry and of implementations are no patient's.
_UID: Final = re.compile(
    r"(?<![\w.])(?!1\.2\.840\.10008\.|1\.2\.826\.0\.1\.3680043\.)[0-2](?:\.\d+){5,}(?![\w.])|2\.25\.\d{9,}"
)
# What a log holds by itself that could look like a value: the time of an event, a job's id, an address.
_OWN: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}(?:[+-]\d\d:\d\d)?|\b\d{8}T\d{12}-[0-9a-f]{6}\b|(?<=[\w\]]):\d{1,5}\b"
)
_SHORTEST: Final = 6
_PERSONAL_VR: Final = frozenset({"PN", "LO", "LT", "ST", "UT", "SH", "UI", "AS", "DA"})
# Not of the patient, whatever their VR: SOPClassUID, the mechanism of a transfer, equipment.
_IMPERSONAL: Final = frozenset(
    {"SOPClassUID", "SpecificCharacterSet", "Manufacturer", "InstitutionName", "StudyDate", "SeriesDate"}
)


class LeakError(AssertionError):
    """Patient data where none may be."""


@lru_cache(maxsize=4096)
def spellings(value: str) -> frozenset[str]:
    """A value as a log might show it, in small letters: as it is, escaped, in percents, in a wrong character set."""
    utf8 = value.encode("utf-8")
    escaped = value.encode("ascii", "backslashreplace").decode("ascii")
    json_escaped = "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in value)
    wrong = {utf8.decode("latin-1"), utf8.decode("cp1252", "replace"), str(utf8)[2:-1]}
    percent = {quote(value), quote(value, safe="^"), quote_plus(value)}
    with suppress(UnicodeEncodeError):
        wrong.add(value.encode("latin-1").decode("utf-8", "surrogateescape"))
    plain = {value, value.replace("^", " "), value.replace("^", ", ")}
    return frozenset(spelling.casefold() for spelling in {escaped, json_escaped, *wrong, *percent, *plain})


def leaks(text: str, values: Iterable[str]) -> list[str]:
    """What a text must not hold, whatever its capital letters."""
    plain = _OWN.sub("", text)
    folded = plain.casefold()
    found = [value for value in values if any(spelling in folded for spelling in spellings(value))]
    return found + [match[0] for pattern in (_NAME, _UID) for match in pattern.finditer(plain)]


def values_of(job: Job) -> Iterator[str]:
    """What a job knows of its patient."""
    yield job.facts.name
    yield from _values_in(job.dataset)


def _values_in(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _values_in(item)
        elif element.VR in _PERSONAL_VR and element.keyword not in _IMPERSONAL and element.value:
            values = element.value if element.VM > 1 else [element.value]
            yield from (str(value).strip() for value in values)


class _Listener(logging.Handler):
    """Writes every event that the program would tell, as its own handlers would."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self._forms = [EventFormatter(Settings(), form) for form in Form]

    def emit(self, record: logging.LogRecord) -> None:
        library = record.name.partition(".")[0]
        if library == OURS or record.levelno >= max(logging.WARNING, LIBRARY_LEVELS.get(library, 0)):
            self.lines += [form.format(record) for form in self._forms]


class Canary:
    """The pytest plugin."""

    def __init__(self) -> None:
        self._listener = _Listener()
        self._values: set[str] = set()
        self._save = JobFolder.save

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", f"{MARKER}: patient data may be logged, for the test switches redaction off")

    def pytest_sessionstart(self) -> None:
        canary, save = self, self._save

        def keep_and_save(folder: JobFolder, job: Job, **options: Any) -> None:
            canary._values.update(values_of(job))
            save(folder, job, **options)

        JobFolder.save = keep_and_save  # type: ignore[method-assign] - every job of every test goes through here
        logging.getLogger().addHandler(self._listener)

    def pytest_sessionfinish(self) -> None:
        JobFolder.save = self._save  # type: ignore[method-assign] - as it was
        logging.getLogger().removeHandler(self._listener)

    def pytest_runtest_setup(self) -> None:
        self._listener.lines.clear()
        self._values.clear()
        # What is told with -v must hold nothing either.
        logging.getLogger(OURS).setLevel(logging.DEBUG)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        yield
        if item.get_closest_marker(MARKER) is None:
            self.look(getattr(item, "funcargs", {}).get("tmp_path"))

    def look(self, folder: Path | None) -> None:
        """Look at what the running test has said, and at what lies in its folder.

        Raises:
            LeakError: patient data is in it; says where and what.
        """
        values = {*KNOWN, *(value for value in self._values if len(value) >= _SHORTEST)}
        said = {"the events": "\n".join(self._listener.lines)}
        for file in files_below(folder) if folder is not None and folder.is_dir() else ():
            said[str(file)] = file.read_bytes().decode("utf-8", "surrogateescape").replace(str(folder), "")
        found = {where: leaks(text, values) for where, text in said.items()}
        told = [f"{where}: {', '.join(dict.fromkeys(what))}" for where, what in found.items() if what]
        if told:
            raise LeakError("; ".join(told))


def files_below(folder: Path) -> list[Path]:
    """What a service writes that must hold no patient data."""
    return sorted(file for pattern in _FILES for file in folder.rglob(pattern) if file.is_file())
