"""The file: sealed, private, whole or not there."""

import os
import random
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tenancy.archives import container
from tenancy.archives.container import Archive, ArchiveRefused, ArchiveWriter, Part
from tests.support import scaled

pytestmark = pytest.mark.no_django


class Small(msgspec.Struct, rename="camel"):
    word: str
    parts: dict[str, Part]


def written(path: Path, *, force: bool = False, **parts: bytes) -> Path:
    with ArchiveWriter(path, force=force) as archive:
        for name, content in parts.items():
            with archive.part(name, compress=False) as part:
                part.write(content)
        archive.finish(Small("hello", archive.parts))
    return path


def look(path: Path) -> Small:
    with Archive(path) as archive:
        manifest = archive.manifest(Small)
        archive.check_parts(manifest.parts)
        return manifest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.zip"


def test_what_was_written_is_read(path: Path) -> None:
    written(path, one=b"1\n2\n", two=b"")
    assert look(path).word == "hello"
    with Archive(path) as archive:
        assert list(archive.rows("one")) == [b"1", b"2"]


def test_only_its_owner_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_byte_that_is_another_is_found_wherever_it_is(path: Path, tmp_path: Path) -> None:
    whole = written(path, one=b"some rows" * 40).read_bytes()
    bent = tmp_path / "bent.zip"
    places = range(len(whole)) if scaled(0, 1) else random.Random(7).sample(range(len(whole)), 300)
    for place in [*places, 0, len(whole) - 1]:
        bent.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArchiveRefused, match="damaged"):
            look(bent)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 200])
def test_a_broken_off_copy_is_found(path: Path, length: int) -> None:
    path.write_bytes(written(path, one=b"x").read_bytes()[:length])
    with pytest.raises(ArchiveRefused, match="damaged"):
        look(path)


def test_a_part_that_is_not_what_the_manifest_says_is_found(path: Path) -> None:
    with ArchiveWriter(path) as archive:
        with archive.part("one") as part:
            part.write(b"these")
        archive.finish(Small("hello", {"one": Part(5, "0" * 64)}))
    with pytest.raises(ArchiveRefused, match="one is not what"):
        look(path)


@pytest.mark.parametrize("parts", [{}, {"one": Part(0, "0"), "two": Part(0, "0")}])
def test_a_part_too_many_and_one_too_few_are_found(path: Path, parts: dict[str, Part]) -> None:
    with ArchiveWriter(path) as archive:
        with archive.part("one") as part:
            part.write(b"these")
        archive.finish(Small("hello", parts))
    with pytest.raises(ArchiveRefused, match="the parts are not"):
        look(path)


def test_another_kind_of_manifest_is_refused(path: Path) -> None:
    class Other(msgspec.Struct):
        number: int

    written(path)
    with Archive(path) as archive, pytest.raises(ArchiveRefused, match="not as expected"):
        archive.manifest(Other)


def test_a_file_that_is_there_is_not_replaced_unless_that_is_said(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(ArchiveRefused, match="--force"):
        written(path)
    assert path.read_bytes() == b"precious"
    written(path, force=True)
    assert look(path).word == "hello"


def test_a_file_that_comes_in_between_is_not_replaced(path: Path) -> None:
    with ArchiveWriter(path) as archive:
        path.write_bytes(b"precious")
        with pytest.raises(ArchiveRefused, match="--force"):
            archive.finish(Small("hello", {}))
    assert path.read_bytes() == b"precious"
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_left_of_what_was_broken_off(path: Path) -> None:
    def write() -> None:
        with ArchiveWriter(path) as archive, archive.part("one") as part:
            part.write(b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert list(path.parent.iterdir()) == []


def test_it_takes_its_place_only_when_it_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[Any] = []
    digests = container._digests

    def watched(file: Any) -> Any:
        there.append(path.exists())
        return digests(file)

    monkeypatch.setattr(container, "_digests", watched)
    written(path)
    assert there == [False]
    assert path.exists()


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="no folder"):
        written(tmp_path / "none" / "a.zip")
    with pytest.raises(ArchiveRefused, match="cannot be read"):
        look(tmp_path / "none.zip")
