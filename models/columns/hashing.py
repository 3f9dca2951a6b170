"""SipHash-2-4 of texts: what `tf.strings.to_hash_bucket_strong` computes, without TensorFlow.

Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), appendix A.
"""

KEY = (0x7466782D, 0x74776F2D)
"""Of all hashes of this project: a bucket is the same in the graph and on a device."""

_MASK = 2**64 - 1
_INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def hash_bucket(text: str, buckets: int, key: tuple[int, int] = KEY) -> int:
    """The bucket of a text by the hash of its UTF-8, 0 to buckets - 1."""
    return sip_hash(text.encode("utf-8", "surrogatepass"), key) % buckets


def sip_hash(content: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of bytes, 64 bits; the key is two numbers of 64 bits."""
    state = tuple(word ^ key[n % 2] for n, word in enumerate(_INITIAL))
    padded = content + bytes(7 - len(content) % 8) + bytes([len(content) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        a, b, c, d = _round(_round((*state[:3], state[3] ^ word)))
        state = (a ^ word, b, c, d)
    state = (state[0], state[1], state[2] ^ 0xFF, state[3])
    for _ in range(4):
        state = _round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(state: tuple[int, ...]) -> tuple[int, ...]:
    a, b, c, d = state
    a = (a + b) & _MASK
    b = _rotated(b, 13) ^ a
    a = _rotated(a, 32)
    c = (c + d) & _MASK
    d = _rotated(d, 16) ^ c
    a = (a + d) & _MASK
    d = _rotated(d, 21) ^ a
    c = (c + b) & _MASK
    b = _rotated(b, 17) ^ c
    return a, b, _rotated(c, 32), d


def _rotated(word: int, by: int) -> int:
    return ((word << by) | (word >> (64 - by))) & _MASK
