/* What lies in a folder. */
#ifndef MIZHENG_LISTING_H
#define MIZHENG_LISTING_H

#include <Python.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Names, each with a zero byte behind it, as bytes: in order, a zero byte between two. */
static PyObject *in_order(const Out *out, Py_ssize_t count)
{
    const char **names = malloc(((size_t)count + 1) * sizeof *names), *name = (const char *)out->data;
    PyObject *joined = names ? PyBytes_FromStringAndSize(NULL, out->size ? (Py_ssize_t)out->size - 1 : 0) : NULL;
    if (joined) {
        char *place = PyBytes_AsString(joined);
        for (Py_ssize_t i = 0; i < count; i++, name += strlen(name) + 1)
            names[i] = name;
        qsort(names, (size_t)count, sizeof *names, by_name);
        for (Py_ssize_t i = 0; i < count; i++) {
            /* The last one's zero falls where bytes have one of their own. */
            size_t size = strlen(names[i]) + (i + 1 < count);
            memcpy(place, names[i], size);
            place += size;
        }
    } else if (!names)
        PyErr_NoMemory();
    free(names);
    return joined;
}

/* scan(descriptor) -> (number of files, their names, number of folders, their names); None when there is anything else,
 * or the file system does not say. */
static PyObject *scan(PyObject *self, PyObject *args)
{
    int descriptor, own, kind = DT_REG;
    (void)self;
    if (!PyArg_ParseTuple(args, "i", &descriptor))
        return NULL;
    DIR *folder = (own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) < 0 ? NULL : fdopendir(own);
    if (!folder) {
        PyErr_SetFromErrno(PyExc_OSError);
        if (own >= 0)
            close(own);
        return NULL;
    }
    Out found[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    Py_ssize_t count[2] = {0, 0};
    unsigned char *place = (unsigned char *)"";
    int code;
    Py_BEGIN_ALLOW_THREADS
    for (struct dirent *entry; place && (errno = 0, entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
            continue;
        kind = entry->d_type;
        if (kind != DT_REG && kind != DT_DIR)
            break;
        size_t size = strlen(name) + 1;
        if ((place = out_add(found + (kind == DT_DIR), size))) {
            memcpy(place, name, size);
            count[kind == DT_DIR]++;
        }
    }
    code = errno;
    rewinddir(folder);
    closedir(folder);
    Py_END_ALLOW_THREADS
    PyObject *result = NULL, *files = NULL, *folders = NULL;
    if (!place)
        PyErr_NoMemory();
    else if (kind != DT_REG && kind != DT_DIR)
        result = Py_NewRef(Py_None);
    else if (code) {
        errno = code;
        PyErr_SetFromErrno(PyExc_OSError);
    } else if ((files = in_order(found, count[0])) && (folders = in_order(found + 1, count[1])))
        result = Py_BuildValue("(nOnO)", count[0], files, count[1], folders);
    Py_XDECREF(files);
    Py_XDECREF(folders);
    free(found[0].data);
    free(found[1].data);
    return result;
}

#endif
