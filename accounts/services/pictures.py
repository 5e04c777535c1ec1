"""From a picture that somebody sent to a small one of our own making."""

from io import BytesIO
from threading import BoundedSemaphore

import structlog
from PIL import Image

from accounts import errors
from accounts.services.picture_files import NoPicture, picture_size
from platform_site.errors import SERVICE_UNAVAILABLE, PlatformError, invalid_field

log = structlog.get_logger(__name__)

MAX_BYTES = 2 * 1024 * 1024
# More than fits into that many bytes and still looks like anything. Unpacked it is 64 megabytes, and up to five
# times as much while a decoder works on it.
MAX_PIXELS = 16_000_000
SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP")
# One at a time in a process: so the memory above is taken once, and a core is left for everybody else.
_decoding = BoundedSemaphore(1)
WAIT_SECONDS = 10.0

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def picture_remade(data: bytes, *, field: str) -> bytes:
    """The middle square of a PNG, JPEG or WebP, upright, as WebP of 256 by 256 pixels and nothing else.

    No metadata, no second frame and no byte of the file itself gets through.
    Raises ``image_too_large`` or ``image_invalid``.
    """
    if len(data) > MAX_BYTES:
        raise PlatformError(errors.IMAGE_TOO_LARGE, context={"maxBytes": MAX_BYTES})
    try:
        kind, width, height = picture_size(data)
    except NoPicture:
        raise invalid_field(field, errors.IMAGE_INVALID) from None
    if not 0 < width * height <= MAX_PIXELS:
        text = f"A picture has at most {MAX_PIXELS // 1_000_000} megapixels."
        raise invalid_field(field, errors.IMAGE_INVALID, text)
    if not _decoding.acquire(timeout=WAIT_SECONDS):
        raise PlatformError(SERVICE_UNAVAILABLE, retry_after=5)
    try:
        return _remade(data, kind)
    except Exception as error:
        # A decoder raises whatever it stumbles over in a damaged file: a dozen kinds, none of them documented.
        log.info("pictures.refused", error=type(error).__name__)
        raise invalid_field(field, errors.IMAGE_INVALID) from None
    finally:
        _decoding.release()


def _remade(data: bytes, kind: str) -> bytes:
    with Image.open(BytesIO(data), formats=[kind]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise NoPicture("larger than it said")
        # Lets the JPEG decoder leave out what a small picture does not need.
        image.draft("RGB", (SIDE * 2, SIDE * 2))
        image.load()
        small = _square(image)
        turn = _UPRIGHT.get(_orientation(image))
    if turn is not None:
        # A square from the middle is the same square after turning, and turning this one is cheap.
        small = small.transpose(turn)
    clean = Image.frombytes(small.mode, small.size, small.tobytes())
    written = BytesIO()
    clean.save(written, "WEBP", quality=85, method=4)
    return written.getvalue()


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    colours = _in_colours(image)
    return colours.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def _in_colours(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _orientation(image: Image.Image) -> int:
    """Which way is up; 1, as it lies, when the metadata cannot be read."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1
