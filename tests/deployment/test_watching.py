"""Dashboard, alarms and runbooks speak of what is really there."""

import json
import re
from importlib import import_module
from typing import Any

import pytest
import yaml
from django.urls import get_resolver

from accounts import errors as _accounts_errors  # noqa: F401 - its codes are named in the alarms
from platform_site.errors import error_codes
from platform_site.journal.keys import journal_keys
from platform_site.local.layout import REPOSITORY
from platform_site.metrics.measures import route_template
from platform_site.metrics.serving import exported_names
from platform_site.realtime.metrics import Metrics

RULES = yaml.safe_load((REPOSITORY / "deploy/prometheus/alerts.yml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((REPOSITORY / "deploy/grafana/core-platform.json").read_text())
RUNBOOKS = (REPOSITORY / "docs/runbooks.md").read_text()
SECTIONS = re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])
]


def names(expressions: list[str]) -> set[str]:
    return {name for one in expressions for name in re.findall(r"\bcore_\w+", one)}


def of_sockets() -> set[str]:
    lines = Metrics().as_text().splitlines()
    return {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}


def exported() -> set[str]:
    # Loads every module that answers requests, and with them what they count.
    import_module("platform_site.urls")
    return exported_names() | of_sockets()


def test_every_metric_that_is_looked_at_is_exported() -> None:
    looked_at = names(EXPRESSIONS) | names([RUNBOOKS])
    assert len(looked_at) > 20
    assert looked_at - exported() == set()


def test_every_metric_that_is_exported_is_looked_at() -> None:
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported()}
    looked_at = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names(EXPRESSIONS)}
    assert bases - looked_at == set()


def test_every_alarm_has_a_page_and_every_page_an_alarm() -> None:
    alarms = [rule["alert"] for rule in ALERTS]
    assert len(alarms) == 10
    assert alarms == SECTIONS
    for rule in ALERTS:
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert f"| [{rule['alert']}](#{rule['alert'].lower()}) | {rule['labels']['severity']} |" in RUNBOOKS


@pytest.mark.parametrize("section", SECTIONS)
def test_a_page_says_what_to_do_and_when_it_is_over(section: str) -> None:
    page = RUNBOOKS.partition(f"## {section}\n")[2].partition("\n## ")[0]
    for question in ("What it means", "How to look", "What to do", "How to know that it is over"):
        assert f"**{question}.**" in page, question


def values(label: str) -> set[str]:
    found = re.findall(rf"\b{label}=~?\"([^\"]+)\"", " ".join(EXPRESSIONS))
    return {word for one in found for word in one.split("|")}


def test_error_codes_and_facts_that_are_named_exist() -> None:
    assert values("code") >= {"invalid_credentials"}
    assert values("code") <= {str(code.key) for code in error_codes}
    assert values("key") <= {str(key.key) for key in journal_keys}


def test_routes_that_are_named_exist() -> None:
    def walk(patterns: Any, before: str = "") -> set[str]:
        found = set()
        for one in patterns:
            route = before + str(one.pattern)
            found |= walk(one.url_patterns, route) if hasattr(one, "url_patterns") else {route_template(route)}
        return found

    assert values("route") == {"/api/v1/auth/login"}
    assert values("route") <= walk(get_resolver().url_patterns)


def test_links_of_the_runbooks_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", RUNBOOKS):
        file, _, anchor = target.partition("#")
        text = (REPOSITORY / "docs" / file).read_text() if file else RUNBOOKS
        lines = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        headings = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in lines}
        assert not anchor or anchor in headings, target
