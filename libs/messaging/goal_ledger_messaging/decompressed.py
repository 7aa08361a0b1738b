"""How large a compressed batch may become, told without decompressing it.

A megabyte may become thirty thousand: brokers look through such a batch piece by piece and let it pass, and a client that
decompresses it whole is out of memory, with whatever else the process does. Each compression's frame tells bounds: zstd and
LZ4 by their blocks, of which none holds more than is fixed, snappy by the lengths that it states, gzip by its ratio, and
where that does not suffice by being counted. Sources: RFC 8878, the LZ4 frame format 1.6.1, snappy's framing of
``SnappyOutputStream``, RFC 1952.
"""

from __future__ import annotations

import zlib

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
"""As in the attributes of a batch."""

_GZIP_RATIO = 1032
_GZIP_PIECE_BYTES = 1024 * 1024
_ZSTD_MAGIC, _LZ4_MAGIC = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
_ZSTD_BLOCK_BYTES = 128 * 1024
_LZ4_BLOCK_BYTES = {4: 64 * 1024, 5: 256 * 1024, 6: 1024 * 1024, 7: 4 * 1024 * 1024}
_LZ4_RATIO = 255
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16


def may_exceed(codec: int, payload: bytes, most: int) -> bool:
    """Whether what is compressed in ``payload`` may have more than ``most`` bytes. A frame that cannot be made out may not:
    who decompresses it will say so."""
    try:
        return _BOUNDS[codec](payload, most) > most
    except (IndexError, KeyError, zlib.error):
        return False


def _plain(payload: bytes, most: int) -> int:
    return len(payload)


def _gzip(payload: bytes, most: int) -> int:
    if len(payload) * _GZIP_RATIO <= most:
        return 0
    counted, left = 0, payload
    while left and counted <= most:
        member = zlib.decompressobj(wbits=31)
        while not member.eof and counted <= most:
            piece = member.decompress(left, _GZIP_PIECE_BYTES)
            counted, left = counted + len(piece), member.unconsumed_tail
            if not piece and not left:
                break
        left = member.unused_data
    return counted


def _zstd(payload: bytes, most: int) -> int:
    total, at = 0, 0
    while payload[at : at + 4] == _ZSTD_MAGIC and total <= most:
        descriptor = payload[at + 4]
        single = descriptor >> 5 & 1
        at += 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
        at += (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last and total <= most:
            header = int.from_bytes(payload[at : at + 3], "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            at += 3 + (1 if kind == 1 else size)
            total += _ZSTD_BLOCK_BYTES if kind == 2 else size
            if at > len(payload):
                return total
        at += 4 * (descriptor >> 2 & 1)
    return total


def _lz4(payload: bytes, most: int) -> int:
    if payload[:4] != _LZ4_MAGIC:
        return 0
    flags, block_bytes = payload[4], _LZ4_BLOCK_BYTES[payload[5] >> 4 & 7]
    at = 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1)
    total = 0
    while total <= most and (stated := int.from_bytes(payload[at : at + 4], "little")):
        size = stated & 0x7FFFFFFF
        total += min(block_bytes, size * _LZ4_RATIO)
        at += 4 + size + 4 * (flags >> 4 & 1)
    return total


def _snappy(payload: bytes, most: int) -> int:
    if payload[: len(_XERIAL)] != _XERIAL:
        return _varint(payload, 0)
    total, at = 0, _XERIAL_HEADER_BYTES
    while at < len(payload) and total <= most:
        size = int.from_bytes(payload[at : at + 4], "big")
        total += _varint(payload, at + 4)
        at += 4 + size
    return total


def _varint(payload: bytes, at: int) -> int:
    value, shift = 0, 0
    while payload[at] & 0x80:
        value |= (payload[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | payload[at] << shift


_BOUNDS = {NONE: _plain, GZIP: _gzip, SNAPPY: _snappy, LZ4: _lz4, ZSTD: _zstd}
