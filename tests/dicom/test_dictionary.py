"""Our reading of pydicom's tables says what pydicom says."""

from __future__ import annotations

import subprocess
import sys

import pydicom.uid
import pytest
from pydicom import charset, datadict
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.tag import BaseTag
from pydicom.tag import Tag as PydicomTag

from dicomprinter.dicom import dictionary, syntaxes
from dicomprinter.dicom.character_sets import is_known
from dicomprinter.dicom.tags import Tag, dictionary_vr, parse_tag

# The `x` of each repeating entry as its first and its last digit, and the same in the private group beside it.
REPEATED = [int(text.replace("x", digit), 16) for text in RepeatersDictionary for digit in "0F"]
UNKNOWN = [0x00100001, 0x00111001, 0x60110010, 0x7FE1FFFF, 0xFFFFFFFF, 0x00000000 + 0x00FF]


def theirs(tag: int) -> tuple[str | None, str | None, str]:
    try:
        return datadict.dictionary_VR(tag), datadict.dictionary_VM(tag), datadict.keyword_for_tag(tag)
    except KeyError:
        return None, None, datadict.keyword_for_tag(tag)


def test_every_tag_is_as_pydicom_has_it() -> None:
    assert len(DicomDictionary) > 5000
    assert len(REPEATED) > 100
    for tag in (*DicomDictionary, *REPEATED, *UNKNOWN, *(tag + 0x10000 for tag in REPEATED)):
        assert (dictionary.vr(tag), dictionary.vm(tag), dictionary.keyword(tag)) == theirs(tag), f"{tag:08X}"


def test_every_keyword_is_as_pydicom_has_it() -> None:
    assert dictionary.keywords() == {word: tag for word, tag in datadict.keyword_dict.items() if word}
    assert all(parse_tag(word.upper()) == tag for word, tag in dictionary.keywords().items())


def test_a_private_tag_has_the_representation_of_its_creator() -> None:
    assert dictionary_vr(0x00191010, "SIEMENS CT VA0  COAD") == datadict.private_dictionary_VR(
        0x00191010, "SIEMENS CT VA0  COAD"
    )
    assert dictionary_vr(0x00191010, "NOBODY") is None
    assert dictionary_vr(0x00191010) is None


@pytest.mark.parametrize("number", [0x00100020, 0x00110010, 0x001100FF, 0x0011000F, 0x00110100, 0x00111001, 0xFFFEE000])
def test_a_tag_is_that_of_pydicom(number: int) -> None:
    ours, other = Tag(number), PydicomTag(number)
    for name in ("group", "element", "is_private", "is_private_creator"):
        assert getattr(ours, name) == getattr(other, name)
    assert (ours, hash(ours), str(ours), repr(ours), f"{ours}") == (
        other,
        hash(other),
        str(other),
        str(other),
        f"{other}",
    )
    assert {other: 1}[ours] == 1
    assert type(PydicomTag(ours)) is BaseTag


def test_the_uids_are_those_of_pydicom() -> None:
    ours = {name: uid for name, uid in vars(syntaxes).items() if isinstance(uid, str) and name[0].isupper()}
    assert len(ours) > 10
    assert ours == {name: getattr(pydicom.uid, name) for name in ours}


def test_the_character_sets_are_those_that_pydicom_writes() -> None:
    terms = set(charset.python_encoding)
    numbers = {f"{start} {number}" for start in ("ISO_IR", "ISO 2022 IR") for number in range(256)}
    assert {term for term in terms | numbers | {"GB18030", "UTF8"} if is_known(term)} == terms


def test_the_dictionary_does_not_import_pydicom() -> None:
    code = (
        "import sys; from dicomprinter.dicom.tags import parse_tag, tag_name; print(tag_name(parse_tag('patientid')));"
        "print([name for name in sys.modules if name.startswith('pydicom')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["PatientID (0010,0020)", "[]"]
