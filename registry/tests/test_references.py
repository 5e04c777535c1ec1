"""Whatever refers to a record has to be thought of by merging; this fails when something new is not."""

from typing import Any

import pytest
from django.db import connection

# Column -> what merging does with it. A new column that holds ids of records goes in here, with its answer.
HANDLED = {
    ("registry_entity", "merged_into_id"): "leads to the winner at once, so that no id is two steps away",
    ("registry_identifier", "entity_id"): "moves to the winner",
    ("registry_identifier", "origin_id"): "stays: it says where to go back to",
    ("registry_link", "entity_id"): "moves to the winner, unless the link has ended",
    ("registry_link", "origin_id"): "stays: it says where to go back to",
    ("registry_historyentry", "entity_id"): "stays: it is what happened then; readers read the merged set",
    ("registry_merge", "winner_id"): "stays: it is what was done",
    ("registry_merge", "loser_id"): "stays: it is what was done",
    ("registry_duplicate", "low_id"): "points to the winner",
    ("registry_duplicate", "high_id"): "points to the winner",
    ("events_event", "canonical_id"): "stays: readers read the merged set",
    ("events_eventstat", "canonical_id"): "stays: readers add up the merged set",
}
# Columns of these names hold ids of records, also without a foreign key.
NAMES = ("canonical_id", "sent_canonical_id", "origin_id", "winner_id", "loser_id", "low_id", "high_id")

_FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'f' AND c.confrelid = 'registry_entity'::regclass"""
_BY_NAME = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND column_name = ANY(%s)"""


def _references() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_KEYS)
        found = {(str(table), str(column)) for table, column in cursor.fetchall()}
        cursor.execute(_BY_NAME, [list(NAMES)])
        return found | {(str(table), str(column)) for table, column in cursor.fetchall()}


def test_merging_knows_every_column_that_refers_to_a_record(in_tenant: Any) -> None:
    assert _references() == set(HANDLED)


@pytest.mark.as_owner
def test_a_new_reference_would_be_noticed(in_tenant: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE registry_note (id int, about uuid REFERENCES registry_entity (id))")
        cursor.execute("CREATE TABLE elsewhere_note (id int, canonical_id uuid)")
    assert _references() - set(HANDLED) == {("registry_note", "about"), ("elsewhere_note", "canonical_id")}
