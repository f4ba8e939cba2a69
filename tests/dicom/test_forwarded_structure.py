"""Walking through files, sound and hostile ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement

from dicomprinter.dicom.forwarded.beginning import seems_dicom
from dicomprinter.dicom.forwarded.opening import TooLargeError, opened
from dicomprinter.dicom.forwarded.original import header_of, original_of
from dicomprinter.dicom.forwarded.structure import StructureError
from dicomprinter.errors import PermanentError
from tests.dicom.forwarding import SAMPLES, made, sample

ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)
UNDEFINED = b"\xff" * 4
META = bytes(128) + b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"


def element(group: int, number: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    if vr in ("OB", "OW", "SQ", "UN", "UT"):
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), size) + value


CLASS = element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.7\0")


def look(path: Path, data: bytes) -> None:
    """Everything that is done to a file before it is taken."""
    path.write_bytes(data)
    with opened(path, 1 << 20) as source:
        for one in source.elements:
            source.reader.check(one, source.coding)
        original_of(source)
        header_of(source).to_json()


@pytest.mark.parametrize(
    ("what", "data", "cause"),
    [
        ("nothing", b"", "no DICOM file"),
        ("text", b"Dear colleague, " * 20, "no DICOM file"),
        ("no elements", META, "no elements"),
        ("cut off in a value", META + CLASS[:-4], "longer than what is left"),
        ("cut off in a tag", META + CLASS + b"\x08\0\x18", "cut off"),
        ("cut off in a length", META + CLASS + b"\x10\0\x01\0UT\0\0\1", "cut off"),
        ("unknown representation", META + CLASS + element(8, 0x18, "XX", b"1.2 "), "unknown value representation"),
        ("twice", META + CLASS + CLASS, "twice"),
        ("file meta information", META + CLASS + META[132:], "stands in the data set, and belongs before it"),
        ("a delimiter", META + CLASS + SEQUENCE_END, "where an element should begin"),
        ("no length", META + CLASS + element(8, 0x1030, "UT", b"", 0xFFFFFFFF), "no length"),
        (
            "no end of a sequence",
            META + CLASS + element(8, 0x1032, "SQ", ITEM + bytes(4), 0xFFFFFFFF),
            "no end",
        ),
        (
            "no end of an item",
            META + CLASS + element(8, 0x1032, "SQ", ITEM + UNDEFINED + SEQUENCE_END),
            "where an element should begin",
        ),
        ("no item", META + CLASS + element(8, 0x1032, "SQ", b"12345678"), "something else than items"),
        (
            "an item that is too long",
            META + CLASS + element(8, 0x1032, "SQ", ITEM + b"\x10\0\0\0" + bytes(8)),
            "longer than what is left",
        ),
        (
            "an element that leaves its item",
            META + CLASS + element(8, 0x1032, "SQ", ITEM + b"\x0c\0\0\0" + element(8, 0x100, "SH", b"ABCD", 400)),
            "longer than what is left",
        ),
        (
            "a fragment that is too long",
            META + CLASS + element(0x7FE0, 0x10, "OB", ITEM + b"\0\1\0\0" + bytes(8) + SEQUENCE_END, 0xFFFFFFFF),
            "longer than what is left",
        ),
        (
            "something among fragments",
            META + CLASS + element(0x7FE0, 0x10, "OB", b"abcdefgh" + SEQUENCE_END, 0xFFFFFFFF),
            "something else than fragments",
        ),
    ],
)
def test_damaged(what: str, data: bytes, cause: str, tmp_path: Path) -> None:
    with pytest.raises(StructureError, match=cause):
        look(tmp_path / "in.dcm", data)


def test_sequences_in_each_other(tmp_path: Path) -> None:
    deep = b""
    for _ in range(5000):
        deep = element(8, 0x1032, "SQ", ITEM + UNDEFINED + deep + ITEM_END + SEQUENCE_END, 0xFFFFFFFF)
    with pytest.raises(StructureError, match="stand in each other"):
        look(tmp_path / "in.dcm", META + CLASS + deep)


def test_sequences_with_lengths_in_each_other(tmp_path: Path) -> None:
    deep = b""
    for _ in range(2000):
        inner = element(8, 0x1032, "SQ", deep)
        deep = ITEM + struct.pack("<I", len(inner)) + inner
    with pytest.raises(StructureError, match="stand in each other"):
        look(tmp_path / "in.dcm", META + CLASS + element(8, 0x1032, "SQ", deep))


def test_more_elements_than_any_object_has(tmp_path: Path) -> None:
    many = b"".join(element(9, 0x1000 + number, "SH", b"") for number in range(0x8000))
    many += b"".join(element(group, 0x1000 + number, "SH", b"") for group in (11, 13) for number in range(0x8800))
    with pytest.raises(StructureError, match="more than 100000"):
        look(tmp_path / "in.dcm", META + CLASS + many)


def test_a_deflated_bomb(tmp_path: Path) -> None:
    stream = zlib.compressobj(wbits=-15)
    data = stream.compress(CLASS + element(0x7FE0, 0x10, "OB", bytes(2 << 20))) + stream.flush()
    meta = META.replace(b"\x14\x001.2.840.10008.1.2.1\x00", b"\x16\x001.2.840.10008.1.2.1.99")
    with pytest.raises(TooLargeError):
        look(tmp_path / "in.dcm", meta + data)


@pytest.mark.parametrize(("keep", "cause"), [(-300, "cut off"), (None, "damaged|cut off")])
def test_a_deflated_data_set_that_is_none(keep: int | None, cause: str, tmp_path: Path) -> None:
    data = sample("image_dfl").read_bytes()
    data = data[:keep] if keep else data[:600] + b"\xff" * 400 + data[1000:]
    with pytest.raises(StructureError, match=cause):
        look(tmp_path / "in.dcm", data)


class TestWithoutBeginning:
    """As other programs read them: without preamble, without file meta information."""

    @pytest.mark.parametrize("name", ["CT_small", "MR_small_implicit"])
    def test_without_preamble(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "in.dcm").write_bytes(sample(name).read_bytes()[132:])
        with opened(tmp_path / "in.dcm") as bare, opened(sample(name)) as whole:
            assert bare.transfer_syntax == whole.transfer_syntax
            assert header_of(bare) == header_of(whole)

    @pytest.mark.parametrize("name", ["CT_small", "MR_small_implicit", "MR_small_bigendian"])
    def test_a_bare_data_set(self, name: str, tmp_path: Path) -> None:
        data = sample(name).read_bytes()
        with opened(sample(name)) as whole:
            (tmp_path / "in.dcm").write_bytes(data[whole.start :])
            with opened(tmp_path / "in.dcm") as bare:
                assert bare.transfer_syntax == whole.transfer_syntax
                assert header_of(bare) == header_of(whole)

    def test_a_syntax_that_is_not_true(self, tmp_path: Path) -> None:
        data = sample("MR_small_implicit").read_bytes().replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1", 1)
        data = data.replace(b"\x02\0\x10\0UI\x12\0", b"\x02\0\x10\0UI\x14\0").replace(b".1.2.1", b".1.2.1\0", 1)
        (tmp_path / "in.dcm").write_bytes(data)
        with opened(tmp_path / "in.dcm") as source:
            assert source.transfer_syntax == "1.2.840.10008.1.2"

    def test_what_seems_to_be_one(self) -> None:
        for path in sorted(SAMPLES.glob("test_files/*_small*.dcm")):
            assert seems_dicom(path.read_bytes()[:132])
        for data in (b"", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" * 20, b"Dear colleague", bytes(200), b"\x08\0\0\0"):
            assert not seems_dicom(data)


def test_implicit_items_in_an_explicit_data_set(tmp_path: Path) -> None:
    """Some programs write them, and UN of undefined length always means them (PS3.5 6.2.2)."""
    nested = struct.pack("<HHI", 8, 0x100, 4) + b"ABCD"
    item = ITEM + struct.pack("<I", len(nested)) + nested
    path = tmp_path / "in.dcm"
    for vr in ("SQ", "UN"):
        path.write_bytes(META + CLASS + element(8, 0x1032, vr, item + SEQUENCE_END, 0xFFFFFFFF))
        with opened(path) as source:
            sequence = source.elements[1]
            ((span, coding),) = source.reader.items(sequence, source.coding)
            assert coding.implicit
            assert [one.tag for one in source.reader.elements(span, coding)] == [0x00080100]
            source.reader.check(sequence, source.coding)


@pytest.mark.parametrize(
    "name", ["CT_small", "rtplan", "JPEG2000", "MR_small_bigendian", "SC_rgb_rle_2frame", "nested_priv_SQ"]
)
def test_elements_are_where_pydicom_finds_them(name: str) -> None:
    read = pydicom.dcmread(sample(name), force=True)
    with opened(sample(name)) as source:
        raw = {int(element.tag): element for element in read.values()}
        assert [one.tag for one in source.elements] == sorted(raw)
        for one in source.elements:
            if isinstance(raw[one.tag], RawDataElement) and raw[one.tag].value:
                assert source.reader.read(one) == raw[one.tag].value


def damaged_files() -> st.SearchStrategy[bytes]:
    files = [sample(name).read_bytes()[:6000] for name in ("rtplan", "CT_small", "SC_rgb_rle", "test-SR", "chrH32")]
    return st.builds(
        lambda data, places, cut: _damage(data, places)[: cut or None],
        st.sampled_from(files),
        st.lists(st.tuples(st.integers(132, 6000), st.integers(0, 255)), max_size=8),
        st.integers(0, 6000),
    )


def _damage(data: bytes, places: list[tuple[int, int]]) -> bytes:
    damaged = bytearray(data)
    for place, value in places:
        if place < len(damaged):
            damaged[place] = value
    return bytes(damaged)


# pydicom's warnings tell values; these two do not.
@pytest.mark.filterwarnings("ignore:Failed to decode byte string")
@pytest.mark.filterwarnings("ignore:Found unknown escape sequence")
@pytest.mark.filterwarnings("error")
@settings(max_examples=150, deadline=None)
@given(damaged_files())
def test_any_damage_is_told(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.dcm"
    try:
        look(path, data)
    except (StructureError, PermanentError):
        return


def test_a_sound_file_is_taken(tmp_path: Path) -> None:
    look(tmp_path / "copy.dcm", made(tmp_path / "in.dcm").read_bytes())
