/* Files that have not changed since an earlier seal: entries as labels.py packs them, records as records.py writes
 * them. */
#ifndef MIZHENG_UNCHANGED_H
#define MIZHENG_UNCHANGED_H

#include <Python.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "buffer.h"
#include "sha256.h"

#ifdef __APPLE__
#define MODIFIED st_mtimespec
#define CHANGED st_ctimespec
#else
#define MODIFIED st_mtim
#define CHANGED st_ctim
#endif

/* A packed entry of an earlier seal, as labels.py writes it, and its record without the line's end. */
typedef struct {
    const unsigned char *entry, *record;
    size_t entry_size, record_size;
} Known;

typedef struct {
    Known *known;
    size_t count, room;
    /* Both lists come in the order of the walk: what is looked for is mostly the next one. */
    size_t next;
} Table;

enum { HEAD = 37, SALT = 64 };

static void write_little(unsigned char *place, uint64_t value, int size)
{
    for (; size; size--, value >>= 8)
        *place++ = (unsigned char)value;
}

static uint64_t read_little(const unsigned char *place, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | place[size];
    return value;
}

/* All of a piece, or nothing when the two do not go together; 0 when there is no memory. */
static int table_add(Table *table, PyObject *labels, PyObject *lines)
{
    const unsigned char *entry = (unsigned char *)PyBytes_AsString(labels), *last = entry + PyBytes_Size(labels);
    const unsigned char *record = (unsigned char *)PyBytes_AsString(lines), *end = record + PyBytes_Size(lines);
    size_t before = table->count;
    while (entry < last && record < end) {
        const unsigned char *stop = memchr(record, '\n', (size_t)(end - record));
        if (last - entry < HEAD || !stop)
            break;
        size_t size = HEAD + (size_t)read_little(entry + 1, 4);
        if (size > (size_t)(last - entry))
            break;
        if (table->count == table->room) {
            Known *more = realloc(table->known, (table->room * 2 + 512) * sizeof *more);
            if (!more)
                return 0;
            table->known = more;
            table->room = table->room * 2 + 512;
        }
        table->known[table->count++] = (Known){entry, record, size, (size_t)(stop - record)};
        entry += size;
        record = stop + 1;
    }
    if (entry != last || record != end)
        table->count = before;
    return 1;
}

static const Known *table_find(Table *table, const unsigned char *packed, size_t size)
{
    for (size_t i = 0; i < table->count; i++) {
        const Known *known = table->known + (table->next + i) % table->count;
        if (known->entry_size == size && !memcmp(known->entry, packed, size)) {
            table->next = (table->next + i + 1) % table->count;
            return known;
        }
    }
    return NULL;
}

/* Nanoseconds; 0 when they do not fit, as of a year after 2262. */
static int to_ns(const struct timespec *time, int64_t *ns)
{
    if (time->tv_sec > 9000000000LL || time->tv_sec < -9000000000LL)
        return 0;
    *ns = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
    return 1;
}

/* The entry of a file as it stands today, its label being in place; 0 when there is none. */
static int pack(int folder, const char *name, unsigned char *packed, size_t label_size)
{
    struct stat state;
    int64_t modified, changed;
    if (fstatat(folder, name, &state, AT_SYMLINK_NOFOLLOW) || !to_ns(&state.MODIFIED, &modified)
        || !to_ns(&state.CHANGED, &changed))
        return 0;
    packed[0] = 0;
    write_little(packed + 1, label_size, 4);
    write_little(packed + 5, (uint64_t)state.st_size, 8);
    write_little(packed + 13, (uint64_t)modified, 8);
    write_little(packed + 21, (uint64_t)changed, 8);
    write_little(packed + 29, (uint64_t)state.st_ino, 8);
    return 1;
}

typedef struct {
    Out lines, leaves, labels;
    Py_ssize_t count;
    uint64_t size;
} Run;

/* The record of `known` under its new salt, at the end of `run`; 0 when it has none, -1 when there is no memory. */
static int renew_one(Run *run, const Known *known, const unsigned char *packed, const Keyed *salt)
{
    static const char name[] = ",\"salt\":\"", digits[] = "0123456789abcdef";
    const unsigned char *found = memmem(known->record, known->record_size, name, sizeof name - 1);
    size_t start = found ? (size_t)(found - known->record) + sizeof name - 1 : known->record_size;
    if (known->record_size - start < SALT)
        return 0;
    unsigned char *line = out_add(&run->lines, known->record_size + 1), *leaf = out_add(&run->leaves, 32);
    unsigned char *label = out_add(&run->labels, known->entry_size), digest[32];
    if (!line || !leaf || !label)
        return -1;
    memcpy(label, packed, known->entry_size);
    memcpy(line, known->record, known->record_size);
    line[known->record_size] = '\n';
    keyed_digest(salt, packed + HEAD, known->entry_size - HEAD, digest);
    for (int i = 0; i < SALT; i++)
        line[start + (size_t)i] = (unsigned char)digits[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
    hash_marked("", line, known->record_size, leaf);
    run->count++;
    run->size += read_little(packed + 5, 8);
    return 1;
}

/* Names from `*name` on as long as they are unchanged; 1 at one that is not, 0 at the end, -1 when out of memory. */
static int renew_run(Run *run, Table *table, const Keyed *salt, int folder, const char **name, const char *end,
                     unsigned char *packed, size_t prefix)
{
    run->lines.size = run->leaves.size = run->labels.size = run->size = 0;
    for (run->count = 0; *name < end;) {
        size_t size = strlen(*name);
        memcpy(packed + HEAD + prefix, *name, size);
        const Known *known = NULL;
        if (pack(folder, *name, packed, prefix + size))
            known = table_find(table, packed, HEAD + prefix + size);
        int done = known ? renew_one(run, known, packed, salt) : 0;
        if (done < 0)
            return -1;
        *name += size + 1;
        if (!done)
            return 1;
    }
    return 0;
}

/* Appends (place of the first name, count, bytes of content, lines, leaf hashes, packed entries). */
static int append_run(PyObject *result, const Run *run, Py_ssize_t place)
{
    PyObject *item = Py_BuildValue(
        "(nnKy#y#y#)", place, run->count, (unsigned long long)run->size, run->lines.data, (Py_ssize_t)run->lines.size,
        run->leaves.data, (Py_ssize_t)run->leaves.size, run->labels.data, (Py_ssize_t)run->labels.size);
    int is_good = item && PyList_Append(result, item) == 0;
    Py_XDECREF(item);
    return is_good;
}

/* A table for Python, with the pieces that it points into. */
typedef struct {
    Table table;
    Keyed salt;
    PyObject *pieces;
} Kept;

static const char NAME[] = "mizheng.cli.sealing._quick.table";

static void kept_free(PyObject *capsule)
{
    Kept *kept = PyCapsule_GetPointer(capsule, NAME);
    free(kept->table.known);
    Py_DECREF(kept->pieces);
    free(kept);
}

static PyObject *renew_names(Kept *kept, int folder, PyObject *prefix, PyObject *names,
                             Py_ssize_t most)
{
    /* Bytes have a zero behind their last one. */
    const char *name = PyBytes_AsString(names), *end = name + PyBytes_Size(names);
    size_t size = (size_t)PyBytes_Size(prefix);
    unsigned char *packed = malloc(HEAD + size + (size_t)PyBytes_Size(names) + 1);
    PyObject *result = packed ? PyList_New(0) : PyErr_NoMemory();
    Run run = {{NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}, 0, 0};
    if (result)
        memcpy(packed + HEAD, PyBytes_AsString(prefix), size);
    Py_ssize_t place = 0, others = 0;
    for (int is_left = 1; result && is_left; place += run.count + is_left) {
        Py_BEGIN_ALLOW_THREADS
        is_left = renew_run(&run, &kept->table, &kept->salt, folder, &name, end, packed, size);
        Py_END_ALLOW_THREADS
        if (is_left < 0) {
            PyErr_NoMemory();
            Py_CLEAR(result);
        } else if (is_left && ++others > most) {
            Py_DECREF(result);
            result = Py_NewRef(Py_None);
            is_left = 0;
        } else if (run.count && !append_run(result, &run, place))
            Py_CLEAR(result);
    }
    free(packed);
    free(run.lines.data);
    free(run.leaves.data);
    free(run.labels.data);
    return result;
}

/* table(((packed entries, record lines), ...), key, context) -> what `renew` looks files up in; all of it bytes. */
static PyObject *table(PyObject *self, PyObject *args)
{
    PyObject *pieces, *result;
    Py_buffer key, context;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!y*y*", &PyTuple_Type, &pieces, &key, &context))
        return NULL;
    Kept *kept = calloc(1, sizeof *kept);
    result = kept ? PyCapsule_New(kept, NAME, kept_free) : PyErr_NoMemory();
    if (!result)
        free(kept);
    else {
        kept->pieces = Py_NewRef(pieces);
        if (key.len > 64)
            PyErr_SetString(PyExc_ValueError, "a key of at most 64 bytes");
        else
            keyed_start(&kept->salt, key.buf, (size_t)key.len, context.buf, (size_t)context.len);
        for (Py_ssize_t i = 0; i < PyTuple_Size(pieces) && !PyErr_Occurred(); i++) {
            PyObject *labels, *lines;
            if (PyArg_ParseTuple(PyTuple_GetItem(pieces, i), "SS", &labels, &lines)
                && !table_add(&kept->table, labels, lines))
                PyErr_NoMemory();
        }
    }
    PyBuffer_Release(&key);
    PyBuffer_Release(&context);
    if (result && PyErr_Occurred())
        Py_CLEAR(result);
    return result;
}

/* renew(table, folder's descriptor, prefix of labels, names with a zero between two, how many may have changed)
 * -> [(place of the first, count, bytes of content, record lines, leaf hashes, packed entries), ...] of stretches of
 * unchanged files; None when more have changed. */
static PyObject *renew(PyObject *self, PyObject *args)
{
    PyObject *capsule, *prefix, *names;
    int folder;
    Py_ssize_t most;
    (void)self;
    if (!PyArg_ParseTuple(args, "OiSSn", &capsule, &folder, &prefix, &names, &most))
        return NULL;
    Kept *kept = PyCapsule_GetPointer(capsule, NAME);
    return kept ? renew_names(kept, folder, prefix, names, most) : NULL;
}

#endif
