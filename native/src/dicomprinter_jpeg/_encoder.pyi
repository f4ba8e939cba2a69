from typing_extensions import Buffer

def encode(pixels: Buffer, /, bits_stored: int) -> bytes:
    """Encode an image without loss: JPEG, process 14, selection value 1 (ITU-T T.81 Annex H).

    The interpreter's lock is released meanwhile. A sample above the largest of `bits_stored` counts as the largest.

    Args:
        pixels: (rows, columns) grey or (rows, columns, 3) RGB, C-contiguous, each side 1 to 65,535; uint8 for 8 bits,
            else uint16 of the machine's byte order.
        bits_stored: 8 to 16.

    Returns:
        The codestream, from SOI to EOI.

    Raises:
        TypeError: no buffer, or one of other samples.
        ValueError: another shape, size or number of bits.
        BufferError: not contiguous; numpy says so by ValueError.
        MemoryError: there is none.
    """
