"""Homes in memory come when they are wanted, stay while something leads to them, and are swept afterwards."""

import os
from pathlib import Path

import pytest

from tests import memory
from tests.memory import lead_into_memory

pytestmark = pytest.mark.no_django


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "_room", lambda place: memory.ROOM_BYTES)
    place = tmp_path / "memory"
    place.mkdir()
    return place


def test_a_home_is_made_once_and_again_after_a_reboot(place: Path, tmp_path: Path) -> None:
    link = tmp_path / "var" / "test"
    for _ in range(2):
        lead_into_memory(link, place)
    (home,) = place.iterdir()
    assert (link.resolve(), home.stat().st_mode & 0o777) == (home, 0o711)
    home.joinpath("led-to-by").unlink()
    home.rmdir()
    lead_into_memory(link, place)
    assert list(place.iterdir()) == [home]


def test_what_nothing_leads_to_is_swept_and_nothing_else(place: Path, tmp_path: Path) -> None:
    links = [tmp_path / name for name in ("stays", "goes", "comes")]
    lead_into_memory(links[0], place)
    lead_into_memory(links[1], place)
    foreign = place / "somebody-elses"
    foreign.mkdir()
    unmarked = place / "platform-test-of-somebody-else"
    unmarked.mkdir()
    links[1].unlink()
    lead_into_memory(links[2], place)
    assert set(place.iterdir()) == {links[0].resolve(), links[2].resolve(), foreign, unmarked}


def test_a_directory_that_is_there_stays(place: Path, tmp_path: Path) -> None:
    link, elsewhere = tmp_path / "test", tmp_path / "elsewhere"
    link.mkdir()
    lead_into_memory(link, place)
    assert not link.is_symlink()
    link.rmdir()
    link.symlink_to(elsewhere)
    lead_into_memory(link, place)
    assert (os.readlink(link), elsewhere.exists(), list(place.iterdir())) == (str(elsewhere), False, [])


def test_where_there_is_no_room_the_disk_is_used(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_room", lambda place: memory.ROOM_BYTES - 1)
    lead_into_memory(tmp_path / "test", place)
    assert not (tmp_path / "test").is_symlink()
    monkeypatch.undo()
    assert memory._room(tmp_path / "nowhere") == 0
    assert memory._room(tmp_path) > 0
