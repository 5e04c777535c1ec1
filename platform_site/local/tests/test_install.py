import json
import shutil
import sys
from pathlib import Path

import pytest

from platform_site.local.install import (
    CONSTRAINTS,
    FROM_LARGEST,
    Environment,
    fingerprint,
    uv_options,
)
from platform_site.local.layout import REPOSITORY

pytestmark = pytest.mark.no_django

DEV, LOCAL, PRODUCTION = FROM_LARGEST


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A checkout with a virtual environment whose installing only notes what it was asked."""
    for name in (*FROM_LARGEST, CONSTRAINTS):
        shutil.copy(REPOSITORY / name, tmp_path)
    environment = Environment(tmp_path)
    environment.directory.joinpath("bin").mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    monkeypatch.setattr(environment, "_works", lambda: True)
    monkeypatch.setattr(environment, "_install_packages", lambda wanted: None)
    return environment


def test_what_is_installed_is_not_installed_again(environment: Environment) -> None:
    assert not environment.has(LOCAL)
    environment.install(LOCAL)
    assert environment.has(LOCAL)


def test_the_larger_set_includes_the_smaller_but_not_the_other_way_round(
    environment: Environment,
) -> None:
    environment.install(LOCAL)
    assert not environment.has(DEV)
    environment.install(DEV)
    assert environment.has(LOCAL)
    assert environment.has(PRODUCTION)


def test_a_changed_pin_asks_for_an_installation(environment: Environment) -> None:
    environment.install(DEV)
    with environment.root.joinpath(CONSTRAINTS).open("a") as constraints:
        constraints.write("another==1.0\n")
    assert not environment.has(LOCAL)


def test_a_change_of_the_tools_alone_leaves_the_smaller_set_alone(
    environment: Environment,
) -> None:
    environment.install(LOCAL)
    environment.install(DEV)
    environment.root.joinpath(DEV).write_text("-r requirements-local.txt\nanother-tool==1.0\n")
    assert environment.has(LOCAL)
    assert not environment.has(DEV)


def test_what_is_no_longer_true_is_forgotten(environment: Environment) -> None:
    environment.install(DEV)
    environment.root.joinpath(PRODUCTION).write_text("django==5.2.20\n")
    environment.install(LOCAL)
    remembered = json.loads(environment.directory.joinpath("installed.json").read_text())
    assert remembered == {LOCAL: fingerprint(environment.root, LOCAL)}


def test_a_broken_memory_means_that_nothing_is_known(environment: Environment) -> None:
    environment.install(DEV)
    environment.directory.joinpath("installed.json").write_text("{half")
    assert not environment.has(DEV)


def test_a_useless_virtual_environment_has_nothing(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.install(DEV)
    monkeypatch.undo()
    environment.python.unlink()
    assert not environment.has(DEV)


def test_the_sources_of_pip_are_handed_to_uv() -> None:
    listing = (
        "global.index-url='https://mirror.example/simple'\n"
        "global.extra-index-url='\\nfile:///a/simple\\nfile:///b/simple'\n"
        ":env:.find-links='/opt/wheels'\n"
        "global.find-links='/opt/wheels'\n"
        "global.timeout='60'\n"
    )
    assert uv_options(listing) == [
        "--index-url", "https://mirror.example/simple",
        "--extra-index-url", "file:///a/simple",
        "--extra-index-url", "file:///b/simple",
        "--find-links", "/opt/wheels",
    ]  # fmt: skip
