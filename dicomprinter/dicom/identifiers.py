"""The identifiers of C-FIND: keys on their way out, answers on their way in (PS3.4 C.2.2, PS3.3 C.12.1.1.2)."""

from __future__ import annotations

import io
import logging
from copy import deepcopy
from typing import Final

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from dicomprinter.dicom.character_sets import narrowest, write_in
from dicomprinter.dicom.tags import dictionary_vr, tag_name

_log = logging.getLogger(__name__)

UNICODE: Final = "ISO_IR 192"
_DEEPEST: Final = 30
"""Sequences in each other: no information model has so many, and each is copied with those inside."""
_UNDEFINED: Final = 0xFFFFFFFF


def encode_identifier(keys: Dataset, transfer_syntax: str) -> bytes:
    """Encode keys, with the narrowest SpecificCharacterSet that loses nothing: none, ISO_IR 100 or ISO_IR 192.

    Raises:
        ValueError: a key holds what its VR cannot.
    """
    sent = deepcopy(keys)
    _drop_charsets(sent)
    write_in(sent, narrowest(sent))
    try:
        return _encode(sent, UID(transfer_syntax))
    except Exception as error:  # pydicom raises whatever a wrong value leads to
        raise ValueError(f"a key of the query cannot be encoded ({type(error).__name__})") from error


def decode_identifier(data: bytes, transfer_syntax: str, default_charset: str = "") -> Dataset:
    """Decode an answer into Unicode; the result says ISO_IR 192. An element that cannot be read is left out.

    Args:
        data: the encoded data set.
        transfer_syntax: the one of its presentation context.
        default_charset: the SpecificCharacterSet for an answer that has none.

    Raises:
        ValueError: the data breaks off, or is no data set.
    """
    answer = _parse(data, transfer_syntax)
    _check_whole(answer)
    if default_charset and not answer.get("SpecificCharacterSet"):
        # Strings and nested items get their set while they are parsed, so it has to be in front.
        head = Dataset()
        head.SpecificCharacterSet = default_charset.split("\\")
        answer = _parse(_insert(head, data, transfer_syntax), transfer_syntax)
    _read_all(answer)
    _drop_charsets(answer)
    answer.SpecificCharacterSet = UNICODE
    return answer


def _parse(data: bytes, transfer_syntax: str) -> Dataset:
    syntax = UID(transfer_syntax)
    try:
        return read_dataset(io.BytesIO(data), syntax.is_implicit_VR, syntax.is_little_endian)
    except Exception as error:  # pydicom raises whatever a wrong byte leads to
        raise ValueError(f"an answer that is no data set ({type(error).__name__})") from error


def _check_whole(answer: Dataset) -> None:
    """Refuse a value that breaks off: pydicom takes what is there, and half a PatientID is another patient's."""
    for tag in answer.keys():  # noqa: SIM118 - a Dataset's elements, not its tags
        element: object = answer.get_item(tag, keep_deferred=True)
        if isinstance(element, RawDataElement) and len(element.value or b"") < element.length != _UNDEFINED:
            raise ValueError(f"an answer that breaks off in {tag_name(tag)}")


def _insert(head: Dataset, data: bytes, transfer_syntax: str) -> bytes:
    return _encode(head, UID(transfer_syntax)) + data


def _encode(dataset: Dataset, syntax: UID) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax.is_implicit_VR
    buffer.is_little_endian = syntax.is_little_endian
    write_dataset(buffer, dataset)
    return bytes(buffer.getvalue())


def _read_all(item: Dataset, depth: int = 0) -> None:
    """Convert every element now, in its own character set; the job keeps its dataset as DICOM JSON (PS3.18 F)."""
    for tag in list(item.keys()):
        try:
            element = item[tag]
            # What is a sequence in one place and a text in the other is of no use to anyone.
            if "SQ" in {element.VR, dictionary_vr(tag)} != {"SQ"} and dictionary_vr(tag) is not None:
                raise ValueError(element.VR)
            if element.VR == "SQ":
                if depth == _DEEPEST:
                    raise ValueError(depth)
                for nested in element.value:
                    _read_all(nested, depth + 1)
            else:
                # A number that is none passes until it is written down: then no job could be saved with it.
                element.to_json_dict(None, 0)
        except Exception as error:  # noqa: BLE001 - pydicom raises whatever a wrong value leads to
            _log.warning("an answer's %s cannot be read and is left out (%s)", tag_name(tag), type(error).__name__)
            del item[tag]


def _drop_charsets(item: Dataset) -> None:
    if "SpecificCharacterSet" in item:
        del item.SpecificCharacterSet
    for element in item:
        if element.VR == "SQ":
            for nested in element.value:
                _drop_charsets(nested)
