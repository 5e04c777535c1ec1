"""The outside of a picture's file: which format it is, how large the picture, and where the file ends.

Read before any decoder sees the file. A decoder takes memory for what the header promises, forgives what
stands behind the end, and unpacks each of a thousand layers that a kilobyte can hold.
"""

import re
import struct
import zlib
from struct import unpack_from

PNG, JPEG, WEBP = "PNG", "JPEG", "WEBP"

_PNG_START = b"\x89PNG\r\n\x1a\n"
# A marker inside of compressed data: neither a stuffed zero, nor a restart, nor padding.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN, _END = 0xDA, 0xD9
# A progressive picture has about ten. Each is one more pass over all of it, whatever its own length.
MAX_SCANS = 64
MAX_CHUNKS = 2000


class NoPicture(ValueError):
    """The file is none of the formats, or not from its first byte to its last."""


def picture_size(data: bytes) -> tuple[str, int, int]:
    """(format, width, height) as the file itself says. Raises ``NoPicture``."""
    try:
        if data.startswith(_PNG_START):
            return PNG, *_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return JPEG, *_jpeg(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return WEBP, *_webp(data)
    except (IndexError, struct.error):
        raise NoPicture("ends too early") from None
    raise NoPicture("unknown format")


def _png(data: bytes) -> tuple[int, int]:
    """Chunks with right sums, the header first and nothing behind the end."""
    position = len(_PNG_START)
    for number in range(MAX_CHUNKS):
        length, kind = unpack_from(">I4s", data, position)
        content = data[position + 4 : position + 8 + length]
        (checksum,) = unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(content) != checksum or (kind == b"IHDR") != (number == 0):
            raise NoPicture("damaged")
        position += length + 12
        if kind == b"IEND":
            break
    if kind != b"IEND" or position != len(data):
        raise NoPicture("not one picture")
    return unpack_from(">II", data, len(_PNG_START) + 8)


def _jpeg(data: bytes) -> tuple[int, int]:
    """Segments up to the end marker. Behind it only what cameras append: padding, further pictures, notes."""
    position, scans, size = 2, 0, (0, 0)
    while True:
        if data[position] != 0xFF:
            raise NoPicture("damaged")
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        if marker == _END:
            break
        (length,) = unpack_from(">H", data, position + 1)
        if marker in _FRAMES:
            height, width = unpack_from(">HH", data, position + 4)
            size = max(size[0], width), max(size[1], height)
        position += 1 + length
        if marker == _SCAN:
            scans += 1
            found = _MARKER.search(data, position)
            if found is None or scans > MAX_SCANS:
                raise NoPicture("no end")
            position = found.start()
    rest = data[position + 1 :].lstrip(b"\x00")
    if not scans or (rest and not rest.startswith(b"\xff\xd8\xff") and not rest.endswith(b"SEFT")):
        raise NoPicture("not one picture")
    return size


def _webp(data: bytes) -> tuple[int, int]:
    """A RIFF file that is as long as it says, by the first chunk of which its size is known."""
    (length,) = unpack_from("<I", data, 4)
    if length + 8 != len(data):
        raise NoPicture("not one picture")
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise NoPicture("damaged")
