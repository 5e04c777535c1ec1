from pathlib import Path

import pytest

from platform_site.local.layout import REPOSITORY, Layout

pytestmark = pytest.mark.no_django


def test_the_home_is_var_in_the_repository_unless_var_dir_says_otherwise(tmp_path: Path) -> None:
    assert Layout.from_env({}).var_dir == REPOSITORY / "var"
    assert Layout.from_env({"VAR_DIR": str(tmp_path)}).var_dir == tmp_path


def test_sockets_stay_short_however_deep_the_home_is() -> None:
    layout = Layout(Path("/" + "very-deep/" * 60))
    assert len(str(layout.postgres_socket_dir / ".s.PGSQL.5432.lock")) < 100
    assert len(str(layout.valkey_socket)) < 100


def test_one_home_has_the_same_sockets_by_every_path_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    tmp_path.joinpath("link").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    assert Layout(Path("real")) == Layout(real) == Layout(tmp_path / "link")
    assert Layout(real).socket_dir != Layout(tmp_path).socket_dir


def test_the_port_of_the_mailbox_is_unknown_until_it_was_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert layout.smtp_port is None
    layout.run_dir.mkdir()
    layout.smtp_port_file.write_text("not yet")
    assert layout.smtp_port is None
    layout.smtp_port_file.write_text("2525")
    assert layout.smtp_port == 2525
