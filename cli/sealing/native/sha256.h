/* SHA-256 (FIPS 180-4), HMAC with it (RFC 2104), and the hashes of RFC 6962 section 2.1.
 *
 * Of our own because one call of a library costs more than the few blocks of a record. Portable, and with the
 * processor's own instructions where x86-64 has them.
 */
#ifndef MIZHENG_SHA256_H
#define MIZHENG_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};
static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t turn(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static void compress_plain(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    for (; blocks; blocks--, data += 64) {
        uint32_t w[64], s[8];
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8
                   | data[4 * i + 3];
        for (int i = 16; i < 64; i++)
            w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7]
                   + (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
        memcpy(s, state, sizeof s);
        for (int i = 0; i < 64; i++) {
            uint32_t one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6]))
                           + ROUND[i] + w[i];
            uint32_t two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22))
                           + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += one;
            s[0] = one + two;
        }
        for (int i = 0; i < 8; i++)
            state[i] += s[i];
    }
}

static void (*compress)(uint32_t[8], const unsigned char *, size_t) = compress_plain;

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

/* With the processor's own instructions (Intel SDM, SHA256RNDS2, SHA256MSG1, SHA256MSG2). */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_native(
    uint32_t state[8], const unsigned char *data, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks; blocks--, data += 64) {
        __m128i w[4], before_abef = abef, before_cdgh = cdgh;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4)
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
            else
                w[i & 3] = _mm_sha256msg2_epu32(
                    _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                  _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4)),
                    w[(i + 3) & 3]);
            __m128i sum = _mm_add_epi32(w[i & 3], _mm_loadu_si128((const __m128i *)(ROUND + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, before_abef);
        cdgh = _mm_add_epi32(cdgh, before_cdgh);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Whether the processor has them: CPUID leaf 7, EBX bit 29 (SHA), and leaf 1, ECX bits 9 and 19 (SSSE3, SSE4.1). */
static int has_native(void)
{
    unsigned a, b, c, d, first;
    return __get_cpuid(1, &a, &b, &first, &d) && first >> 9 & 1 && first >> 19 & 1
           && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
}
#else
#define compress_native compress_plain
static int has_native(void) { return 0; }
#endif

typedef struct {
    uint32_t state[8];
    uint64_t length;
    unsigned char rest[64];
} Hash;

static void hash_start(Hash *hash)
{
    memcpy(hash->state, START, sizeof START);
    hash->length = 0;
}

static void hash_add(Hash *hash, const void *bytes, size_t size)
{
    const unsigned char *data = bytes;
    size_t held = hash->length % 64;
    hash->length += size;
    if (held) {
        size_t take = size < 64 - held ? size : 64 - held;
        memcpy(hash->rest + held, data, take);
        data += take, size -= take;
        if (held + take < 64)
            return;
        compress(hash->state, hash->rest, 1);
    }
    compress(hash->state, data, size / 64);
    if (size % 64)
        memcpy(hash->rest, data + size / 64 * 64, size % 64);
}

static void write_big(unsigned char *place, uint64_t value, int size)
{
    while (size--) {
        place[size] = (unsigned char)value;
        value >>= 8;
    }
}

static void hash_end(Hash *hash, unsigned char out[32])
{
    size_t held = hash->length % 64;
    hash->rest[held++] = 0x80;
    if (held > 56) {
        memset(hash->rest + held, 0, 64 - held);
        compress(hash->state, hash->rest, 1);
        held = 0;
    }
    memset(hash->rest + held, 0, 56 - held);
    write_big(hash->rest + 56, hash->length * 8, 8);
    compress(hash->state, hash->rest, 1);
    for (int i = 0; i < 8; i++)
        write_big(out + 4 * i, hash->state[i], 4);
}

/* Of a message with one byte in front: "" for a leaf of the tree, "\1" for a node. */
static void hash_marked(const char *mark, const void *bytes, size_t size, unsigned char out[32])
{
    Hash hash;
    hash_start(&hash);
    hash_add(&hash, mark, 1);
    hash_add(&hash, bytes, size);
    hash_end(&hash, out);
}

/* HMAC of messages that begin alike; a key of at most 64 bytes. */
typedef struct {
    Hash inner, outer;
} Keyed;

static void keyed_start(Keyed *keyed, const unsigned char *key, size_t size, const void *beginning, size_t length)
{
    unsigned char inner[64] = {0}, outer[64];
    memcpy(inner, key, size);
    for (int i = 0; i < 64; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    hash_start(&keyed->inner);
    hash_add(&keyed->inner, inner, 64);
    hash_add(&keyed->inner, beginning, length);
    hash_start(&keyed->outer);
    hash_add(&keyed->outer, outer, 64);
}

static void keyed_digest(const Keyed *keyed, const void *rest, size_t size, unsigned char out[32])
{
    Hash hash = keyed->inner;
    hash_add(&hash, rest, size);
    hash_end(&hash, out);
    hash = keyed->outer;
    hash_add(&hash, out, 32);
    hash_end(&hash, out);
}

#endif
