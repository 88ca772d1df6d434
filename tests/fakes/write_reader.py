"""Reads the bodies of remote write: a plain twin of the wire format."""

import struct

import cramjam


def fields(message: bytes):
    """Number and content of each field: bytes, a varint, or eight bytes."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        if tag & 7 == 2:
            length, at = varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif tag & 7 == 1:
            yield tag >> 3, message[at : at + 8]
            at += 8
        else:
            number, at = varint(message, at)
            yield tag >> 3, number


def varint(message: bytes, at: int):
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def read(body: bytes):
    """Labels in their order, bits of the value, and milliseconds of each series of a request."""
    found = []
    for number, series in fields(bytes(cramjam.snappy.decompress_raw(body))):
        assert number == 1
        parts = list(fields(series))
        labels = [tuple(text.decode() for _, text in fields(pair)) for number, pair in parts if number == 1]
        (sample,) = [dict(fields(content)) for number, content in parts if number == 2]
        found.append((labels, struct.unpack("<Q", sample[1])[0], sample[2]))
    return found
