/* The hash tree of RFC 6962 section 2.1 over the leaves of a manifest, filled up and sorted. */
#ifndef MIZHENG_TREE_H
#define MIZHENG_TREE_H

#include <Python.h>
#include <stdlib.h>

#include "sha256.h"

static int by_bytes(const void *left, const void *right) { return memcmp(left, right, 32); }

/* Hashes, which are spread evenly: into place by their first two bytes, then those few that share them. */
static void sort(unsigned char *nodes, size_t count)
{
    size_t *ends = calloc(65537, sizeof *ends);
    unsigned char *copy = ends ? malloc(count * 32) : NULL;
    if (copy) {
        memcpy(copy, nodes, count * 32);
        for (const unsigned char *node = copy; node < copy + count * 32; node += 32)
            ends[(node[0] << 8 | node[1]) + 1]++;
        for (size_t i = 0; i < 65536; i++)
            ends[i + 1] += ends[i];
        for (const unsigned char *node = copy; node < copy + count * 32; node += 32)
            memcpy(nodes + 32 * ends[node[0] << 8 | node[1]]++, node, 32);
        for (size_t i = 0, start = 0; i < 65536; start = ends[i++])
            if (ends[i] - start > 1)
                qsort(nodes + 32 * start, ends[i] - start, 32, by_bytes);
    } else
        qsort(nodes, count, 32, by_bytes);
    free(copy);
    free(ends);
}

static void fill_and_sort(
    unsigned char *nodes, size_t given, size_t size, const Py_buffer *key, const Py_buffer *context)
{
    Keyed keyed;
    keyed_start(&keyed, key->buf, (size_t)key->len, context->buf, (size_t)context->len);
    for (size_t i = given; i < size; i++) {
        unsigned char number[8];
        write_big(number, i - given, 8);
        keyed_digest(&keyed, number, 8, nodes + i * 32);
    }
    sort(nodes, size);
}

/* levels(leaves, size, pad key, pad context) -> [leaves sorted, nodes above, ..., root], each in one piece; `size` is a
 * power of two, and pads fill up what is missing. */
static PyObject *levels(PyObject *self, PyObject *args)
{
    Py_buffer leaves, key, context;
    Py_ssize_t size;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*ny*y*", &leaves, &size, &key, &context))
        return NULL;
    PyObject *result = PyList_New(0), *level = NULL;
    if (size < 1 || (size & (size - 1)) || leaves.len % 32 || leaves.len / 32 > size || key.len > 64)
        PyErr_SetString(PyExc_ValueError, "no leaves of such a tree");
    else if (result && (level = PyBytes_FromStringAndSize(NULL, size * 32))) {
        unsigned char *nodes = (unsigned char *)PyBytes_AsString(level);
        Py_BEGIN_ALLOW_THREADS
        memcpy(nodes, leaves.buf, (size_t)leaves.len);
        fill_and_sort(nodes, (size_t)leaves.len / 32, (size_t)size, &key, &context);
        Py_END_ALLOW_THREADS
    }
    while (level && PyList_Append(result, level) == 0 && size > 1) {
        const unsigned char *below = (const unsigned char *)PyBytes_AsString(level);
        PyObject *above = PyBytes_FromStringAndSize(NULL, (size /= 2) * 32);
        if (above) {
            unsigned char *nodes = (unsigned char *)PyBytes_AsString(above);
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t i = 0; i < size; i++)
                hash_marked("\1", below + i * 64, 64, nodes + i * 32);
            Py_END_ALLOW_THREADS
        }
        Py_DECREF(level);
        level = above;
    }
    Py_XDECREF(level);
    PyBuffer_Release(&leaves);
    PyBuffer_Release(&key);
    PyBuffer_Release(&context);
    if (PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

#endif
