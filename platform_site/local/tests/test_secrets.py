import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from platform_site.local import secrets

pytestmark = pytest.mark.no_django


def test_they_are_made_once_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    first = secrets.ensure(path)
    assert secrets.ensure(path) == first == secrets.load(path)
    assert set(first) == {"SECRET_KEY", "JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS"}


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    secrets.ensure(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_key_has_a_name_and_32_bytes(tmp_path: Path) -> None:
    made = secrets.ensure(tmp_path / "secrets.env")
    for name in ("JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS"):
        kid, _, key = made[name].partition(":")
        assert kid
        assert len(base64.urlsafe_b64decode(key)) == 32


def test_a_missing_one_is_added_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    path.write_text("# mine\nSECRET_KEY=a=b\nEXTRA=kept\n")
    made = secrets.ensure(path)
    assert made["SECRET_KEY"] == "a=b"
    assert made["EXTRA"] == "kept"
    assert secrets.ensure(path) == made


def test_many_at_once_get_the_same_ones(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(secrets.ensure, [tmp_path / "secrets.env"] * 16))
    assert all(answer == answers[0] for answer in answers)
