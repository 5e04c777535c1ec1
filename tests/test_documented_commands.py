"""Every command that a page names is there, takes the flags that stand behind it, and is told about somewhere."""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from platform_site.local.layout import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("[!.]*/README.md")])
# What operators are told to do is in findings too.
SOURCES = sorted([*REPOSITORY.glob("platform_site/doctor/*.py"), *REPOSITORY.glob("*/examining.py")])

_NAMED = re.compile(r"(?:manage\.py|deploy/manage) ([a-z][a-z_]*)([^`|;&<>#\"\n]*)")
_ALONE = re.compile(r"`([a-z]+(?:_[a-z]+)+) ([A-Z]+ |)(--[^`\n]+)`")
_TYPED = re.compile(r"^\s*[$#] (?:.*?\s)?(?:manage\.py|deploy/manage) ([a-z][a-z_]*)([^|;&<>#\n]*)", re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text().replace("\\\n", " ")


@cache
def parser_of(name: str) -> ArgumentParser:
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


def named(page: Path) -> Iterator[tuple[str, set[str]]]:
    """Commands and their flags, in code or in a sentence."""
    text = text_of(page)
    for name, *_, rest in [*_NAMED.findall(text), *_ALONE.findall(text)]:
        yield name, set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest))


def typed(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Whole command lines, as somebody would type them."""
    blocks = re.findall(r"^ *```console\n(.*?)^ *```", text_of(page), re.MULTILINE | re.DOTALL)
    for name, rest in _TYPED.findall("\n".join(blocks)):
        yield name, shlex.split(rest)


def test_pages_name_commands() -> None:
    assert sum(1 for page in PAGES for _ in named(page)) > 100
    assert sum(1 for page in PAGES for _ in typed(page)) > 40
    assert sum(1 for source in SOURCES for _ in named(source)) > 10


@pytest.mark.parametrize("page", [*PAGES, *SOURCES], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_and_every_flag_exists(page: Path) -> None:
    for name, flags in named(page):
        assert name in get_commands(), name
        known = {flag for action in parser_of(name)._actions for flag in action.option_strings}
        assert flags - known == set(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_line_can_be_typed(page: Path) -> None:
    for name, words in typed(page):
        try:
            parser_of(name).parse_args(words)
        except CommandError as refused:
            raise AssertionError(f"manage.py {name} {' '.join(words)}: {refused}") from None


def test_every_command_of_ours_has_its_place_in_the_operators_page() -> None:
    ours = {path.stem for path in REPOSITORY.glob("*/**/management/commands/[a-z]*.py") if ".venv" not in path.parts}
    assert len(ours) > 30
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    headings = " ".join(re.findall(r"^###? (.*)$", page, re.MULTILINE))
    told = set(re.findall(r"[a-z]+(?:_[a-z]+)*", headings))
    refused, processes = {"migrate", "migrate_schemas"}, {"run_realtime"}
    assert ours - told - refused - processes == set()
