"""Searches of logged models that are narrowed to datasets name these once, however much is asked."""

from __future__ import annotations

import pytest

from dovetail.tracking.filters import MAX_DATASETS, MAX_TERMS
from dovetail.values import ViewType
from dovetail_sql import shapes
from dovetail_sql.search import logged_model_search


@pytest.mark.parametrize("statement", [shapes.page, shapes.count])
def test_datasets_stand_once_in_a_statement(statement: object) -> None:
    asked = " AND ".join(f"metrics.a{number} > 1" for number in range(MAX_TERMS))
    chosen = [{"dataset_name": f"d{number}", "dataset_digest": "1"} for number in range(MAX_DATASETS)]
    search = logged_model_search({0}, asked, chosen, (), ViewType.ACTIVE_ONLY, "")
    text = str(statement(search.shape))  # type: ignore[operator]
    assert text.count("datasets.digest") == MAX_DATASETS
    assert text.count("EXISTS") == MAX_TERMS + 1
