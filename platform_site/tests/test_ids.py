"""Ids that are made here."""

from uuid import RFC_4122, UUID

from platform_site.ids import uuid7, uuid7_texts


def test_many_texts_at_once_are_version_7_and_sort_strictly_among_the_others() -> None:
    before = str(uuid7())
    made = uuid7_texts(5_000)
    after = str(uuid7())
    assert sorted(made) == made
    assert before < made[0]
    assert made[-1] < after
    assert len(set(made)) == 5_000
    read = [UUID(text) for text in made]
    assert [str(one) for one in read] == made
    assert {(one.version, one.variant) for one in read} == {(7, RFC_4122)}
    # No bit of the random part stands still.
    ones = [sum(one.int >> bit & 1 for one in read) for bit in range(62)]
    assert all(2_200 < count < 2_800 for count in ones)
