/* Bytes that grow. */
#ifndef MIZHENG_BUFFER_H
#define MIZHENG_BUFFER_H

#include <stddef.h>
#include <stdlib.h>

typedef struct {
    unsigned char *data;
    size_t size, room;
} Out;

/* Room for `size` bytes more; NULL when there is no memory. */
static unsigned char *out_add(Out *out, size_t size)
{
    if (size > out->room - out->size) {
        size_t room = (out->size + size) * 2 + 4096;
        unsigned char *more = realloc(out->data, room);
        if (!more)
            return NULL;
        out->data = more;
        out->room = room;
    }
    out->size += size;
    return out->data + out->size - size;
}

#endif
