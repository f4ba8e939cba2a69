"""The pixels of a forwarded object in another transfer syntax, frame by frame, and what it then says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset
from pydicom.uid import UID, RLELossless

from dicomprinter.dicom.codecs import encode
from dicomprinter.dicom.forwarded.decoders import ALWAYS_LOSSY, DecodedFrame
from dicomprinter.dicom.forwarded.frames import native_frame
from dicomprinter.dicom.forwarded.opening import Source
from dicomprinter.dicom.forwarded.original import PIXEL_DATA, Original, PixelLayout
from dicomprinter.dicom.forwarded.structure import UNDEFINED
from dicomprinter.dicom.forwarded.writing import Output
from dicomprinter.errors import PermanentError

FrameOf = Callable[[int], DecodedFrame]
# Offsets and lengths of compressed frames, which are others now or mean nothing (PS3.3 C.7.6.3.1.8, C.7.6.3.1.9).
OFFSETS = (0x7FE00001, 0x7FE00002, 0x7FE00003)


@dataclass(frozen=True)
class Transcoding:
    """From an object's frames to pixel data in another syntax.

    Args:
        source: the object.
        original: what it says of itself.
        layout: of its pixels.
        target: a native syntax for frames that are compressed, or a lossless one of `codecs.ENCODERS`.
        frame: decodes a frame that is compressed, counted from 0.
    """

    source: Source
    original: Original
    layout: PixelLayout
    target: UID
    frame: FrameOf

    def description(self, first: DecodedFrame) -> Dataset:
        """What has to be said otherwise of the pixels, by the first frame (PS3.3 C.7.6.3)."""
        description = Dataset()
        description.PhotometricInterpretation = first.photometric_interpretation
        if self.target.is_encapsulated:
            encoded = encode(first.pixels, self._bits, self.target)
            if first.samples == 3:
                description.PhotometricInterpretation = _told(first, encoded.photometric_interpretation)
        if first.samples > 1:
            description.PlanarConfiguration = 0
        method = ALWAYS_LOSSY.get(self.original.transfer_syntax_uid)
        if method is not None and not self.original.lossy:
            # Once lossy, always lossy; with the syntax gone nothing else would tell (PS3.3 C.7.6.1.1.5).
            ratio = self.original.frames * self.layout.frame_bytes / max(1, self.layout.length)
            description.LossyImageCompression = "01"
            description.LossyImageCompressionRatio = f"{ratio:.4g}"
            description.LossyImageCompressionMethod = method
        return description

    def write(self, first: DecodedFrame, out: Output) -> None:
        """Write Pixel Data; of the frames, the first one is at hand.

        Raises:
            PermanentError: a frame cannot be decoded, is of another kind than the first, or cannot be encoded.
        """
        if self.target.is_encapsulated:
            out.header(PIXEL_DATA, "OB", UNDEFINED)
            # PS3.5 A.4: the Basic Offset Table may be empty; each frame is a fragment.
            out.fragment(b"")
            for frame in self._frames(first):
                out.fragment(_encoded(frame, self._bits, self.target))
            out.end_sequence()
            return
        length = self.original.frames * self.layout.frame_bytes
        out.header(PIXEL_DATA, "OW" if out.implicit or self.layout.bits_allocated > 8 else "OB", length + length % 2)
        for frame in self._frames(first):
            out.file.write(frame.data)
        out.file.write(bytes(length % 2))

    @property
    def _bits(self) -> int:
        """The encoder's bits; RLE is of whole bytes whatever is stored in them."""
        return self.layout.bits_allocated if self.target == RLELossless else self.layout.bits_stored

    def _frames(self, first: DecodedFrame) -> Iterator[DecodedFrame]:
        for index in range(self.original.frames):
            frame = self.decoded(index) if index else first
            is_other = frame.photometric_interpretation != first.photometric_interpretation
            if is_other or len(frame.data) != self.layout.frame_bytes:
                raise PermanentError(
                    f"frame {index + 1} of the object is of another kind than the first",
                    remedy="let the archive accept the object's own transfer syntax",
                )
            yield frame

    def decoded(self, index: int) -> DecodedFrame:
        """A frame as native pixels, counted from 0."""
        if self.layout.is_encapsulated:
            return self.frame(index)
        return native_frame(self.source, self.layout, index)


def _encoded(frame: DecodedFrame, bits: int, target: UID) -> bytes:
    unsigned = replace(frame, is_signed=False).pixels
    if bits < frame.bits_allocated and int(unsigned.max()) >> bits:
        raise PermanentError(
            "the object's pixels cannot be compressed without loss",
            cause="there is something in the bits above Bits Stored (0028,0101), as old overlays are",
            remedy="let the archive accept the object's own transfer syntax, or an uncompressed one",
        )
    return bytes(encode(unsigned, bits, target).data)


def _told(first: DecodedFrame, encoded: str) -> str:
    """What the encoder says, which takes all colour for RGB."""
    return encoded if first.photometric_interpretation == "RGB" else first.photometric_interpretation
