"""Datasets and their use as inputs check themselves."""

from __future__ import annotations

from typing import Any

import pytest

from dovetail.errors import InvalidInput
from dovetail.values import Dataset, DatasetInput, InputTag

WINE = {"name": "wine", "digest": "8f3a", "source_type": "local", "source": '{"uri": "wine.csv"}'}


def made(**changes: Any) -> Dataset:
    return Dataset(**{**WINE, **changes})


def test_schema_and_profile_may_be_left_out() -> None:
    assert (made().schema, made().profile) == (None, None)
    assert made() == made(schema=None)


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("name", 500),
        ("digest", 36),
        ("source_type", 36),
        ("source", 65_535),
        ("schema", 1_048_575),
        ("profile", 16_777_215),
    ],
)
def test_texts_may_be_as_long_as_in_mlflow_and_no_longer(field: str, limit: int) -> None:
    assert getattr(made(**{field: "x" * limit}), field) == "x" * limit
    with pytest.raises(InvalidInput, match=rf"{field.replace('_', ' ')} .*{limit + 1} characters; at most {limit}"):
        made(**{field: "x" * (limit + 1)})


@pytest.mark.parametrize("field", ["name", "digest", "source_type"])
def test_what_tells_datasets_apart_is_not_empty(field: str) -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        made(**{field: ""})


@pytest.mark.parametrize("field", ["name", "digest", "source_type", "source", "schema", "profile"])
@pytest.mark.parametrize("wrong", [1, b"x", {"a": 1}, "a\0b", "\ud800"])
def test_what_no_store_can_keep_is_refused(field: str, wrong: object) -> None:
    with pytest.raises(InvalidInput):
        made(**{field: wrong})


class TestTags:
    def test_keys_and_values_have_limits(self) -> None:
        assert InputTag("k" * 255, "v" * 500).key == "k" * 255
        for key, value in [("k" * 256, "v"), ("k", "v" * 501), ("", "v"), ("k", 1), (None, "v")]:
            with pytest.raises(InvalidInput):
                InputTag(key, value)  # type: ignore[arg-type]

    def test_a_value_may_be_empty(self) -> None:
        assert InputTag("mlflow.data.context", "").value == ""


class TestInputs:
    def test_a_list_of_tags_becomes_unchangeable(self) -> None:
        tag = InputTag("mlflow.data.context", "training")
        made_of_list = DatasetInput(made(), [tag])  # type: ignore[arg-type]
        assert made_of_list.tags == (tag,)
        assert DatasetInput(made(), None).tags == ()  # type: ignore[arg-type]
        assert hash(made_of_list) == hash(DatasetInput(made(), (tag,)))

    @pytest.mark.parametrize("tags", [{"mlflow.data.context": "training"}, "training", 3, [None]])
    def test_tags_are_tags(self, tags: Any) -> None:
        with pytest.raises(InvalidInput, match="InputTag"):
            DatasetInput(made(), tags)

    def test_one_key_has_one_value(self) -> None:
        with pytest.raises(InvalidInput, match="same key"):
            DatasetInput(made(), (InputTag("a", "1"), InputTag("a", "2")))

    @pytest.mark.parametrize("dataset", [None, "wine", WINE])
    def test_a_dataset_is_one(self, dataset: Any) -> None:
        with pytest.raises(InvalidInput, match="Dataset value"):
            DatasetInput(dataset)
