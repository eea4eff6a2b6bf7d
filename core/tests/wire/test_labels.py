"""Tags and params in MLflow's JSON."""

from __future__ import annotations

from typing import Any

import pytest

from dovetail.errors import DovetailError, InvalidInput
from dovetail.values import InputTag, Param, RegistryTag, Tag
from dovetail.wire.labels import (
    dump_labels,
    load_input_tags,
    load_labels,
    load_param,
    load_params,
    load_registry_tag,
    load_registry_tags,
    load_tag,
    load_tags,
)

LISTS = [load_tags, load_params, load_registry_tags, load_input_tags]
KINDS = [Tag, Param, RegistryTag, InputTag]


class TestLabelsThatAreSent:
    @pytest.mark.parametrize(("load", "kind"), list(zip(LISTS, KINDS, strict=True)))
    def test_come_back_as_they_left(self, load: Any, kind: Any) -> None:
        labels = (kind("team", "blue"), kind("größe/ä b", "日本 🦊"), kind("empty", ""))
        assert load(dump_labels(labels)) == labels

    @pytest.mark.parametrize("load", LISTS)
    def test_there_may_be_none(self, load: Any) -> None:
        assert load(None) == load([]) == ()

    @pytest.mark.parametrize("load", LISTS)
    @pytest.mark.parametrize("label", [{"key": "k"}, {"key": "k", "value": None}], ids=["no value", "null"])
    def test_a_value_that_is_not_said_is_empty(self, load: Any, label: dict[str, Any]) -> None:
        assert load([label])[0].value == ""

    @pytest.mark.parametrize("load", LISTS)
    @pytest.mark.parametrize("sent", [{"key": "k", "value": "v"}, "k=v", 5, True, {}], ids=repr)
    def test_what_is_no_list_is_refused_by_name(self, load: Any, sent: object) -> None:
        with pytest.raises(InvalidInput, match="'labels' must be a list, not"):
            load(sent, "labels")

    @pytest.mark.parametrize("load", LISTS)
    @pytest.mark.parametrize("value", [5, 0.5, True, ["x"], {"a": 1}], ids=repr)
    def test_a_value_that_is_no_text_is_refused_with_its_place(self, load: Any, value: object) -> None:
        with pytest.raises(InvalidInput, match=r"labels\[1\]: The value of .*'k' must be text, not"):
            load([{"key": "fine", "value": "v"}, {"key": "k", "value": value}], "labels")

    @pytest.mark.parametrize("load", LISTS)
    @pytest.mark.parametrize(
        "label", ["k", 5, None, [], {}, {"value": "v"}, {"key": 5, "value": "v"}, {"key": ""}], ids=repr
    )
    def test_what_has_no_key_is_refused_with_its_place(self, load: Any, label: object) -> None:
        with pytest.raises(InvalidInput, match=r"labels\[0\]: "):
            load([label], "labels")

    @pytest.mark.parametrize("load", LISTS)
    @pytest.mark.parametrize("value", ["\ud800", "a\x00b"], ids=ascii)
    def test_what_no_store_can_keep_is_refused(self, load: Any, value: str) -> None:
        with pytest.raises(InvalidInput, match=r"\[0\]: .*cannot be stored"):
            load([{"key": "k", "value": value}])

    @pytest.mark.parametrize("key", ["../x", "/x", "a//b", ".", "a\nb", "x" * 251])
    @pytest.mark.parametrize("load", [load_tags, load_params, load_registry_tags])
    def test_keys_that_are_paths_elsewhere_are_refused(self, load: Any, key: str) -> None:
        with pytest.raises(InvalidInput, match=r"\[0\]: The (tag|param) key"):
            load([{"key": key, "value": "v"}])


class TestValuesThatAreTooLong:
    def test_of_runs_are_cut_as_mlflows_server_does(self) -> None:
        assert load_tag({"key": "k", "value": "x" * 9000}).value == "x" * 8000
        assert load_param({"key": "k", "value": "x" * 7000}).value == "x" * 6000

    def test_of_the_registry_are_refused(self) -> None:
        assert load_registry_tag({"key": "k", "value": "x" * 100_000}).value == "x" * 100_000
        with pytest.raises(InvalidInput, match="100001 characters"):
            load_registry_tag({"key": "k", "value": "x" * 100_001})


class TestOneLabel:
    @pytest.mark.parametrize("load", [load_tag, load_param, load_registry_tag])
    def test_may_stand_among_other_fields_of_a_request(self, load: Any) -> None:
        label = load({"run_id": "a" * 32, "run_uuid": "a" * 32, "key": "k", "value": "v", "new_in_mlflow_9": 1})
        assert (label.key, label.value) == ("k", "v")

    @pytest.mark.parametrize("load", [load_tag, load_param, load_registry_tag])
    @pytest.mark.parametrize("sent", [[], "k", None, 5], ids=repr)
    def test_that_is_no_object_is_refused(self, load: Any, sent: object) -> None:
        with pytest.raises(InvalidInput, match="must be a JSON object, not"):
            load(sent)

    def test_that_is_refused_in_a_list_keeps_its_class_and_hint(self) -> None:
        with pytest.raises(DovetailError) as alone:
            load_tag({"key": "../x"})
        with pytest.raises(type(alone.value)) as among:
            load_tags([{"key": "../x"}])
        assert among.value.hint == alone.value.hint is not None


class TestLabelsOfAnswers:
    def test_are_listed_by_key(self) -> None:
        assert dump_labels({"a": "1", "b": ""}) == [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]

    def test_come_back_as_they_left_even_if_no_client_may_send_them(self) -> None:
        labels = {"../x": "1", "a": "x" * 9000}
        assert load_labels(dump_labels(labels)) == labels

    def test_there_may_be_none(self) -> None:
        assert load_labels(None) == load_labels([]) == {}
        assert dump_labels({}) == dump_labels(()) == []

    def test_values_that_are_left_out_are_empty(self) -> None:
        assert load_labels([{"key": "a"}]) == {"a": ""}
