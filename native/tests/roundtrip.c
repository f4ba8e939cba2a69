/* Random images through the encoder, and back through a decoder that takes bit by bit (T.81 Annex H, F.2.2).
 *
 * roundtrip IMAGES; to be built with the compiler's sanitizers. It aborts at the first that comes back otherwise. */

#include "encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = UINT64_C(88172645463325252);

static unsigned below(unsigned limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % limit;
}

static void demand(int is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void *memory(size_t size)
{
    void *found = malloc(size);
    demand(found != NULL, "no memory");
    return found;
}

/* Noise, flat, black and white, half of all values, runs, soft, and steps of every height. */
static unsigned next_sample(unsigned kind, unsigned last, unsigned bits)
{
    const unsigned top = (1u << bits) - 1;
    switch (kind) {
    case 0:
        return below(0x10000);
    case 1:
        return top;
    case 2:
        return below(2) * top;
    case 3:
        return below(2) * (top / 2 + 1);
    case 4:
        return below(50) ? last : below(0x10000);
    case 5:
        return last + below(5) - 2;
    default:
        return below(1u << below(17));
    }
}

/* Fills what is encoded and what is to come back, which is never above the largest value. */
static void fill(const jpeg_image *image, void *samples, uint16_t *wanted)
{
    const size_t count = image->rows * image->columns * image->components;
    const unsigned kind = below(7), top = (1u << image->bits) - 1;
    unsigned last = 0;
    for (size_t i = 0; i < count; i++) {
        last = next_sample(kind, last, image->bits) & 0xffff;
        if (image->bits == 8)
            last &= 0xff;
        if (image->bits == 8)
            ((uint8_t *)samples)[i] = (uint8_t)last;
        else
            ((uint16_t *)samples)[i] = (uint16_t)last;
        wanted[i] = (uint16_t)(last < top ? last : top);
    }
}

/* Each part goes into memory of its own, so that a sanitizer sees a byte too many. */
static size_t encode(const jpeg_image *image, uint8_t *out)
{
    jpeg_encoder *encoder = memory(sizeof *encoder);
    int16_t *differences = memory(image->columns * image->components * sizeof *differences);
    uint8_t *part = memory(JPEG_LONGEST_HEADER);
    size_t length, size;
    memset(encoder, 0xa5, sizeof *encoder);
    jpeg_start(encoder, image, differences);
    length = jpeg_header(encoder, part);
    memcpy(out, part, length);
    free(part);
    while (encoder->row < image->rows) {
        const size_t room = encoder->room_of_a_row + below(1000);
        part = memory(room);
        size = jpeg_rows(encoder, part, room);
        demand(size > 0 && size <= room, "the room of a row");
        memcpy(out + length, part, size);
        length += size;
        free(part);
    }
    free(differences);
    free(encoder);
    return length;
}

typedef struct {
    const uint8_t *next, *end;
    unsigned byte, left;
} bits;

static unsigned bit(bits *from)
{
    if (from->left == 0) {
        demand(from->next < from->end, "too few bits");
        from->byte = *from->next++;
        from->left = 8;
        if (from->byte == 0xff)
            demand(from->next < from->end && *from->next++ == 0, "a marker among the bits");
    }
    return from->byte >> --from->left & 1;
}

static int difference(bits *from, const uint8_t *counts, const uint8_t *symbols)
{
    unsigned code = 0, first = 0, length = 1, further = 0;
    for (;; length++, first <<= 1) {
        demand(length <= 16, "no such code");
        code = code << 1 | bit(from);
        if (code - first < counts[length - 1])
            break;
        first += counts[length - 1];
        symbols += counts[length - 1];
    }
    const unsigned category = symbols[code - first];
    if (category == 16)
        return 32768;
    for (unsigned i = 0; i < category; i++)
        further = further << 1 | bit(from);
    return category > 0 && further >> (category - 1) == 0 ? (int)further - (1 << category) + 1 : (int)further;
}

static void decode(const jpeg_image *image, const uint8_t *data, size_t length, uint16_t *out)
{
    const size_t step = image->components, row = image->columns * step;
    const uint8_t *segment = data + 2, *table = NULL;
    for (unsigned marker = 0; marker != 0xda; segment += 2 + (segment[2] << 8 | segment[3])) {
        marker = segment[1];
        if (marker == 0xc3)
            demand(segment[4] == image->bits && (size_t)(segment[5] << 8 | segment[6]) == image->rows &&
                       (size_t)(segment[7] << 8 | segment[8]) == image->columns && segment[9] == step,
                   "the frame header");
        if (marker == 0xc4)
            table = segment + 5;
    }
    demand(table != NULL && data[length - 2] == 0xff && data[length - 1] == 0xd9, "the markers");
    bits from = {segment, data + length - 2, 0, 0};
    for (size_t i = 0; i < image->rows * row; i++) {
        const unsigned left = i % row >= step ? out[i - step] : i >= row ? out[i - row] : 1u << (image->bits - 1);
        out[i] = (uint16_t)((int)left + difference(&from, table, table + 16));
    }
    while (from.left > 0)
        demand(bit(&from) == 1, "what fills the last byte");
    demand(from.next == from.end, "too many bits");
}

int main(int count, char **words)
{
    const long images = count > 1 ? atol(words[1]) : 1000;
    for (long done = 0; done < images; done++) {
        jpeg_image image = {NULL, 1 + below(below(8) ? 9 : 130), 1 + below(below(8) ? 40 : 700), below(2) ? 1 : 3,
                            8 + below(9)};
        const size_t samples = image.rows * image.columns * image.components;
        void *pixels = memory(samples * (image.bits == 8 ? 1 : 2));
        uint16_t *wanted = memory(samples * 2), *found = memory(samples * 2);
        uint8_t *data = memory(samples * 8 + image.rows * 40 + 1024);
        fill(&image, pixels, wanted);
        image.samples = pixels;
        decode(&image, data, encode(&image, data), found);
        demand(memcmp(wanted, found, samples * 2) == 0, "other samples");
        free(data);
        free(found);
        free(wanted);
        free(pixels);
    }
    printf("%ld images came back as they were\n", images);
    return 0;
}
