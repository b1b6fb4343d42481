"""TensorFlow's hashes of strings in plain Python, as helpers of migrated files.

`fingerprint64` is FarmHash's `farmhashna::Hash64` (github.com/google/farmhash, farmhash.cc), which
`tf.strings.to_hash_bucket_fast` takes; `siphash64` is SipHash-2-4 (131002.net/siphash), which
`tf.strings.to_hash_bucket_strong` takes.
"""

from __future__ import annotations

from typing import Any

from migrator.model import Helper

fingerprint64: Any = Helper(
    "fingerprint64",
    '''def fingerprint64(s):
    """FarmHash's 64-bit fingerprint of bytes, the same everywhere and always."""
    mask, k0, k1, k2 = 2**64 - 1, 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
    n = len(s)

    def at(i, size=8):
        return int.from_bytes(s[i : i + size], "little")

    def turned(v, by):
        return ((v >> by) | (v << (64 - by))) & mask

    def mixed(v):
        return v ^ (v >> 47)

    def pair(u, v, mul):
        a = mixed((u ^ v) * mul & mask)
        return mixed((v ^ a) * mul & mask) * mul & mask

    def weak(i, a, b):
        w, x, y, z = at(i), at(i + 8), at(i + 16), at(i + 24)
        a = (a + w) & mask
        b, c = turned((b + a + z) & mask, 21), a
        a = (a + x + y) & mask
        return (a + z) & mask, (b + turned(a, 44) + c) & mask

    if n == 0:
        return k2
    if n < 4:
        return mixed((s[0] + (s[n >> 1] << 8)) * k2 & mask ^ (n + (s[-1] << 2)) * k0 & mask) * k2 & mask
    mul = (k2 + n * 2) & mask
    if n < 8:
        return pair((n + (at(0, 4) << 3)) & mask, at(n - 4, 4), mul)
    if n <= 16:
        a, b = (at(0) + k2) & mask, at(n - 8)
        return pair((turned(b, 37) * mul + a) & mask, ((turned(a, 25) + b) * mul) & mask, mul)
    if n <= 32:
        a, b, c, d = at(0) * k1 & mask, at(8), at(n - 8) * mul & mask, at(n - 16) * k2 & mask
        left = (turned((a + b) & mask, 43) + turned(c, 30) + d) & mask
        return pair(left, (a + turned((b + k2) & mask, 18) + c) & mask, mul)
    if n <= 64:
        a, b, c, d = at(0) * k2 & mask, at(8), at(n - 8) * mul & mask, at(n - 16) * k2 & mask
        y = (turned((a + b) & mask, 43) + turned(c, 30) + d) & mask
        z = pair(y, (a + turned((b + k2) & mask, 18) + c) & mask, mul)
        e, f = at(16) * mul & mask, at(24)
        g, h = (y + at(n - 32)) * mul & mask, (z + at(n - 24)) * mul & mask
        left = (turned((e + f) & mask, 43) + turned(g, 30) + h) & mask
        return pair(left, (e + turned((f + a) & mask, 18) + g) & mask, mul)
    x, y = 81, (81 * k1 + 113) & mask
    z = mixed((y * k2 + 113) & mask) * k2 & mask
    v, w = (0, 0), (0, 0)
    x = (x * k2 + at(0)) & mask
    end = (n - 1) // 64 * 64
    for i in range(0, end, 64):
        x = turned((x + y + v[0] + at(i + 8)) & mask, 37) * k1 & mask ^ w[1]
        y = (turned((y + v[1] + at(i + 48)) & mask, 42) * k1 + v[0] + at(i + 40)) & mask
        z = turned((z + w[0]) & mask, 33) * k1 & mask
        v = weak(i, v[1] * k1 & mask, (x + w[0]) & mask)
        w = weak(i + 32, (z + w[1]) & mask, (y + at(i + 16)) & mask)
        z, x = x, z
    mul, i = (k1 + ((z & 0xFF) << 1)) & mask, n - 64
    w = ((w[0] + ((n - 1) & 63)) & mask, w[1])
    v = ((v[0] + w[0]) & mask, v[1])
    w = ((w[0] + v[0]) & mask, w[1])
    x = turned((x + y + v[0] + at(i + 8)) & mask, 37) * mul & mask ^ (w[1] * 9) & mask
    y = (turned((y + v[1] + at(i + 48)) & mask, 42) * mul + v[0] * 9 + at(i + 40)) & mask
    z = turned((z + w[0]) & mask, 33) * mul & mask
    v = weak(i, v[1] * mul & mask, (x + w[0]) & mask)
    w = weak(i + 32, (z + w[1]) & mask, (y + at(i + 16)) & mask)
    left = (pair(v[0], w[0], mul) + mixed(y) * k0 + x) & mask
    return pair(left, (pair(v[1], w[1], mul) + z) & mask, mul)
''',
)

siphash64: Any = Helper(
    "siphash64",
    '''def siphash64(s, key):
    """SipHash-2-4 of bytes under a key of two 64-bit numbers."""
    mask = 2**64 - 1

    def turned(v, by):
        return ((v << by) | (v >> (64 - by))) & mask

    def rounds(v, count):
        a, b, c, d = v
        for _ in range(count):
            a, c = (a + b) & mask, (c + d) & mask
            b, d = turned(b, 13) ^ a, turned(d, 16) ^ c
            a = turned(a, 32)
            c, a = (c + b) & mask, (a + d) & mask
            b, d = turned(b, 17) ^ c, turned(d, 21) ^ a
            c = turned(c, 32)
        return a, b, c, d

    k0, k1 = key[0] & mask, key[1] & mask
    v = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    whole = len(s) // 8 * 8
    words = [int.from_bytes(s[i : i + 8], "little") for i in range(0, whole, 8)]
    for word in [*words, int.from_bytes(s[whole:], "little") | (len(s) & 0xFF) << 56]:
        a, b, c, d = rounds((*v[:3], v[3] ^ word), 2)
        v = (a ^ word, b, c, d)
    a, b, c, d = rounds((v[0], v[1], v[2] ^ 0xFF, v[3]), 4)
    return a ^ b ^ c ^ d
''',
)
