"""Pictures of people: made anew, kept in the tenant, shown to whoever has the address."""

import subprocess
import sys
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from accounts.avatars import avatar_address, avatar_token, parse_avatar_token
from accounts.models import Avatar, User
from accounts.services.avatars import avatar_remove, avatar_store
from accounts.services.picture_files import NoPicture, picture_size
from accounts.services.pictures import MAX_BYTES, picture_remade
from accounts.tests.pictures import BLUE, HOSTILE, HTML, RED, opened, picture, png, saved
from platform_site.binding import bind
from platform_site.errors import PlatformError
from tenancy.models import Tenant
from tenancy.services import tenant_suspend
from tests.support import Api

PATH = "/auth/me/profile"


def upload(client: Api, content: bytes, name: str = "me.png", kind: str = "image/png") -> Any:
    body = encode_multipart(BOUNDARY, {"avatar": SimpleUploadedFile(name, content, content_type=kind)})
    return client.call("PATCH", PATH, body, content_type=MULTIPART_CONTENT)


def path_of(response: Any) -> str:
    address = str(response.json()["data"]["avatarUrl"])
    return address[address.index("/avatars/") :]


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel[:3], colour, strict=True))


@pytest.mark.parametrize(
    "content",
    [
        picture("PNG"),
        picture("PNG", mode="P"),
        picture("PNG", mode="RGBA"),
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("JPEG", mode="CMYK"),
        picture("WEBP"),
        picture("WEBP", lossless=True),
        picture("PNG", (3000, 900)),
        picture("JPEG", (40, 3000)),
        picture("PNG", (16, 9)),
        picture("JPEG") + picture("JPEG"),
        picture("JPEG") + b"\x00" * 100,
    ],
)
def test_a_picture_becomes_a_small_square(bob: Api, content: bytes) -> None:
    response = upload(bob, content)
    assert response.status_code == 200, response.content
    shown = bob.client.get(path_of(response))
    image = opened(shown.content)
    assert (image.format, image.size) == ("WEBP", (256, 256))
    pixels = image.convert("RGB")
    assert near(pixels.getpixel((30, 128)), RED)
    assert near(pixels.getpixel((226, 128)), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey_works_too(mode: str) -> None:
    assert opened(picture_remade(picture("PNG", mode=mode), field="avatar")).size == (256, 256)


def test_sixteen_bits_of_grey_keep_their_shade() -> None:
    grey = saved(Image.new("I;16", (300, 300), 0x8000), "PNG")
    pixel = opened(picture_remade(grey, field="avatar")).convert("RGB").getpixel((128, 128))
    assert near(pixel, (128, 128, 128))


def test_what_was_transparent_stays_so() -> None:
    clear = saved(Image.new("RGBA", (300, 300), (255, 0, 0, 0)), "PNG")
    alpha = opened(picture_remade(clear, field="avatar")).convert("RGBA").getchannel("A")
    assert alpha.getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("orientation", "corner"),
    list(enumerate(["top left", "top right", "bottom right", "bottom left"] * 2, start=1)),
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_stands_upright_and_forgets_which_way_it_lay(orientation: int, corner: str, kind: str) -> None:
    """The upper left corner of what the camera stored is red; ``corner`` is where it belongs."""
    image = Image.new("RGB", (320, 200), BLUE)
    image.paste(RED, (60, 0, 160, 100))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "secret place"
    remade = picture_remade(saved(image, kind, exif=exif), field="avatar")
    upright = opened(remade)
    assert not upright.getexif()
    assert b"secret place" not in remade
    at = {"top left": (64, 64), "top right": (192, 64), "bottom left": (64, 192), "bottom right": (192, 192)}
    pixels = upright.convert("RGB")
    assert [name for name, place in at.items() if near(pixels.getpixel(place), RED)] == [corner]


def test_no_metadata_gets_through() -> None:
    from PIL import PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", HTML.decode())
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>secret place</x:xmpmeta>")
    files = [
        picture("PNG", pnginfo=notes),
        picture("JPEG", comment=HTML),
        picture("WEBP", xmp=b"<x:xmpmeta>secret place</x:xmpmeta>"),
        picture("PNG", icc_profile=b"secret place" * 20),
    ]
    for content in files:
        remade = picture_remade(content, field="avatar")
        assert all(word not in remade for word in (b"script", b"secret", b"EXIF", b"XMP", b"ICCP")), content[:8]


def test_of_a_moving_picture_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE, BLUE)]
    for kind in ("WEBP", "PNG"):
        moving = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        image = opened(picture_remade(moving, field="avatar"))
        assert getattr(image, "n_frames", 1) == 1
        assert near(image.convert("RGB").getpixel((128, 128)), RED)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str) -> None:
    with pytest.raises(PlatformError) as refusal:
        picture_remade(HOSTILE[name](), field="avatar")
    assert refusal.value.code.key == "image_invalid"
    assert refusal.value.details[0].field == "avatar"


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", ["svg", "gif", "html", "png cut", "zip behind png", "png bomb in the header"])
def test_whatever_it_calls_itself(bob: Api, name: str) -> None:
    response = upload(bob, HOSTILE[name](), "me.png", "image/png")
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["details"][0]["field"]) == (400, "image_invalid", "avatar")
    assert bob.get(PATH).json()["data"]["avatarUrl"] is None


def test_a_name_or_type_that_lies_does_no_harm(bob: Api) -> None:
    assert upload(bob, picture("JPEG"), "../../etc/passwd.svg", "image/svg+xml").status_code == 200


def test_every_cut_of_a_picture_is_refused() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = picture(kind, (64, 64))
        picture_size(whole)
        for length in range(len(whole)):
            with pytest.raises(NoPicture):
                picture_size(whole[:length])


def test_a_changed_byte_is_a_picture_or_a_refusal() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = bytearray(picture(kind, (48, 48)))
        for position in range(0, len(whole), 3):
            damaged = bytearray(whole)
            damaged[position] ^= 0x5A
            with suppress(PlatformError):
                remade = picture_remade(bytes(damaged), field="avatar")
                assert opened(remade).size == (256, 256)


MEASURED = """
import resource, sys
from accounts.services.pictures import picture_remade
from accounts.tests.pictures import HOSTILE, picture
picture_remade(picture(), field="avatar")
files = {name: make() for name, make in HOSTILE.items()}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, content in files.items():
    try:
        picture_remade(content, field="avatar")
    except Exception as error:
        assert error.code.key == "image_invalid", name
print("grew by", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_none_of_them_takes_memory() -> None:
    ended = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    megabytes = int(ended.stdout.rpartition("grew by")[2])
    # A picture that is accepted may take 64 and what its decoder needs; the bombs promise gigabytes.
    assert megabytes < 100


def test_a_large_picture_is_refused_before_it_is_looked_at(bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened_all_the_same(*args: object, **kwargs: object) -> None:
        raise AssertionError("It was looked at.")

    monkeypatch.setattr(Image, "open", opened_all_the_same)
    response = upload(bob, picture() + b"\x00" * MAX_BYTES)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["context"]) == (413, "image_too_large", {"maxBytes": MAX_BYTES})


def test_one_of_just_two_mebibytes_is_taken(bob: Api) -> None:
    base = png(200, 200, rows=(b"\x00" + b"\x40" * 600) * 200)
    rest = MAX_BYTES - len(base) - 12
    full = png(200, 200, rows=(b"\x00" + b"\x40" * 600) * 200, extra=_private_chunk(rest))
    assert len(full) == MAX_BYTES
    assert upload(bob, full).status_code == 200


def _private_chunk(length: int) -> bytes:
    from accounts.tests.pictures import chunk

    return chunk(b"prVt", b"\x00" * length)


def test_a_body_beyond_all_measure_is_not_even_read(bob: Api) -> None:
    response = upload(bob, b"\x00" * (MAX_BYTES + 70_000))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def test_pictures_are_limited(bob: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "avatar_user": (2, 3600)}
    answers = [upload(bob, picture()).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    # What is no picture costs the others nothing.
    assert bob.call("PATCH", PATH, {"firstName": "Robert"}).status_code == 200


def test_the_address_is_public_and_never_changes_what_it_shows(bob: Api, api: Api, settings: Any) -> None:
    settings.PUBLIC_URL = "https://platform.example.test"
    response = upload(bob, picture())
    assert response.json()["data"]["avatarUrl"].startswith("https://platform.example.test/avatars/")
    shown = api.client.get(path_of(response))
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/webp"
    assert shown["Cache-Control"] == "public, max-age=31536000, immutable"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Security-Policy"] == "default-src 'none'"
    assert shown.content[:4] == b"RIFF"
    assert "Set-Cookie" not in shown
    again = api.client.get(path_of(response), headers={"If-None-Match": shown["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", shown["ETag"])
    assert api.client.head(path_of(response)).status_code == 200
    assert api.client.post(path_of(response)).status_code in (403, 405)


def test_a_new_picture_has_a_new_address_and_the_old_one_is_gone(bob: Api, tenant: Tenant) -> None:
    first, second = (path_of(upload(bob, picture(kind))) for kind in ("PNG", "JPEG"))
    assert first != second
    assert bob.client.get(first).status_code == 404
    assert bob.client.get(second).status_code == 200
    with bind(tenant.ref):
        assert Avatar.objects.count() == 1


def test_what_is_not_there_is_not_found(bob: Api, api: Api, tenant: Tenant, other_tenant: Tenant) -> None:
    path = path_of(upload(bob, picture()))
    token = path.removeprefix("/avatars/").removesuffix(".webp")
    avatar_id = UUID(token[32:64])
    swapped = other_tenant.id.hex + token[32:]
    tokens = [
        # Tampered with, in each of its parts.
        swapped,
        token[:40] + ("0" if token[40] != "0" else "1") + token[41:],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[:64],
        token + "A",
        token.upper(),
        "x",
        "%00",
        "..%2f..%2fetc%2fpasswd",
        # Well signed, and nobody's.
        avatar_token(tenant.id, uuid4()),
        avatar_token(uuid4(), avatar_id),
        # Well signed, and of another tenant.
        avatar_token(other_tenant.id, avatar_id),
    ]
    for wrong in tokens:
        response = api.client.get(f"/avatars/{wrong}.webp")
        assert response.status_code == 404, wrong
    assert api.client.get(path).status_code == 200
    assert api.client.get("/avatars/").status_code == 404
    assert response["Cache-Control"] == "no-store"


def test_a_suspended_tenant_shows_nothing(bob: Api, api: Api, tenant: Tenant) -> None:
    path = path_of(upload(bob, picture()))
    tenant_suspend(tenant_id=tenant.id, reason="test", actor="test")
    assert api.client.get(path).status_code == 404


def test_looking_is_limited(bob: Api, api: Api, settings: Any) -> None:
    path = path_of(upload(bob, picture()))
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "avatar_origin": (2, 60)}
    answers = [api.client.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Retry-After" in answers[2]


def test_nobody_is_bound_afterwards(bob: Api, api: Api) -> None:
    from platform_site.binding import bound_tenant, connection

    api.client.get(path_of(upload(bob, picture())))
    assert bound_tenant() is None
    assert connection.schema_name == "public"


def test_a_token_is_good_as_long_as_its_key_is_in_the_ring(settings: Any) -> None:
    tenant_id, avatar_id = uuid4(), uuid4()
    token = avatar_token(tenant_id, avatar_id)
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [("new", "n" * 43), *old]
    assert avatar_token(tenant_id, avatar_id) != token
    assert parse_avatar_token(token) == (tenant_id, avatar_id)
    settings.TOKEN_KEYS = [("new", "n" * 43)]
    assert parse_avatar_token(token) is None


def test_addresses_are_written_anew_for_a_new_key(bob: Api, settings: Any, capsys: Any) -> None:
    before = path_of(upload(bob, picture()))
    settings.TOKEN_KEYS = [("new", "n" * 43)]
    settings.PUBLIC_URL = "https://moved.example.test"
    assert bob.client.get(before).status_code == 404
    call_command("avatar_addresses", "--dry-run")
    assert capsys.readouterr().out == "1 pictures, 1 addresses would be changed.\n"
    call_command("avatar_addresses")
    assert capsys.readouterr().out == "1 pictures, 1 addresses changed.\n"
    call_command("avatar_addresses")
    assert capsys.readouterr().out == "1 pictures, 0 addresses changed.\n"


def test_whoever_stores_and_removes_by_hand(in_tenant: Tenant) -> None:
    user = User.objects.get(pk=2)
    address = avatar_store(user=user, image=b"RIFF")
    assert address == avatar_address(in_tenant.id, Avatar.objects.get(user=user).id)
    avatar_remove(user=user)
    assert not Avatar.objects.exists()
