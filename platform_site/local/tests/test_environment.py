from pathlib import Path

import pytest

from platform_site.local.environment import for_children, read_env_file
from platform_site.local.layout import Layout
from platform_site.local.plan import Plan

pytestmark = pytest.mark.no_django


def test_an_env_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nPLAIN=1\nexport EXPORTED = yes \nQUOTED='a # b'\nTRAILING=x # why\n"
        "URL=postgresql://u:p@h/d?a=b#c\nno equals sign\n"
    )
    assert read_env_file(path) == {
        "PLAIN": "1",
        "EXPORTED": "yes",
        "QUOTED": "a # b",
        "TRAILING": "x",
        "URL": "postgresql://u:p@h/d?a=b#c",
    }


def test_what_the_caller_set_wins_over_our_defaults(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    env = for_children({"DEBUG": "0", "SECRET_KEY": "mine", "PGPORT": "1"}, layout)
    assert env["DEBUG"] == "0"
    assert env["SECRET_KEY"] == "mine"
    assert env["JWT_KEYS"]
    assert "PGPORT" not in env


def test_each_server_is_embedded_unless_it_has_an_address(tmp_path: Path) -> None:
    def embedded(**env: str) -> list[str]:
        return [name for name, _ in Plan.make(Layout(tmp_path), env, 8000).servers]

    assert embedded() == ["postgres", "valkey"]
    assert embedded(DATABASE_URL="postgresql://h/d") == ["valkey"]
    assert embedded(REDIS_URL="redis://h") == ["postgres"]
    assert embedded(DATABASE_URL="postgresql://h/d", REDIS_URL="redis://h") == []


def test_the_mailbox_gives_way_to_a_mail_server_of_ones_own(tmp_path: Path) -> None:
    plan = Plan.make(Layout(tmp_path), {"EMAIL_URL": "smtp://mail.example:25"}, 8000)
    assert "mailbox" not in [part.name for stage in plan.stages() for part in stage]
