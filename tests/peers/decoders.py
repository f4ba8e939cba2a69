"""Programs that know nothing of this one, as judges of an object and as decoders of its pixels."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, HTJ2KLossless, JPEG2000Lossless, JPEGLSLossless, RLELossless

from dicomprinter.dicom.part10 import write
from tests.peers import program

Pixels = npt.NDArray[np.int64]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def native(path: Path) -> list[Pixels]:
    """The frames of an uncompressed file, read without a decoder."""
    dataset = dcmread(path)
    assert not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    rows, columns, samples = dataset.Rows, dataset.Columns, dataset.SamplesPerPixel
    frames, size = int(dataset.get("NumberOfFrames", 1)), rows * columns * samples
    data = np.frombuffer(dataset.PixelData, "u1" if dataset.BitsAllocated == 8 else "<u2").astype(np.int64)
    found = list(data[: frames * size].reshape(frames, size))
    if samples == 1:
        return [frame.reshape(rows, columns) for frame in found]
    assert dataset.PhotometricInterpretation == "RGB"
    if dataset.PlanarConfiguration == 1:
        return [np.moveaxis(frame.reshape(3, rows, columns), 0, 2) for frame in found]
    return [frame.reshape(rows, columns, 3) for frame in found]


def decoded_by_dcmtk(path: Path, syntax: UID) -> list[Pixels]:
    if not syntax.is_encapsulated:
        return native(path)
    tool = {RLELossless: "dcmdrle", JPEGLSLossless: "dcmdjpls"}.get(syntax, "dcmdjpeg")
    run(program(tool), str(path), f"{path}.dcmtk")
    return native(Path(f"{path}.dcmtk"))


def decoded_by_gdcm(path: Path) -> list[Pixels]:
    run(program("gdcmconv"), "--raw", str(path), f"{path}.gdcm")
    return native(Path(f"{path}.gdcm"))


def decoded_by_openjpeg(path: Path) -> list[Pixels]:
    """The codestreams alone: none of the other programs reads HTJ2K."""
    dataset = dcmread(path)
    rows, columns, samples = dataset.Rows, dataset.Columns, dataset.SamplesPerPixel
    found = []
    for stream in generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))):
        code, raw = Path(f"{path}.j2c"), Path(f"{path}.rawl")
        code.write_bytes(stream)
        run(program("opj_decompress"), "-i", str(code), "-o", str(raw))
        planes = np.fromfile(raw, "u1" if dataset.BitsAllocated == 8 else "<u2").astype(np.int64)
        planes = planes.reshape(samples, rows, columns)
        found.append(planes[0] if samples == 1 else np.moveaxis(planes, 0, 2))
    return found


def decoders(syntax: UID) -> list[Callable[[Path], list[Pixels]]]:
    """Those that read a syntax."""
    if syntax == HTJ2KLossless:
        return [decoded_by_openjpeg]
    if syntax == JPEG2000Lossless:
        return [decoded_by_gdcm, decoded_by_openjpeg]
    return [lambda path: decoded_by_dcmtk(path, syntax), decoded_by_gdcm]


def assert_valid(dataset: Dataset, path: Path) -> None:
    """dciodvfy finds no error; it does not know HTJ2K, whose objects look like those of JPEG 2000."""
    if dataset.file_meta.TransferSyntaxUID == HTJ2KLossless:
        dataset = deepcopy(dataset)
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        path = Path(f"{path}.as.j2k")
        write(dataset, path)
    assert "Error" not in run(program("dciodvfy"), "-new", str(path))
