/* SHA-256 of two messages at once: while the processor's unit works on one it has room for the other.
 *
 * Half of a block's message schedule, which would keep that unit busy, is made by AVX-512 of 128 bits. Where the
 * processor lacks any of that it is no quicker than hashlib, and only tests use it (decision 35).
 */
#ifndef MIZHENG_PAIR_H
#define MIZHENG_PAIR_H

#include <Python.h>

#include "sha256.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SIGMA0(x) \
    _mm_ternarylogic_epi32(_mm_ror_epi32(x, 7), _mm_ror_epi32(x, 18), _mm_srli_epi32(x, 3), 0x96)
#define LOAD(place) _mm_loadu_si128((const __m128i *)(place))
#define STORE(place, value) _mm_storeu_si128((__m128i *)(place), value)

__attribute__((target("sha,avx512f,avx512vl"))) static void compress_pair(
    uint32_t *const state[2], const unsigned char *const data[2], size_t blocks)
{
    /* Upper halves that somebody left in use would cost a hundred cycles at each of the unit's instructions. */
    _mm256_zeroupper();
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[2], cdgh[2];
    for (int k = 0; k < 2; k++) {
        __m128i low = _mm_shuffle_epi32(LOAD(state[k]), 0xb1), high = _mm_shuffle_epi32(LOAD(state[k] + 4), 0x1b);
        abef[k] = _mm_alignr_epi8(low, high, 8);
        cdgh[k] = _mm_blend_epi16(high, low, 0xf0);
    }
    for (size_t at = 0; at < 64 * blocks; at += 64) {
        __m128i w[2][4], sum[2], before_abef[2] = {abef[0], abef[1]}, before_cdgh[2] = {cdgh[0], cdgh[1]};
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
#pragma GCC unroll 2
            for (int k = 0; k < 2; k++) {
                __m128i *v = w[k];
                if (i < 4)
                    v[i] = _mm_shuffle_epi8(LOAD(data[k] + at + 16 * i), swap);
                else {
                    __m128i x = _mm_alignr_epi8(v[(i + 1) & 3], v[i & 3], 4);
                    x = _mm_add_epi32(v[i & 3], SIGMA0(x));
                    x = _mm_add_epi32(x, _mm_alignr_epi8(v[(i + 3) & 3], v[(i + 2) & 3], 4));
                    v[i & 3] = _mm_sha256msg2_epu32(x, v[(i + 3) & 3]);
                }
                sum[k] = _mm_add_epi32(v[i & 3], LOAD(ROUND + 4 * i));
            }
            cdgh[0] = _mm_sha256rnds2_epu32(cdgh[0], abef[0], sum[0]);
            cdgh[1] = _mm_sha256rnds2_epu32(cdgh[1], abef[1], sum[1]);
            abef[0] = _mm_sha256rnds2_epu32(abef[0], cdgh[0], _mm_shuffle_epi32(sum[0], 0x0e));
            abef[1] = _mm_sha256rnds2_epu32(abef[1], cdgh[1], _mm_shuffle_epi32(sum[1], 0x0e));
        }
        for (int k = 0; k < 2; k++) {
            abef[k] = _mm_add_epi32(abef[k], before_abef[k]);
            cdgh[k] = _mm_add_epi32(cdgh[k], before_cdgh[k]);
        }
    }
    for (int k = 0; k < 2; k++) {
        __m128i low = _mm_shuffle_epi32(abef[k], 0x1b), high = _mm_shuffle_epi32(cdgh[k], 0xb1);
        STORE(state[k], _mm_blend_epi16(low, high, 0xf0));
        STORE(state[k] + 4, _mm_alignr_epi8(high, low, 8));
    }
}

static int has_pair(void)
{
    return has_native() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}
#else
#define compress_pair(state, data, blocks) ((void)0)
static int has_pair(void) { return 0; }
#endif

/* Each message goes to the end of a block by itself; then both, as long as both have blocks; then what is left. */
static void pair_add(Hash *const hash[2], const unsigned char *const bytes[2], const size_t sizes[2])
{
    const unsigned char *data[2];
    size_t left[2], both = SIZE_MAX;
    for (int k = 0; k < 2; k++) {
        size_t first = (64 - hash[k]->length % 64) % 64;
        first = first < sizes[k] ? first : sizes[k];
        hash_add(hash[k], bytes[k], first);
        data[k] = bytes[k] + first;
        left[k] = sizes[k] - first;
        both = left[k] / 64 < both ? left[k] / 64 : both;
    }
    if (!has_pair())
        both = 0;
    compress_pair(((uint32_t *const[2]){hash[0]->state, hash[1]->state}), data, both);
    for (int k = 0; k < 2; k++) {
        hash[k]->length += 64 * both;
        hash_add(hash[k], data[k] + 64 * both, left[k] - 64 * both);
    }
}

/* pair_helps(): whether the processor does both at once more quickly. */
static PyObject *pair_helps(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    return PyBool_FromLong(has_pair());
}

/* pair_start(): the state of a digest of nothing. */
static PyObject *pair_start(PyObject *self, PyObject *args)
{
    Hash hash;
    (void)self, (void)args;
    memset(&hash, 0, sizeof hash);
    hash_start(&hash);
    return PyByteArray_FromStringAndSize((char *)&hash, sizeof hash);
}

/* pair_update(state, other_state, bytes, other_bytes): both go on. Nobody else may use a state meanwhile. */
static PyObject *pair_update(PyObject *self, PyObject *args)
{
    Py_buffer states[2], pieces[2];
    Hash one, other, *const hash[2] = {&one, &other};
    int is_right;
    (void)self;
    if (!PyArg_ParseTuple(args, "w*w*y*y*", states, states + 1, pieces, pieces + 1))
        return NULL;
    is_right = states[0].len == sizeof one && states[1].len == sizeof other && states[0].buf != states[1].buf;
    if (is_right) {
        const unsigned char *const bytes[2] = {pieces[0].buf, pieces[1].buf};
        const size_t sizes[2] = {(size_t)pieces[0].len, (size_t)pieces[1].len};
        memcpy(&one, states[0].buf, sizeof one);
        memcpy(&other, states[1].buf, sizeof other);
        Py_BEGIN_ALLOW_THREADS
        pair_add(hash, bytes, sizes);
        Py_END_ALLOW_THREADS
        memcpy(states[0].buf, &one, sizeof one);
        memcpy(states[1].buf, &other, sizeof other);
    } else
        PyErr_SetString(PyExc_ValueError, "two states of pair_start");
    for (int k = 0; k < 2; k++) {
        PyBuffer_Release(states + k);
        PyBuffer_Release(pieces + k);
    }
    if (!is_right)
        return NULL;
    Py_RETURN_NONE;
}

/* pair_digest(state): 32 bytes, of what there was so far. */
static PyObject *pair_digest(PyObject *self, PyObject *args)
{
    Py_buffer state;
    Hash hash;
    unsigned char out[32];
    int is_right;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*", &state))
        return NULL;
    is_right = state.len == sizeof hash;
    if (is_right) {
        memcpy(&hash, state.buf, sizeof hash);
        hash_end(&hash, out);
    } else
        PyErr_SetString(PyExc_ValueError, "a state of pair_start");
    PyBuffer_Release(&state);
    return is_right ? PyBytes_FromStringAndSize((char *)out, 32) : NULL;
}

#undef LOAD
#undef STORE
#endif
