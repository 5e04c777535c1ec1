"""The file: a zip with a manifest and a seal.

The seal is the zip's comment: the SHA-256 of every byte before it. One pass over the file finds any byte that
is another one, also in what zip itself does not check. Parts have hashes of their own in the manifest.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, TypeVar
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import msgspec

MANIFEST: Final = "manifest.json"
_SEAL: Final = b"sha256:"
_DIGEST_LENGTH: Final = 64
_CHUNK: Final = 1 << 20
_MOST_MANIFEST: Final = 16 << 20


class ArchiveRefused(Exception):
    """The archive, or what it is wanted for, is not in order; nothing was changed."""


class Part(msgspec.Struct, rename="camel", frozen=True):
    """One file of the archive: its length, its SHA-256 and, where it has rows, how many."""

    bytes: int
    sha256: str
    rows: int | None = None


Manifest = TypeVar("Manifest", bound=msgspec.Struct)


class PartWriter:
    """Takes bytes into one part, and counts them."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.length = 0
        self.rows: int | None = None

    def write(self, data: bytes) -> None:
        self._target.write(data)
        self._hash.update(data)
        self.length += len(data)

    def write_row(self, line: str) -> None:
        self.write(line.encode() + b"\n")
        self.rows = (self.rows or 0) + 1

    def done(self) -> Part:
        return Part(self.length, self._hash.hexdigest(), self.rows)


class ArchiveWriter:
    """Writes beside ``path`` and takes its place by ``finish``; without that nothing is there afterwards."""

    def __init__(self, path: Path, *, force: bool = False) -> None:
        refuse_existing(path, force=force)
        self.path = path
        self.parts: dict[str, Part] = {}
        self._force = force
        self._unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            descriptor = os.open(self._unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ArchiveRefused(f"{path} cannot be written: {error.strerror}.") from None
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = ZipFile(self._file, "w", allowZip64=True)

    def __enter__(self) -> "ArchiveWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # What a broken-off part leaves open is nobody's concern: the file goes.
        with suppress(ValueError):
            self._zip.close()
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    @contextmanager
    def part(self, name: str, *, compress: bool = True) -> Iterator[PartWriter]:
        with self._zip.open(_entry(name, compress=compress), "w", force_zip64=True) as target:
            writer = PartWriter(target)
            yield writer
        self.parts[name] = writer.done()

    def finish(self, manifest: msgspec.Struct) -> None:
        """Write the manifest and the seal, and put the file in its place, whole or not at all."""
        self._zip.writestr(_entry(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        self._zip.comment = _SEAL + b"0" * _DIGEST_LENGTH
        self._zip.close()
        self._file.flush()
        digest, _ = _digests(self._file)
        self._file.seek(-_DIGEST_LENGTH, os.SEEK_END)
        self._file.write(digest)
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._force:
            os.replace(self._unfinished, self.path)
        else:
            _put(self._unfinished, self.path)
        _sync_folder(self.path.parent)


class Archive:
    """An archive that was looked through whole: the seal, the manifest, and every part of it."""

    def __init__(self, path: Path) -> None:
        try:
            # One descriptor for looking and for reading: a file that is replaced in between is not this one.
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveRefused(f"{path} cannot be read: {error.strerror}.") from None
        self.path = path
        try:
            _check_seal(self._file, path)
            self._zip = ZipFile(self._file)
            self._text = self._read_manifest()
        except BadZipFile:
            self._file.close()
            raise ArchiveRefused(f"{path} is damaged, or no archive of this platform.") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def manifest(self, shape: type[Manifest]) -> Manifest:
        """The manifest as this kind of archive has it."""
        try:
            return msgspec.json.decode(self._text, type=shape)
        except msgspec.MsgspecError as error:
            raise ArchiveRefused(f"{self.path}: the manifest is not as expected: {error}.") from None

    def check_parts(self, parts: dict[str, Part]) -> None:
        """Raises unless the archive has exactly these parts, byte for byte."""
        names = self._zip.namelist()
        if sorted(names) != sorted([*parts, MANIFEST]):
            raise ArchiveRefused(f"{self.path}: the parts are not those of the manifest.")
        for name, part in parts.items():
            found, length = hashlib.sha256(), 0
            with self.part(name) as source:
                while chunk := source.read(_CHUNK):
                    found.update(chunk)
                    length += len(chunk)
            if (length, found.hexdigest()) != (part.bytes, part.sha256):
                raise ArchiveRefused(f"{self.path}: {name} is not what the manifest says.")

    def part(self, name: str) -> IO[bytes]:
        return self._zip.open(name)

    def rows(self, name: str) -> Iterator[bytes]:
        """The lines of a part, without their ends."""
        with self.part(name) as source:
            for line in source:
                yield line.rstrip(b"\n")

    def _read_manifest(self) -> bytes:
        if MANIFEST not in self._zip.namelist():
            raise ArchiveRefused(f"{self.path} has no {MANIFEST}.")
        if self._zip.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
            raise ArchiveRefused(f"{self.path}: {MANIFEST} is too large.")
        return self._zip.read(MANIFEST)


def refuse_existing(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise ArchiveRefused(f"{path} is there already. --force replaces it.")
    if not path.parent.is_dir():
        raise ArchiveRefused(f"There is no folder {path.parent}.")


def safe_name(text: str) -> str:
    """A slug as a part of a file's name."""
    return re.sub(r"[^a-z0-9-]", "_", text)


def _put(unfinished: Path, path: Path) -> None:
    """Rename without replacing: somebody may have made a file of that name meanwhile."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise ArchiveRefused(f"{path} is there already. --force replaces it.") from None
    except OSError:
        # A file system without hard links.
        refuse_existing(path, force=False)
        os.replace(unfinished, path)


def _entry(name: str, *, compress: bool = True) -> ZipInfo:
    entry = ZipInfo(name, time.gmtime()[:6])
    entry.compress_type = ZIP_DEFLATED if compress else ZIP_STORED
    entry.external_attr = 0o600 << 16
    return entry


def _check_seal(file: IO[bytes], path: Path) -> None:
    wanted, seal = _digests(file)
    if seal != _SEAL + wanted:
        raise ArchiveRefused(f"{path} is damaged, or no archive of this platform.")


def _digests(file: IO[bytes]) -> tuple[bytes, bytes]:
    """The SHA-256 of everything before the seal's digits, and the seal as it stands there."""
    left = file.seek(0, os.SEEK_END) - _DIGEST_LENGTH
    file.seek(0)
    found = hashlib.sha256()
    end = b""
    while left > 0 and (chunk := file.read(min(left, _CHUNK))):
        found.update(chunk)
        end = (end + chunk)[-len(_SEAL) :]
        left -= len(chunk)
    return found.hexdigest().encode(), end + file.read(_DIGEST_LENGTH)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
