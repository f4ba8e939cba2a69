#include "encoder.h"

#include <string.h>

/* One more keeps the code of ones alone free (K.2). */
enum { SYMBOLS = JPEG_CATEGORIES + 1 };

/* 16 bits are allowed. So, four differences of 8 bits fit into 62 with all that belongs to them, or two of any. */
static unsigned longest_code(unsigned bits)
{
    return bits == 8 ? 7 : 15;
}

/* Table H.2: as many bits as the difference has. 32768, which is -32768 here, has a category of its own. */
static unsigned category_of(int difference)
{
    static const uint8_t of_4_bits[16] = {0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4};
    unsigned size = (unsigned)(difference < 0 ? -difference : difference), category = 0;
    if (size >> 8) {
        category = 8;
        size >>= 8;
    }
    if (size >> 4) {
        category += 4;
        size >>= 4;
    }
    return category + of_4_bits[size];
}

static int is_in_table(int difference)
{
    return (unsigned)(difference + JPEG_IN_TABLE) <= 2 * JPEG_IN_TABLE;
}

/* Modulo 2 to the 16 (H.1.2.1). */
static int16_t difference_of(unsigned sample, unsigned prediction)
{
    unsigned difference = (sample - prediction) & 0xffff;
    return (int16_t)(difference < 0x8000 ? (int)difference : (int)difference - 0x10000);
}

static unsigned at_most(unsigned top, unsigned sample)
{
    return sample < top ? sample : top;
}

/* The prediction is the sample to the left, or above in the first column; the middle of all for the first (H.1.2.1). */
static void take_row_of_8(const jpeg_image *image, size_t row, int16_t *differences)
{
    size_t step = image->components, count = image->columns * step;
    const uint8_t *samples = (const uint8_t *)image->samples + row * count;
    for (size_t i = 0; i < step; i++)
        differences[i] = difference_of(samples[i], row == 0 ? 0x80 : *(samples + i - count));
    for (size_t i = step; i < count; i++)
        differences[i] = (int16_t)(samples[i] - samples[i - step]);
}

static void take_row_of_16(const jpeg_image *image, size_t row, int16_t *differences)
{
    size_t step = image->components, count = image->columns * step;
    const uint16_t *samples = (const uint16_t *)image->samples + row * count;
    const unsigned top = (1u << image->bits) - 1, middle = 1u << (image->bits - 1);
    for (size_t i = 0; i < step; i++)
        differences[i] =
            difference_of(at_most(top, samples[i]), row == 0 ? middle : at_most(top, *(samples + i - count)));
    for (size_t i = step; i < count; i++)
        differences[i] = difference_of(at_most(top, samples[i]), at_most(top, samples[i - step]));
}

static void take_row(jpeg_encoder *encoder, size_t row)
{
    if (encoder->image.bits == 8)
        take_row_of_8(&encoder->image, row, encoder->differences);
    else
        take_row_of_16(&encoder->image, row, encoder->differences);
}

/* Eight of them: most of a printed page is paper. */
static int are_zero(const int16_t *differences)
{
    uint64_t words[2];
    memcpy(words, differences, sizeof words);
    return (words[0] | words[1]) == 0;
}

/* Of a large image a quarter of the rows; they lie irregularly, so that no pattern of the page escapes them. */
static int is_counted(const jpeg_image *image, size_t row)
{
    return image->rows < 64 || ((uint32_t)row * 2654435769u) >> 30 == 0;
}

/* How often each category comes. For the time being, the table says how often each difference does. */
static void count_categories(jpeg_encoder *encoder, uint64_t counts[JPEG_CATEGORIES])
{
    const jpeg_image *image = &encoder->image;
    const int16_t *differences = encoder->differences;
    uint32_t *found = encoder->table + JPEG_IN_TABLE;
    size_t count = image->columns * image->components;
    memset(encoder->table, 0, sizeof encoder->table);
    for (size_t row = 0; row < image->rows; row++) {
        if (!is_counted(image, row))
            continue;
        take_row(encoder, row);
        for (size_t i = 0; i < count; i++) {
            if (i + 8 <= count && are_zero(differences + i)) {
                counts[0] += 8;
                i += 7;
            } else if (is_in_table(differences[i]))
                found[differences[i]]++;
            else
                counts[category_of(differences[i])]++;
        }
    }
    for (int difference = -JPEG_IN_TABLE; difference <= JPEG_IN_TABLE; difference++)
        counts[category_of(difference)] += found[difference];
}

/* Huffman's lengths (Figures K.1, K.2): the two rarest symbols are joined, over and over. Returns the longest. */
static unsigned huffman(const uint64_t counts[SYMBOLS], unsigned symbols, unsigned lengths[SYMBOLS])
{
    uint64_t together[SYMBOLS];
    unsigned group[SYMBOLS], longest = 0;
    for (unsigned i = 0; i < symbols; i++) {
        together[i] = counts[i];
        group[i] = i;
        lengths[i] = 0;
    }
    for (unsigned joined = 1; joined < symbols; joined++) {
        unsigned rarest = SYMBOLS, next = SYMBOLS;
        for (unsigned i = 0; i < symbols; i++) {
            if (group[i] != i)
                continue;
            if (rarest == SYMBOLS || together[i] < together[rarest]) {
                next = rarest;
                rarest = i;
            } else if (next == SYMBOLS || together[i] < together[next])
                next = i;
        }
        together[rarest] += together[next];
        for (unsigned i = 0; i < symbols; i++) {
            if (group[i] != rarest && group[i] != next)
                continue;
            group[i] = rarest;
            if (++lengths[i] > longest)
                longest = lengths[i];
        }
    }
    return longest;
}

/* A code for every category that the image can have, whether it was counted or not. */
static void make_codes(jpeg_encoder *encoder, const uint64_t counted[JPEG_CATEGORIES])
{
    const unsigned categories = encoder->image.bits + 1, longest = longest_code(encoder->image.bits);
    uint64_t counts[SYMBOLS];
    unsigned lengths[SYMBOLS], code = 0;
    for (unsigned i = 0; i < categories; i++)
        counts[i] = counted[i] + 1;
    counts[categories] = 0; /* the rarest, so its code is among the longest and, as the last of those, all ones */
    while (huffman(counts, categories + 1, lengths) > longest)
        for (unsigned i = 0; i < categories; i++)
            counts[i] = counts[i] / 2 + 1;
    memset(encoder->lengths, 0, sizeof encoder->lengths);
    for (unsigned length = 1; length <= longest; length++, code <<= 1)
        for (unsigned i = 0; i < categories; i++)
            if (lengths[i] == length) {
                encoder->lengths[i] = length;
                encoder->codes[i] = code++;
            }
}

/* The category's code and, below it, what tells its differences apart (F.1.2.1.1); of the last there is only one. */
static unsigned bits_of(const jpeg_encoder *encoder, int difference, uint32_t *bits)
{
    unsigned category = category_of(difference), further = category < 16 ? category : 0;
    unsigned low = (unsigned)(difference < 0 ? difference - 1 : difference) & ((1u << further) - 1);
    *bits = ((uint32_t)encoder->codes[category] << further) | low;
    return encoder->lengths[category] + further;
}

static void fill_table(jpeg_encoder *encoder)
{
    const int top = encoder->image.bits < 12 ? (1 << encoder->image.bits) - 1 : JPEG_IN_TABLE;
    for (int difference = -top; difference <= top; difference++) {
        uint32_t bits;
        unsigned length = bits_of(encoder, difference, &bits);
        encoder->table[difference + JPEG_IN_TABLE] = bits << 5 | length;
    }
}

void jpeg_start(jpeg_encoder *encoder, const jpeg_image *image, int16_t *differences)
{
    uint64_t counts[JPEG_CATEGORIES] = {0};
    encoder->image = *image;
    encoder->differences = differences;
    encoder->row = 0;
    encoder->pending = 0;
    encoder->waiting = 0;
    count_categories(encoder, counts);
    make_codes(encoder, counts);
    fill_table(encoder);
    /* A difference takes up to 31 bits, and each byte may be followed by a zero; 20 for what is pending and the end. */
    encoder->room_of_a_row = image->columns * image->components * 8 + 20;
}

static uint8_t *put_word(uint8_t *out, unsigned value)
{
    *out++ = (uint8_t)(value >> 8);
    *out++ = (uint8_t)value;
    return out;
}

size_t jpeg_header(const jpeg_encoder *encoder, uint8_t *out)
{
    /* Adobe's marker says RGB to readers that would take three components for YCbCr. */
    static const uint8_t adobe[] = {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};
    const jpeg_image *image = &encoder->image;
    const unsigned components = (unsigned)image->components;
    const char *names = components == 3 ? "RGB" : "\1";
    uint8_t *start = out;

    out = put_word(out, 0xffd8); /* SOI */
    if (components == 3) {
        memcpy(out, adobe, sizeof adobe);
        out += sizeof adobe;
    }
    out = put_word(out, 0xffc3); /* SOF3 */
    out = put_word(out, 8 + 3 * components);
    *out++ = (uint8_t)image->bits;
    out = put_word(out, (unsigned)image->rows);
    out = put_word(out, (unsigned)image->columns);
    *out++ = (uint8_t)components;
    for (unsigned i = 0; i < components; i++) {
        *out++ = (uint8_t)names[i];
        out = put_word(out, 0x1100); /* not subsampled; no quantization */
    }
    out = put_word(out, 0xffc4); /* DHT: one table, for all components */
    out = put_word(out, 2 + 17 + image->bits + 1);
    *out++ = 0;
    for (unsigned length = 1; length <= 16; length++) {
        *out = 0;
        for (unsigned i = 0; i < JPEG_CATEGORIES; i++)
            *out = (uint8_t)(*out + (encoder->lengths[i] == length));
        out++;
    }
    for (unsigned length = 1; length <= 16; length++)
        for (unsigned i = 0; i < JPEG_CATEGORIES; i++)
            if (encoder->lengths[i] == length)
                *out++ = (uint8_t)i;
    out = put_word(out, 0xffda); /* SOS */
    out = put_word(out, 6 + 2 * components);
    *out++ = (uint8_t)components;
    for (unsigned i = 0; i < components; i++)
        out = put_word(out, (unsigned)(uint8_t)names[i] << 8);
    out = put_word(out, 0x0100); /* selection value 1 */
    *out++ = 0;                  /* no point transform */
    return (size_t)(out - start);
}

typedef struct {
    uint8_t *out;
    uint64_t pending;
    unsigned waiting;
} writer;

/* A zero follows each FF, so that it is no marker (F.1.2.3). */
static uint8_t *put_bytes(uint8_t *out, uint64_t bits, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        *out++ = (uint8_t)(bits >> (64 - 8 * i));
        if (out[-1] == 0xff)
            *out++ = 0;
    }
    return out;
}

static uint8_t *put_8_bytes(uint8_t *out, uint64_t bits)
{
    /* A byte whose highest bit goes when one is added is FF. FE may look so beside an FF; that does no harm. */
    if (bits & ~(bits + UINT64_C(0x0101010101010101)) & UINT64_C(0x8080808080808080))
        return put_bytes(out, bits, 8);
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(bits >> (56 - 8 * i));
    return out + 8;
}

typedef struct {
    uint64_t bits;
    unsigned length;
} code;

static inline code from_table(const jpeg_encoder *encoder, int difference)
{
    uint32_t entry = encoder->table[difference + JPEG_IN_TABLE];
    code found = {entry >> 5, entry & 31};
    return found;
}

static inline code code_of(const jpeg_encoder *encoder, int difference)
{
    code found;
    uint32_t bits;
    if (is_in_table(difference))
        return from_table(encoder, difference);
    found.length = bits_of(encoder, difference, &bits);
    found.bits = bits;
    return found;
}

static inline code joined(code first, code second)
{
    first.bits = first.bits << second.length | second.bits;
    first.length += second.length;
    return first;
}

/* At most 62 bits. */
static inline void put(writer *to, code next)
{
    unsigned room = 64 - to->waiting;
    if (next.length < room) {
        to->pending = to->pending << next.length | next.bits;
        to->waiting += next.length;
    } else {
        unsigned rest = next.length - room;
        to->out = put_8_bytes(to->out, to->pending << room | next.bits >> rest);
        to->pending = next.bits;
        to->waiting = rest;
    }
}

static uint8_t *put_row(jpeg_encoder *encoder, uint8_t *out)
{
    const size_t count = encoder->image.columns * encoder->image.components;
    const int is_8 = encoder->image.bits == 8;
    const code zero = code_of(encoder, 0), two = joined(zero, zero), four = joined(two, two);
    writer to = {out, encoder->pending, encoder->waiting};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const int16_t *next = encoder->differences + i;
        if (zero.length < 8 && are_zero(next))
            put(&to, joined(four, four));
        else if (is_8)
            for (int j = 0; j < 8; j += 4)
                put(&to, joined(joined(from_table(encoder, next[j]), from_table(encoder, next[j + 1])),
                                joined(from_table(encoder, next[j + 2]), from_table(encoder, next[j + 3]))));
        else
            for (int j = 0; j < 8; j += 2)
                put(&to, joined(code_of(encoder, next[j]), code_of(encoder, next[j + 1])));
    }
    for (; i < count; i++)
        put(&to, code_of(encoder, encoder->differences[i]));
    encoder->pending = to.pending;
    encoder->waiting = to.waiting;
    return to.out;
}

/* What is pending, filled with ones to a whole byte (F.1.2.3), and EOI. */
static uint8_t *put_end(const jpeg_encoder *encoder, uint8_t *out)
{
    if (encoder->waiting != 0) {
        uint64_t bits = encoder->pending << (64 - encoder->waiting) | UINT64_MAX >> encoder->waiting;
        out = put_bytes(out, bits, (encoder->waiting + 7) / 8);
    }
    return put_word(out, 0xffd9);
}

size_t jpeg_rows(jpeg_encoder *encoder, uint8_t *out, size_t room)
{
    uint8_t *const start = out;
    while (encoder->row < encoder->image.rows && room - (size_t)(out - start) >= encoder->room_of_a_row) {
        take_row(encoder, encoder->row);
        out = put_row(encoder, out);
        if (++encoder->row == encoder->image.rows)
            out = put_end(encoder, out);
    }
    return (size_t)(out - start);
}
