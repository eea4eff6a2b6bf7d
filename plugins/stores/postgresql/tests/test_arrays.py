"""Many rows go to the server as one statement, whatever they are."""

from __future__ import annotations

import pytest

from dovetail_postgresql.arrays import of_arrays
from dovetail_postgresql.database import _Session
from dovetail_sql.statements import MANY

TEXTS = _Session.texts


@pytest.mark.parametrize("name", MANY)
def test_every_statement_for_many_rows_takes_its_columns_as_arrays(name: str) -> None:
    text = TEXTS.named(name)
    whole = of_arrays(text.construct, text.text, MANY[name])
    assert whole.startswith(f"INSERT INTO {text.construct.table.name} (")
    assert "VALUES" not in whole
    assert [column for column in MANY[name] if whole.count(f"%({column})s::") != 1] == []
    assert ("ON CONFLICT" in whole) == ("ON CONFLICT" in text.text)


def test_columns_are_named_in_the_order_of_the_arrays() -> None:
    text = TEXTS.named("put_tag")
    assert of_arrays(text.construct, text.text, MANY["put_tag"]) == (
        "INSERT INTO tag (run, key, value, set_at) "
        "SELECT * FROM unnest(%(run)s::int8[], %(key)s::int8[], %(value)s::text[], %(set_at)s::int8[]) "
        "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value, set_at = excluded.set_at"
    )
