/* What is done for each name in a folder, for each file that has not changed since an earlier seal, and for each
 * node of the tree (decision 36); and both digests of an original that is kept (pair.h, decision 35).
 *
 * All of it stands in Python, too: walking.py, recording.py, records.py and labels.py here, keyed.py, merkle.py and
 * manifest.py of the verifier. quick.py holds both against each other before this is used; keeping/digests.py, pair.h
 * and hashlib. POSIX, C11, and CPython's stable interface.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <Python.h>

#include "listing.h"
#include "pair.h"
#include "sha256.h"
#include "tree.h"
#include "unchanged.h"

/* keyed_hash(key, message, is_portable): HMAC-SHA-256, for holding it against another. */
static PyObject *keyed_hash(PyObject *self, PyObject *args)
{
    Py_buffer key, message;
    int is_portable;
    unsigned char out[32];
    (void)self;
    if (!PyArg_ParseTuple(args, "y*y*p", &key, &message, &is_portable))
        return NULL;
    compress = !is_portable && has_native() ? compress_native : compress_plain;
    if (key.len <= 64) {
        Keyed keyed;
        keyed_start(&keyed, key.buf, (size_t)key.len, "", 0);
        keyed_digest(&keyed, message.buf, (size_t)message.len, out);
    } else
        PyErr_SetString(PyExc_ValueError, "a key of at most 64 bytes");
    compress = has_native() ? compress_native : compress_plain;
    PyBuffer_Release(&key);
    PyBuffer_Release(&message);
    return PyErr_Occurred() ? NULL : PyBytes_FromStringAndSize((char *)out, 32);
}

static PyMethodDef METHODS[] = {
    {"keyed_hash", keyed_hash, METH_VARARGS, NULL},
    {"levels", levels, METH_VARARGS, NULL},
    {"pair_digest", pair_digest, METH_VARARGS, NULL},
    {"pair_helps", pair_helps, METH_NOARGS, NULL},
    {"pair_start", pair_start, METH_NOARGS, NULL},
    {"pair_update", pair_update, METH_VARARGS, NULL},
    {"renew", renew, METH_VARARGS, NULL},
    {"scan", scan, METH_VARARGS, NULL},
    {"table", table, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_quick", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__quick(void)
{
    compress = has_native() ? compress_native : compress_plain;
    return PyModule_Create(&MODULE);
}
