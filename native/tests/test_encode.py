"""The encoder by itself; another library says what its codestreams hold."""

from __future__ import annotations

import os
import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

try:
    from dicomprinter_jpeg import encode
except ImportError:
    if os.environ.get("CI"):
        raise
    pytest.skip("native/ is not installed: a C compiler and Python's headers are needed", allow_module_level=True)

RANDOM = np.random.default_rng(70)
FORMS = [(8, ()), (8, (3,)), (12, ()), (12, (3,)), (16, ()), (16, (3,)), (9, ()), (11, ()), (13, ()), (15, ())]


def kind(bits: int) -> type[np.unsignedinteger]:
    return np.uint8 if bits == 8 else np.uint16


def noise(shape: tuple[int, ...], top: int) -> np.ndarray:
    return RANDOM.integers(0, top, shape, endpoint=True)


def flat(shape: tuple[int, ...], top: int) -> np.ndarray:
    return np.full(shape, top)


def extremes(shape: tuple[int, ...], top: int) -> np.ndarray:
    return noise(shape, 1) * top


def halves(shape: tuple[int, ...], top: int) -> np.ndarray:
    """Differences of half of all values, which is 32,768 with 16 bits."""
    return noise(shape, 1) * (top // 2 + 1)


def rare(shape: tuple[int, ...], top: int) -> np.ndarray:
    """Flat, with each height of a step there once in a while."""
    found = np.zeros(shape, int)
    steps = 1 << RANDOM.integers(0, top.bit_length(), found.size // 50 + 1)
    found.flat[::50] = steps[: len(found.flat[::50])]
    return found


def soft(shape: tuple[int, ...], top: int) -> np.ndarray:
    rows, columns = np.indices(shape[:2])
    wave = (np.sin(rows / 9) + np.cos(columns / 7) + 2) / 4 * top
    return (wave.reshape(*shape[:2], *[1] * (len(shape) - 2)) + RANDOM.normal(0, 2, shape)).clip(0, top)


@pytest.mark.parametrize("content", [noise, flat, extremes, halves, rare, soft])
@pytest.mark.parametrize(("bits", "samples"), FORMS)
def test_what_goes_in_comes_out(bits: int, samples: tuple[int, ...], content: Callable[..., Any]) -> None:
    for rows, columns in ((1, 1), (1, 7), (40, 1), (3, 8), (5, 17), (97, 131)):
        pixels = content((rows, columns, *samples), (1 << bits) - 1).astype(kind(bits))
        decoded = imagecodecs.jpeg8_decode(encode(pixels, bits))
        assert decoded.dtype == pixels.dtype
        assert (decoded.reshape(pixels.shape) == pixels).all()


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_image(data: st.DataObject) -> None:
    bits = data.draw(st.integers(8, 16))
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 40))) + data.draw(st.sampled_from([(), (3,)]))
    size = int(np.prod(shape))
    # A few values make runs; all of them make noise.
    values = data.draw(st.lists(st.integers(0, (1 << bits) - 1), min_size=1, max_size=20))
    chosen = data.draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))
    pixels = np.array(chosen, kind(bits)).reshape(shape)
    assert (imagecodecs.jpeg8_decode(encode(pixels, bits)).reshape(shape) == pixels).all()


@pytest.mark.parametrize("shape", [(1, 65_500), (65_500, 1), (2, 65_500, 3)])
def test_the_longest_sides_that_the_other_library_reads(shape: tuple[int, ...]) -> None:
    pixels = noise(shape, 255).astype(np.uint8)
    assert (imagecodecs.jpeg8_decode(encode(pixels, 8)).reshape(shape) == pixels).all()


@pytest.mark.parametrize("shape", [(1, 65_535), (65_535, 1), (3, 65_535, 3)])
def test_the_longest_sides(shape: tuple[int, ...]) -> None:
    data = encode(np.zeros(shape, np.uint16), 16)
    frame = data.index(b"\xff\xc3")
    assert tuple(int.from_bytes(data[frame + 5 + i : frame + 7 + i], "big") for i in (0, 2)) == shape[:2]
    assert data.endswith(b"\xff\xd9")


def test_more_than_a_piece_of_memory() -> None:
    pixels = noise((1100, 1300, 3), 65_535).astype(np.uint16)
    assert (imagecodecs.jpeg8_decode(encode(pixels, 16)) == pixels).all()


def test_larger_samples_count_as_the_largest() -> None:
    pixels = np.array([[5000, 4095, 4096, 65_535, 1, 4097, 4095, 2, 3], [4096, 0, 0, 1, 2, 3, 4, 5, 6]] * 2, np.uint16)
    assert (imagecodecs.jpeg8_decode(encode(pixels, 12)) == pixels.clip(0, 4095)).all()


def test_what_the_headers_say() -> None:
    data = encode(np.zeros((3, 4, 3), np.uint8), 8)
    assert data[:2] == b"\xff\xd8"
    assert data[2:18] == b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    assert data[18:37] == b"\xff\xc3\x00\x11\x08\x00\x03\x00\x04\x03R\x11\x00G\x11\x00B\x11\x00"
    assert data[-2:] == b"\xff\xd9"
    scan = data.index(b"\xff\xda")
    assert data[scan + 2 : scan + 14] == b"\x00\x0c\x03R\x00G\x00B\x00\x01\x00\x00"
    assert encode(np.zeros((3, 4), np.uint8), 8)[2:13] == b"\xff\xc3\x00\x0b\x08\x00\x03\x00\x04\x01\x01"


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_no_code_is_of_ones_alone(bits: int) -> None:
    data = encode(noise((50, 50), (1 << bits) - 1).astype(kind(bits)), bits)
    counts = data[data.index(b"\xff\xc4") + 5 :][:16]
    assert sum(counts) == bits + 1
    used = sum(count << (16 - length) for length, count in enumerate(counts, 1))
    longest = max(length for length, count in enumerate(counts, 1) if count)
    assert used == (1 << 16) - (1 << (16 - longest))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_the_longest_codes_side_by_side(bits: int) -> None:
    """A category comes twice as often as the next one, which asks for a code as long as there are categories."""
    steps = np.repeat((1 << np.arange(bits)) - 1, 10 << np.arange(bits)[::-1])
    heights = RANDOM.permutation(steps)
    pixels = np.concatenate([np.stack([heights * 0, heights], 1).reshape(-1), [0, (1 << bits) - 1] * 8])
    columns = min(pixels.size, 50_000)
    pixels = pixels[pixels.size % columns :].reshape(-1, columns).astype(kind(bits))
    assert (imagecodecs.jpeg8_decode(encode(pixels, bits)).reshape(pixels.shape) == pixels).all()


def test_a_short_run_where_runs_are_rare() -> None:
    pixels = noise((60, 3000), 65_535).astype(np.uint16)
    pixels[30, 1000:1020] = 7
    assert (imagecodecs.jpeg8_decode(encode(pixels, 16)) == pixels).all()


def test_no_marker_among_the_bits() -> None:
    data = encode(noise((300, 300), 65_535).astype(np.uint16), 16)
    scan = data[data.index(b"\xff\xda") + 10 : -2]
    assert scan.count(b"\xff") > 100
    assert scan.count(b"\xff") == scan.count(b"\xff\x00")


def test_a_pattern_of_the_rows_costs_little() -> None:
    for period in (2, 4, 8):
        pixels = np.zeros((512, 400), np.uint8)
        pixels[::period] = noise((512 // period, 400), 255)
        mine = len(encode(pixels, 8))
        other = len(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=8))
        assert mine < 1.03 * other


@pytest.mark.parametrize(
    ("pixels", "bits", "error", "reason"),
    [
        (np.zeros((0, 4), np.uint8), 8, ValueError, "rows and columns must be 1 to 65535, not 0 and 4"),
        (np.zeros((4, 0), np.uint8), 8, ValueError, "not 4 and 0"),
        (np.zeros((1, 65_536), np.uint8), 8, ValueError, "not 1 and 65536"),
        (np.zeros((65_536, 1), np.uint8), 8, ValueError, "not 65536 and 1"),
        (np.zeros(4, np.uint8), 8, ValueError, "must be"),
        (np.zeros((4, 4, 4), np.uint8), 8, ValueError, "must be"),
        (np.zeros((4, 4, 3, 1), np.uint8), 8, ValueError, "must be"),
        (np.zeros((), np.uint8), 8, ValueError, "must be"),
        (b"pixels", 8, ValueError, "must be"),
        (np.zeros((4, 4), np.uint8), 7, ValueError, "8 to 16, not 7"),
        (np.zeros((4, 4), np.uint16), 17, ValueError, "8 to 16, not 17"),
        (np.zeros((4, 4), np.uint8), -(1 << 31), ValueError, "8 to 16"),
        (np.zeros((4, 4), np.uint8), 1 << 40, OverflowError, None),
        (np.zeros((4, 4), np.uint8), 8.0, TypeError, None),
        (np.zeros((4, 4), np.uint8), 12, TypeError, "must be uint16"),
        (np.zeros((4, 4), np.uint16), 8, TypeError, "must be uint8"),
        (np.zeros((4, 4), np.int8), 8, TypeError, "must be uint8"),
        (np.zeros((4, 4), np.int16), 16, TypeError, "must be uint16"),
        (np.zeros((4, 4), np.dtype(np.uint16).newbyteorder()), 16, TypeError, "byte order"),
        (np.zeros((4, 4), np.float16), 16, TypeError, "must be uint16"),
        (np.zeros((4, 8), np.uint8)[:, ::2], 8, (ValueError, BufferError), "contiguous"),
        (np.zeros((4, 8), np.uint8).T, 8, (ValueError, BufferError), "contiguous"),
        ([[1, 2], [3, 4]], 8, TypeError, "bytes-like"),
        (None, 8, TypeError, "bytes-like"),
    ],
)
def test_what_is_refused(pixels: object, bits: Any, error: Any, reason: str | None) -> None:
    with pytest.raises(error, match=reason):
        encode(pixels, bits)  # type: ignore[arg-type]


def test_any_buffer_will_do() -> None:
    pixels = noise((6, 10), 65_535).astype(np.uint16)
    wanted = encode(pixels, 16)
    as_bytes = memoryview(pixels.tobytes())
    assert encode(as_bytes.cast("H", (6, 10)), 16) == wanted
    assert encode(memoryview(array("H", pixels.reshape(-1).tolist())).cast("B").cast("H", (6, 10)), 16) == wanted
    frozen = pixels.copy()
    frozen.flags.writeable = False
    assert encode(frozen, bits_stored=16) == wanted
    assert encode(as_bytes.cast("B", (6, 20)), 8)


def test_threads_give_what_one_gives() -> None:
    pages = [noise((400, 300, 3), 255).astype(np.uint8) for _ in range(4)]
    found: dict[int, bytes] = {}

    def work(index: int) -> None:
        for _ in range(5):
            found[index] = encode(pages[index], 8)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[index] for index in range(4)] == [encode(page, 8) for page in pages]


def test_other_threads_go_on_meanwhile() -> None:
    page = noise((1000, 1000), 255).astype(np.uint8)
    may_begin, has_run = threading.Event(), threading.Event()

    def work() -> None:
        may_begin.wait()
        has_run.set()

    thread = threading.Thread(target=work)
    thread.start()
    before = sys.getswitchinterval()
    # Nobody is given the interpreter's lock unless it is let go.
    sys.setswitchinterval(1000)
    try:
        may_begin.set()
        for _ in range(200):
            encode(page, 8)
            if has_run.is_set():
                break
        assert has_run.is_set()
    finally:
        sys.setswitchinterval(before)
        thread.join()


def test_pixels_that_change_meanwhile_do_no_harm() -> None:
    pixels = np.zeros((1500, 1500), np.uint16)
    is_over = threading.Event()

    def disturb() -> None:
        while not is_over.is_set():
            pixels[:] = RANDOM.integers(0, 65_536, pixels.shape, np.uint16)
            pixels[:] = 0

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for bits in (12, 16) * 5:
            assert encode(pixels, bits).endswith(b"\xff\xd9")
    finally:
        is_over.set()
        thread.join()
