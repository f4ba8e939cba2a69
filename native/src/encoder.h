/* JPEG Lossless, Non-Hierarchical, First-Order Prediction: ITU-T T.81 Annex H, process 14 with selection value 1.
 *
 * Plain C11 that knows nothing of Python. The caller owns all memory, and makes room between two rows. */

#ifndef DICOMPRINTER_JPEG_ENCODER_H
#define DICOMPRINTER_JPEG_ENCODER_H

#include <stddef.h>
#include <stdint.h>

enum {
    JPEG_LONGEST_SIDE = 65535,
    JPEG_LONGEST_HEADER = 128,
    JPEG_CATEGORIES = 17, /* of differences (Table H.2) */
    JPEG_IN_TABLE = 4095  /* differences from -4095 to 4095, which are all of 12 bits, are looked up */
};

typedef struct {
    const void *samples;  /* row by row, the components of a pixel together; uint8_t where bits is 8, else uint16_t */
    size_t rows, columns; /* 1 to JPEG_LONGEST_SIDE */
    size_t components;    /* 1, or 3 for RGB */
    unsigned bits;        /* 8 to 16; a larger sample counts as the largest of so many bits */
} jpeg_image;

typedef struct {
    jpeg_image image;
    size_t row;           /* the next one; image.rows when all is written */
    size_t room_of_a_row; /* bytes: no row takes more, with what closes the image */
    int16_t *differences; /* of one row */
    uint64_t pending;     /* bits that are not yet written, in the lowest places */
    unsigned waiting;     /* how many of them, less than 64 */
    unsigned lengths[JPEG_CATEGORIES];
    unsigned codes[JPEG_CATEGORIES];
    uint32_t table[2 * JPEG_IN_TABLE + 1]; /* a difference's bits, and in the lowest 5 places how many they are */
} jpeg_encoder;

/* Makes the codes for an image. `differences` has room for columns times components, and stays with the encoder. */
void jpeg_start(jpeg_encoder *encoder, const jpeg_image *image, int16_t *differences);

/* Writes what comes before the rows, at most JPEG_LONGEST_HEADER bytes. Returns how many. */
size_t jpeg_header(const jpeg_encoder *encoder, uint8_t *out);

/* Writes rows while there is room for any, and after the last one what closes the image. Returns how many bytes. */
size_t jpeg_rows(jpeg_encoder *encoder, uint8_t *out, size_t room);

#endif
