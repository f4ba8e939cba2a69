/* The Python side of the encoder: what comes in is checked, memory is made, the interpreter's lock is let go. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "encoder.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 }; /* bytes */

static const uint16_t ONE = 1;
#define IS_LITTLE_ENDIAN (*(const unsigned char *)&ONE == 1)

/* Native unsigned samples of the size, in struct's letters. */
static int is_format(const char *format, char letter)
{
    if (format == NULL)
        return letter == 'B';
    if (*format == '@' || *format == '=' || *format == (IS_LITTLE_ENDIAN ? '<' : '>'))
        format++;
    return format[0] == letter && format[1] == '\0';
}

static int read_image(const Py_buffer *view, int bits, jpeg_image *image)
{
    const int is_8 = bits == 8;
    if (bits < 8 || bits > 16) {
        PyErr_Format(PyExc_ValueError, "bits_stored must be 8 to 16, not %d", bits);
        return -1;
    }
    if (!is_format(view->format, is_8 ? 'B' : 'H') || view->itemsize != (is_8 ? 1 : 2)) {
        PyErr_Format(PyExc_TypeError, "pixels of %d bits must be %s of the machine's byte order, not \"%.20s\"", bits,
                     is_8 ? "uint8" : "uint16", view->format ? view->format : "B");
        return -1;
    }
    if ((view->ndim != 2 && (view->ndim != 3 || view->shape[2] != 3))) {
        PyErr_SetString(PyExc_ValueError, "pixels must be (rows, columns) or (rows, columns, 3)");
        return -1;
    }
    if (view->shape[0] < 1 || view->shape[0] > JPEG_LONGEST_SIDE || view->shape[1] < 1 ||
        view->shape[1] > JPEG_LONGEST_SIDE) {
        PyErr_Format(PyExc_ValueError, "rows and columns must be 1 to %d, not %zd and %zd", (int)JPEG_LONGEST_SIDE,
                     view->shape[0], view->shape[1]);
        return -1;
    }
    image->samples = view->buf;
    image->rows = (size_t)view->shape[0];
    image->columns = (size_t)view->shape[1];
    image->components = view->ndim == 3 ? 3 : 1;
    image->bits = (unsigned)bits;
    if ((uint64_t)view->len != (uint64_t)image->rows * image->columns * image->components * (is_8 ? 1 : 2)) {
        PyErr_SetString(PyExc_ValueError, "pixels are not as many as their shape says");
        return -1;
    }
    return 0;
}

/* What was written, in pieces: bytes cannot grow under the limited API. The last one comes first. */
typedef struct piece {
    struct piece *before;
    size_t size;
    uint8_t data[];
} piece;

static piece *forget(piece *last)
{
    piece *before = last->before;
    free(last);
    return before;
}

/* The whole image; NULL when there is no memory. Nothing of Python is touched. */
static piece *write_image(const jpeg_image *image)
{
    jpeg_encoder *encoder = malloc(sizeof *encoder);
    int16_t *differences = malloc(image->columns * image->components * sizeof *differences);
    piece *last = NULL;
    int failed = encoder == NULL || differences == NULL;
    if (!failed)
        jpeg_start(encoder, image, differences);
    while (!failed && (last == NULL || encoder->row < image->rows)) {
        const size_t room = PIECE + encoder->room_of_a_row;
        piece *next = malloc(sizeof *next + room);
        failed = next == NULL;
        if (failed)
            break;
        next->before = last;
        next->size = last == NULL ? jpeg_header(encoder, next->data) : 0;
        next->size += jpeg_rows(encoder, next->data + next->size, room - next->size);
        last = next;
    }
    while (failed && last != NULL)
        last = forget(last);
    free(differences);
    free(encoder);
    return last;
}

/* Each piece goes as soon as it is copied. */
static PyObject *join(piece *last)
{
    size_t size = 0;
    PyObject *bytes;
    for (const piece *one = last; one != NULL; one = one->before)
        size += one->size;
    bytes = size <= PY_SSIZE_T_MAX ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size) : PyErr_NoMemory();
    char *end = bytes != NULL ? PyBytes_AsString(bytes) + size : NULL;
    Py_BEGIN_ALLOW_THREADS
    for (; last != NULL; last = forget(last))
        if (end != NULL)
            memcpy(end -= last->size, last->data, last->size);
    Py_END_ALLOW_THREADS
    return bytes;
}

static PyObject *encode(PyObject *Py_UNUSED(module), PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"", "bits_stored", NULL};
    PyObject *pixels, *bytes = NULL;
    Py_buffer view;
    jpeg_image image;
    int bits;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "Oi:encode", names, &pixels, &bits))
        return NULL;
    if (PyObject_GetBuffer(pixels, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
        return NULL;
    if (read_image(&view, bits, &image) == 0) {
        piece *last;
        Py_BEGIN_ALLOW_THREADS
        last = write_image(&image);
        Py_END_ALLOW_THREADS
        bytes = last != NULL ? join(last) : PyErr_NoMemory();
    }
    PyBuffer_Release(&view);
    return bytes;
}

PyDoc_STRVAR(encode_doc, "encode($module, pixels, /, bits_stored)\n--\n\n"
                         "Encode an image without loss: JPEG, process 14, selection value 1 (ITU-T T.81 Annex H).");

static PyMethodDef methods[] = {
    {"encode", (PyCFunction)(void (*)(void))encode, METH_VARARGS | METH_KEYWORDS, encode_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_encoder", "JPEG Lossless in C.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__encoder(void)
{
    return PyModuleDef_Init(&definition);
}
