import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from platform_site.local.layout import Layout
from platform_site.local.owner_lock import InUse
from platform_site.local.postgres import PostgresServer
from platform_site.local.problem import LocalProblem
from platform_site.local.processes import processes_in, wait_until
from platform_site.local.server import Profile
from platform_site.local.standalone import Standalone

pytestmark = pytest.mark.no_django


@pytest.fixture
def home(home: Layout, finished_data: Path) -> Layout:
    """Data that an initdb of its own made are the same in every test, and copied sooner."""
    subprocess.run(["/bin/cp", "-a", finished_data, home.postgres_data], check=True)
    return home


@pytest.fixture(scope="module")
def finished_data() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="home-", dir="/var/tmp"))
    directory.chmod(0o711)
    server = _standalone(Layout(directory))
    server.start()
    server.close()
    yield Layout(directory).postgres_data
    shutil.rmtree(directory)


@pytest.fixture
def postgres(home: Layout) -> Iterator[Standalone]:
    server = _standalone(home)
    yield server
    server.close()


def _standalone(layout: Layout, profile: Profile = Profile.TEST) -> Standalone:
    return Standalone(PostgresServer(layout, profile), layout.log_dir / "postgres.log")


def _ask(server: Standalone, sql: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(sql).fetchone()
    return row[0] if row else None


def test_the_database_is_there_with_what_the_platform_needs(postgres: Standalone) -> None:
    postgres.start()
    assert _ask(postgres, "select current_database()") == "platform"
    assert _ask(postgres, "show max_connections") == "200"
    assert _ask(postgres, "show listen_addresses") == ""
    assert _ask(postgres, "show timezone") == "UTC"
    assert _ask(postgres, "select upper('ä')") == "Ä"
    assert _ask(postgres, "select 1 from pg_available_extensions where name = 'pg_trgm'") == 1


def test_in_development_what_was_committed_survives_a_power_cut(home: Layout) -> None:
    server = _standalone(home, Profile.DEVELOPMENT)
    server.start()
    assert _ask(server, "show fsync") == "on"
    server.close()


def test_what_was_written_is_there_after_kill_9(postgres: Standalone) -> None:
    postgres.start()
    with psycopg.connect(postgres.server.owner_url) as connection:  # type: ignore[attr-defined]
        connection.execute("set synchronous_commit = on")
        connection.execute("alter default privileges grant select on tables to platform_app")
        connection.execute("create table kept (id int)")
    postgres.kill()
    postgres.start()
    assert _ask(postgres, "select count(*) from kept") == 0


def test_it_stops_while_a_client_stays(postgres: Standalone) -> None:
    postgres.start()
    with psycopg.connect(postgres.url):
        postgres.stop()
    assert processes_in(postgres.server.data, "postgres") == []  # type: ignore[attr-defined]


def test_a_new_home_gets_its_data_at_the_first_start(home: Layout) -> None:
    shutil.rmtree(home.postgres_data)
    leftover = home.postgres_data.with_name("postgres.new-123")
    leftover.mkdir()
    leftover.joinpath("PG_VERSION").write_text("18")
    server = _standalone(home)
    server.start()
    assert _ask(server, "select 1") == 1
    assert not leftover.exists()
    server.close()


def test_an_incomplete_data_directory_is_set_aside_and_not_deleted(home: Layout) -> None:
    home.postgres_data.joinpath("global", "pg_control").unlink()
    home.postgres_data.joinpath("mine").write_text("precious")
    server = _standalone(home)
    notes = server.server.prepare()
    assert "incomplete" in " ".join(notes)
    (aside,) = home.var_dir.glob("postgres.incomplete-*")
    assert aside.joinpath("mine").read_text() == "precious"
    server.start()
    assert _ask(server, "select 1") == 1
    server.close()


def test_data_of_another_major_version_are_refused_with_a_way_out(home: Layout) -> None:
    home.postgres_data.joinpath("PG_VERSION").write_text("9\n")
    server = _standalone(home)
    with pytest.raises(LocalProblem, match=r"written by PostgreSQL 9.*\n *mv "):
        server.start()
    server.close()


def test_a_directory_has_one_owner(postgres: Standalone, home: Layout) -> None:
    postgres.start()
    with pytest.raises(InUse, match="in use by another run"):
        _standalone(home).start()


def test_two_homes_run_side_by_side(postgres: Standalone, finished_data: Path) -> None:
    other = _standalone(Layout(finished_data.parent))
    postgres.start()
    other.start()
    assert _ask(postgres, "select 1") == _ask(other, "select 1") == 1
    other.close()


def test_a_server_without_an_owner_is_stopped_first(postgres: Standalone) -> None:
    postgres.start()
    orphan = postgres.child
    # Losing the lock is what the death of the owner looks like to others.
    postgres.server.release()
    postgres.child = None
    postgres.start()
    assert orphan
    orphan.wait(timeout=5)
    assert _ask(postgres, "select 1") == 1


def test_backends_that_outlive_their_server_do_not_stop_a_restart(postgres: Standalone) -> None:
    postgres.start()
    with contextlib.closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        # A backend that computes does not notice that its server has gone.
        connection.pgconn.send_query(b"select count(*) from generate_series(1, 10000000000)")
        data = postgres.server.data  # type: ignore[attr-defined]
        postgres.kill()
        assert processes_in(data, "postgres")
        postgres.start()
        assert _ask(postgres, "select 1") == 1


@pytest.mark.parametrize("content", ["", "garbage\n", "4194000\n", "{stranger}\n{rest}"])
def test_a_stale_pid_does_not_stop_the_start(content: str, postgres: Standalone, home: Layout) -> None:
    """Least of all one that a stranger under the server's own account has got since."""
    status = home.postgres_data.stat()
    account = {"user": status.st_uid, "group": status.st_gid} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["/bin/sleep", "60"], **account)  # type: ignore[call-overload]
    rest = f"{home.postgres_data}\n1\n5432\n/tmp\n\n  999 999\nready\n"
    pid_file = home.postgres_data / "postmaster.pid"
    pid_file.write_text(content.format(stranger=stranger.pid, rest=rest))
    os.chown(pid_file, status.st_uid, status.st_gid)
    postgres.start()
    assert _ask(postgres, "select 1") == 1
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_as_root_data_move_where_the_account_can_reach_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    layout = Layout(tmp_path / "closed" / "var")
    server = _standalone(layout)
    server.start()
    real = Path(os.readlink(layout.postgres_data))
    assert real.stat().st_uid != 0
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    server.close()

    again = _standalone(layout)
    again.start()
    assert Path(os.readlink(layout.postgres_data)) == real
    again.close()
    shutil.rmtree(real.parent)


def test_nothing_stays_behind_in_the_common_place(postgres: Standalone, home: Layout) -> None:
    postgres.start()
    postgres.kill()
    postgres.close()
    assert wait_until(lambda: not home.socket_dir.exists(), timeout=2)
