"""The decoder when something else goes wrong than the file: interruptions, disks, strange places."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicomprinter.errors import PermanentError, TransientError
from dicomprinter.imaging import process, source
from dicomprinter.imaging.decoder import Decoder
from dicomprinter.imaging.limits import Limits
from dicomprinter.imaging.open import open_page
from dicomprinter.imaging.probe import probe
from tests.imaging.pictures import tiff, tiff_page
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


def picture(folder: Path, value: int) -> Path:
    path = folder / f"{value}.png"
    Image.fromarray(np.full((20, 30), value, np.uint8)).save(path)
    return path


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_after_an_interruption_no_page_is_taken_for_another(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def interrupted(text: bytes) -> None:
        raise interruption

    one, two, three = (picture(tmp_path, value) for value in (1, 2, 3))
    assert decoder.page(one, 0).pixels.max() == 1
    with monkeypatch.context() as patch:
        patch.setattr(process.json, "loads", interrupted)
        with pytest.raises(interruption):
            decoder.page(two, 0)
    assert decoder.page(three, 0).pixels.max() == 3


def test_an_answer_that_is_none_ends_the_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = "import sys\nfor line in sys.stdin: print('{}' if 'limits' in line else 'no JSON', flush=True)"
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", said))
    with Decoder(timeout=PATIENCE) as opened, pytest.raises(PermanentError, match="crash"):
        opened.page(picture(tmp_path, 1), 0)


def test_modules_in_the_current_directory_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "queue", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    with Decoder() as opened:
        assert opened.probe(picture(tmp_path, 1)).frames == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
def test_a_disk_that_fails_is_not_the_file_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    path = picture(tmp_path, 1)
    monkeypatch.setattr(source.mmap, "mmap", fails)
    with pytest.raises(TransientError, match=os.strerror(number)):
        probe(path, Limits())
    with pytest.raises(TransientError, match=os.strerror(number)):
        open_page(path, 0, Limits())


def test_what_a_decoder_says_of_the_disk_is_the_file_s_fault(tmp_path: Path) -> None:
    path = tmp_path / "damaged.tif"
    tags, strip = tiff_page(4, 2, 8, b"abcdefgh")
    path.write_bytes(tiff(({**tags, 259: (8,)}, strip)))  # deflate, that is none
    with pytest.raises(PermanentError, match="page 1 of the file cannot be decoded"):
        open_page(path, 0, Limits())


def test_a_page_behind_the_last(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "two.tif"
    path.write_bytes(tiff(tiff_page(4, 2, 8, b"abcdefgh"), tiff_page(4, 2, 8, b"abcdefgh")))
    assert decoder.page(path, 1).pixels.shape == (2, 4)
    for file, index in ((path, 2), (picture(tmp_path, 1), 1)):
        with pytest.raises(PermanentError, match=f"no page {index + 1}"):
            decoder.page(file, index)
