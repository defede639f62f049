"""Tuples as bytes: the order of the bytes is the order of the tuples.

    part     encoding                                   order
    None     00                                         before everything else
    bytes    01 value 00    (00 inside becomes 00 FF)   by bytes
    str      02 UTF-8 00    (00 inside becomes 00 FF)   by code points, which is S3's and DynamoDB's order
    int      03 8 bytes     (64 bit, signed)            by value
    float    04 8 bytes     (no NaN; -0.0 is 0.0)       by value
    False    05
    True     06

Parts of different types at one place are ordered by the table above. No encoded part begins with FF, so
`key + ABOVE` is greater than every key that continues `key`, and smaller than every other key greater than it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, NoneType

Part = str | int | bytes | float | bool | None
Encoder = Callable[..., bytes]

ABOVE = b"\xff"
INT_BIAS = 1 << 63
SIGN_BIT = 1 << 63
ALL_BITS = (1 << 64) - 1

_pack_int = struct.Struct(">BQ").pack
_pack_float = struct.Struct(">d").pack
_unpack_uint = struct.Struct(">Q").unpack
_unpack_uint_from = struct.Struct(">Q").unpack_from
_unpack_float = struct.Struct(">d").unpack
_pack_uint = struct.Struct(">Q").pack


def encode_none(value: None) -> bytes:
    return b"\x00"


def encode_bytes(value: bytes) -> bytes:
    if b"\x00" in value:
        value = value.replace(b"\x00", b"\x00\xff")
    return b"\x01" + value + b"\x00"


def encode_str(value: str) -> bytes:
    data = value.encode()
    if b"\x00" in data:
        data = data.replace(b"\x00", b"\x00\xff")
    return b"\x02" + data + b"\x00"


def encode_int(value: int) -> bytes:
    """Raises OverflowError outside 64 bits."""
    try:
        return _pack_int(3, value + INT_BIAS)
    except struct.error:
        raise OverflowError(f"{value} does not fit a key's 64 bits") from None


def encode_float(value: float) -> bytes:
    """Raises ValueError for NaN, which has no place in an order."""
    if value != value:
        raise ValueError("NaN cannot be part of a key")
    bits: int = _unpack_uint(_pack_float(value + 0.0))[0]
    return _pack_int(4, bits ^ (ALL_BITS if value < 0 else SIGN_BIT))


def encode_bool(value: bool) -> bytes:
    return b"\x06" if value else b"\x05"


ENCODERS: Mapping[type, Encoder] = MappingProxyType(
    {
        NoneType: encode_none,
        bytes: encode_bytes,
        str: encode_str,
        int: encode_int,
        float: encode_float,
        bool: encode_bool,
    }
)


def encode_part(value: Part) -> bytes:
    """One part. Raises TypeError for a type that no key can hold."""
    encoder = ENCODERS.get(type(value))
    if encoder is None:
        for kind in (str, bytes, bool, int, float):
            if isinstance(value, kind):
                return ENCODERS[kind](value)
        raise TypeError(f"{type(value).__name__} cannot be part of a key")
    return encoder(value)


def pack(parts: Sequence[Part]) -> bytes:
    """The key of a tuple."""
    return b"".join([encode_part(part) for part in parts])


def begins_with(text: str | bytes) -> bytes:
    """What every encoded str (or bytes) part that begins with `text` begins with."""
    return encode_part(text)[:-1]


def behind(beginning: bytes) -> bytes:
    """The smallest key that is greater than every key that begins with `beginning`, whatever bytes follow in it.

    `beginning + ABOVE` would not do inside a bytes part, where FF is a value like any other.
    """
    kept = beginning.rstrip(ABOVE)
    return kept[:-1] + bytes((kept[-1] + 1,))


def compile_packer(prefix: str, types: Sequence[object]) -> Callable[..., bytes]:
    """A fast `prefix + pack(parts)` for parts of known types, one for each place (`object`: any type).

    `prefix` is ASCII. Fewer parts than types may be given: that makes the prefix of a longer key. An int where a
    float belongs is encoded as a float. Raises TypeError for a part of another type, or for too many parts.
    """
    encoders = tuple(_encoder_for(kind) for kind in types)
    texts = 0
    while texts < len(types) and types[texts] is str:
        texts += 1
    if texts < 2:
        return _general_packer(prefix.encode("ascii"), encoders)
    return _text_packer(prefix, texts, encoders)


def _encoder_for(kind: object) -> Encoder:
    return ENCODERS.get(kind, encode_part) if isinstance(kind, type) else encode_part


def _general_packer(prefix: bytes, encoders: tuple[Encoder, ...]) -> Callable[..., bytes]:
    """Encodes part by part. The usual lengths are written out: a loop doubles the time."""

    def pack_general(*parts: Part) -> bytes:
        if len(parts) == 1:
            return prefix + encoders[0](parts[0])
        if len(parts) > len(encoders):
            raise TypeError(f"{len(parts)} key parts given, the key has {len(encoders)}")
        return prefix + b"".join([encoder(part) for encoder, part in zip(encoders, parts, strict=False)])

    if len(encoders) == 1:
        encoder = encoders[0]

        def pack_one(*parts: Part) -> bytes:
            if len(parts) == 1:
                return prefix + encoder(parts[0])
            return pack_general(*parts)

        return pack_one

    if len(encoders) == 2:
        first, second = encoders

        def pack_two(*parts: Part) -> bytes:
            if len(parts) == 2:
                return prefix + first(parts[0]) + second(parts[1])
            return pack_general(*parts)

        return pack_two

    if len(encoders) == 3:
        first, second, third = encoders

        def pack_three(*parts: Part) -> bytes:
            if len(parts) == 3:
                return prefix + first(parts[0]) + second(parts[1]) + third(parts[2])
            return pack_general(*parts)

        return pack_three

    return pack_general


def _text_packer(prefix: str, texts: int, encoders: tuple[Encoder, ...]) -> Callable[..., bytes]:
    """Joins the leading str parts as text and encodes them in one step; the rest part by part."""
    head = prefix + "\x02"
    arity = len(encoders)
    general = _general_packer(prefix.encode("ascii"), encoders)
    rest = encoders[texts:]

    def pack_texts(*parts: str) -> bytes:
        text = "\x00\x02".join(parts)
        if text.count("\x00") != len(parts) - 1 or len(parts) > arity:
            return general(*parts)
        return (head + text + "\x00").encode()

    if not rest:
        return pack_texts

    def pack_mixed(*parts: Part) -> bytes:
        if len(parts) <= texts:
            return pack_texts(*parts)  # type: ignore[arg-type]
        if len(parts) > arity:
            raise TypeError(f"{len(parts)} key parts given, the key has {arity}")
        start = pack_texts(*parts[:texts])  # type: ignore[arg-type]
        return start + b"".join([encoder(part) for encoder, part in zip(rest, parts[texts:], strict=False)])

    return pack_mixed


def unpack(key: bytes) -> tuple[Part, ...]:
    """The tuple that `pack` made the key of. Raises ValueError for other bytes."""
    parts: list[Part] = []
    at = 0
    while at < len(key):
        kind = key[at]
        at += 1
        if kind == 0:
            parts.append(None)
        elif kind in (1, 2):
            end = _end_of_text(key, at)
            data = key[at:end].replace(b"\x00\xff", b"\x00")
            parts.append(data if kind == 1 else data.decode())
            at = end + 1
        elif kind == 3:
            parts.append(_unpack_uint_from(key, at)[0] - INT_BIAS)
            at += 8
        elif kind == 4:
            bits = _unpack_uint_from(key, at)[0]
            bits ^= SIGN_BIT if bits & SIGN_BIT else ALL_BITS
            parts.append(_unpack_float(_pack_uint(bits))[0])
            at += 8
        elif kind in (5, 6):
            parts.append(kind == 6)
        else:
            raise ValueError(f"byte {kind:#x} begins no key part")
    return tuple(parts)


def _end_of_text(key: bytes, at: int) -> int:
    end = key.find(b"\x00", at)
    while end != -1 and key[end + 1 : end + 2] == b"\xff":
        end = key.find(b"\x00", end + 2)
    if end == -1:
        raise ValueError("a text in the key has no end")
    return end
