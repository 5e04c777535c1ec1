"""Pictures for tests, good and hostile, made on the spot."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(kind: str = "PNG", size: tuple[int, int] = (320, 200), mode: str = "RGB", **options: object) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return saved(image.convert(mode), kind, **options)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *, colour: int = 2, bits: int = 8, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG whose header says whatever it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def webp_canvas(width: int, height: int) -> bytes:
    """An extended WebP that promises a canvas and has a small picture."""
    inner = picture("WEBP", (8, 8))[12:]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00"
    extended += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(extended) + len(inner)) + b"WEBP" + extended + inner


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose header lies about its size."""
    data = bytearray(picture("JPEG", (16, 16)))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan stands there again and again: little to send, long to unpack."""
    data = picture("JPEG", (640, 640), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def _after(start: bytes, rest: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: start + rest()


HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9" height="9"/></svg>'
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
ZIP = b"PK\x03\x04" + b"\x00" * 26 + b"PK\x05\x06" + b"\x00" * 18


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


# Whatever comes: none of these is a picture to keep, and none may cost more than a picture does.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x89",
    "noise": lambda: bytes(range(256)) * 40,
    "html": lambda: HTML,
    "svg": lambda: SVG,
    "svg with xml": lambda: b'<?xml version="1.0"?>' + SVG,
    "svg bomb": lambda: b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SVG,
    "pdf": lambda: PDF,
    "zip": lambda: ZIP,
    "gif": lambda: picture("GIF"),
    "bmp": lambda: picture("BMP"),
    "tiff": lambda: picture("TIFF"),
    "ico": lambda: picture("ICO", (32, 32)),
    "ppm": lambda: picture("PPM"),
    "tga": lambda: picture("TGA"),
    "pcx": lambda: picture("PCX"),
    "postscript": lambda: picture("EPS"),
    "jpeg 2000": lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00" * 50,
    "php behind gif": lambda: b"GIF89a/*" + HTML,
    "html before png": _after(HTML, picture),
    "html behind png": lambda: picture() + HTML,
    "zip behind png": lambda: picture() + ZIP,
    "pdf before jpeg": _after(PDF, lambda: picture("JPEG")),
    "html behind jpeg": lambda: picture("JPEG") + HTML,
    "zip behind jpeg": lambda: picture("JPEG") + ZIP,
    "html behind webp": lambda: picture("WEBP") + HTML,
    "gif before jpeg": _after(b"GIF89a", lambda: picture("JPEG")),
    "bare png start": lambda: b"\x89PNG\r\n\x1a\n",
    "png start and html": lambda: b"\x89PNG\r\n\x1a\n" + HTML,
    "bare jpeg start": lambda: b"\xff\xd8\xff",
    "jpeg start and html": lambda: b"\xff\xd8\xff\xe0" + HTML,
    "bare webp start": lambda: b"RIFF\x04\x00\x00\x00WEBP",
    "webp start and html": lambda: b"RIFF" + struct.pack("<I", 4 + len(HTML)) + b"WEBP" + HTML,
    "riff sound": lambda: b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + b"\x00" * 32,
    "png cut": lambda: picture()[:-20],
    "png half": lambda: picture(size=(400, 400))[:300],
    "jpeg cut": lambda: picture("JPEG")[:-200],
    "jpeg without end": lambda: picture("JPEG")[:-2],
    "webp cut": lambda: picture("WEBP")[:-30],
    "png with a wrong sum": lambda: _flipped(picture(), 60),
    "png without pixels": lambda: png(64, 64),
    "png with too few rows": lambda: png(64, 64, rows=b"\x00" * 500),
    "png with pixels that do not unpack": lambda: (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"\x78\x9c" + b"\xff" * 40)
        + chunk(b"IEND")
    ),
    "png with two headers": lambda: png(
        8, 8, rows=b"\x00" * 200, extra=chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0))
    ),
    "png of no size": lambda: png(0, 0),
    "png of impossible colours": lambda: png(8, 8, colour=5, rows=b"\x00" * 200),
    "png bomb in the header": lambda: png(60_000, 60_000),
    "png bomb of all sizes": lambda: png(2**31 - 1, 2**31 - 1),
    "png bomb with pixels": lambda: png(12_000, 12_000, colour=0, bits=1, rows=b"\x00" * (1501 * 12_000)),
    "png bomb in its text": lambda: png(
        8, 8, rows=b"\x00" * 200, extra=chunk(b"zTXt", b"k\x00\x00" + zlib.compress(b"\x00" * 60_000_000))
    ),
    "png of a hundred thousand chunks": lambda: png(8, 8, rows=b"\x00" * 200, extra=chunk(b"teXt") * 100_000),
    "png with a chunk as long as the world": lambda: picture()[:33] + b"\x7f\xff\xff\xffIDAT" + b"\x00" * 40,
    "webp bomb in the header": lambda: webp_canvas(16_383, 16_383),
    "webp bomb of all sizes": lambda: webp_canvas(2**24, 2**24),
    "webp that is damaged": lambda: _flipped(picture("WEBP"), 23),
    "jpeg bomb in the header": lambda: jpeg_of_size(65_535, 65_535),
    "jpeg of no size": lambda: jpeg_of_size(0, 0),
    "jpeg one row too large": lambda: jpeg_of_size(4000, 4001),
    "jpeg of five hundred scans": lambda: jpeg_of_many_scans(500),
    "jpeg without tables": lambda: b"\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x00" * 30 + b"\xff\xd9",
    "jpeg of empty segments": lambda: b"\xff\xd8" + b"\xff\xe0\x00\x00" * 1000 + b"\xff\xd9",
}
