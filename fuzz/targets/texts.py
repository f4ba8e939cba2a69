"""Values from anywhere: made fit for their representation, written in a character set, and read back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pynetdicom.dsutils import decode, encode

from dicomprinter.dicom.character_sets import narrowest, write_in
from dicomprinter.dicom.text import clean
from dicomprinter.dicom.values import set_text
from dicomprinter.errors import PermanentError
from dicomprinter.intake.names import printable, safe_name
from dicomprinter.job.job import dataset_text
from fuzz.drawing import CANARY, check_public
from fuzz.target import Target

_TAGS: Final = (
    *((0x00100010, "PN"), (0x00100020, "LO"), (0x00100030, "DA"), (0x00080030, "TM"), (0x0008002A, "DT")),
    *((0x00101030, "DS"), (0x00200013, "IS"), (0x00101010, "AS"), (0x00104000, "LT"), (0x00080060, "CS")),
    *((0x0020000D, "UI"), (0x00080054, "AE"), (0x00280010, "US"), (0x00720026, "AT"), (0x00720076, "FD")),
    *((0x00081190, "UR"), (0x0040A160, "UT"), (0x00091001, "LO"), (0x00080119, "UC"), (0x00720072, "DS")),
)
_CHARSETS: Final = (None, "ISO_IR 100", "ISO_IR 13", "ISO 2022 IR 6\\ISO 2022 IR 87", "GB18030", "\\ISO 2022 IR 149")


def _run(data: bytes) -> None:
    """The first byte tells the tag, the second the character set."""
    tag, vr = _TAGS[data[0] % len(_TAGS) if data else 0]
    charset = _CHARSETS[data[1] % len(_CHARSETS) if len(data) > 1 else 0]
    text = data[2:].decode("utf-8", "surrogateescape")
    name = safe_name(text)
    assert 0 < len(name.encode()) <= 150
    assert "/" not in name
    assert name not in (".", "..")
    printable(text).encode()
    dataset = Dataset()
    try:
        cleaned, notes = clean(tag, vr, text)
        assert CANARY not in "".join(notes)
        set_text(dataset, tag, vr, cleaned)
        # A job keeps it so.
        kept = dataset_text(dataset)
        assert dataset_text(Dataset.from_json(kept)) == kept
        chosen = narrowest(dataset, charset)
    except PermanentError as error:
        check_public(error)
        return
    # Twice is as good as once.
    assert clean(tag, vr, cleaned)[0] == cleaned
    write_in(dataset, chosen)
    written = encode(dataset, False, True)
    assert written is not None
    again = decode(io.BytesIO(written), False, True)
    assert _whole(again[tag].value) == _whole(dataset[tag].value)


def _whole(value: object) -> str:
    """What an element holds as one text: what separates values in one place may belong to the value in another."""
    values = value if isinstance(value, MultiValue | list) else [value or ""]
    return "\\".join(map(str, values)).rstrip()


def _seeds() -> Iterator[bytes]:
    values = (
        "Müster^Mia=山田^太郎=やまだ",
        f"{CANARY}",
        "20260131",
        "0915",
        "20260131091502.1+0100",
        "70.5",
        "5",
        "042Y",
        "a\nb",
    )
    for number, value in enumerate((*values, "ISO", "1.2.3", "ARCHIVE", "5\\6", "0010,0010", "1e400", "\x1b$B")):
        yield bytes([number, number % len(_CHARSETS)]) + value.encode()


def _inputs() -> st.SearchStrategy[bytes]:
    head = st.tuples(st.integers(0, len(_TAGS) - 1), st.integers(0, len(_CHARSETS) - 1)).map(bytes)
    alphabet = st.characters() | st.sampled_from("\\^=\0\n\r\t\f ~¥‾ﾔ山やﬀ\u0301\u200b0123456789.+-eE")
    return st.builds(lambda a, b: a + b.encode("utf-8", "surrogatepass"), head, st.text(alphabet, max_size=80))


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=25_000,
    structured=2_000,
    words=("山".encode(), "ﾔ".encode(), "é".encode(), b"\\", b"^", b"=", b"\x1b", b"\xed\xa0\x80", b"\xc2\xa5"),
    longest=1024,
)
