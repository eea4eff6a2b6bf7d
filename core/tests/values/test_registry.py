"""Registered models, versions and aliases check themselves when they are made."""

from __future__ import annotations

import pytest

from dovetail.errors import InvalidInput, InvalidName
from dovetail.values import ModelVersion, ModelVersionStatus, NewModelVersion, RegisteredModel, RegistryTag
from dovetail.values.registry import check_alias, check_registered_name, check_stage, check_version


class TestNames:
    @pytest.mark.parametrize("name", ["churn", "churn model", "客户流失", "a.b-c_d", "x" * 256, "50% off", "'quoted'"])
    def test_most_texts_will_do(self, name: str) -> None:
        assert check_registered_name(name) == name

    @pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", "/", "x" * 257, "a\x00b", "\ud800", None, 7, ".", ".."])
    def test_what_would_break_uris_or_stores_is_refused(self, name: object) -> None:
        with pytest.raises(InvalidInput):
            check_registered_name(name)

    @pytest.mark.parametrize("character", ["\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200f"])
    def test_what_would_show_as_something_else_is_refused(self, character: str) -> None:
        with pytest.raises(InvalidName, match="cannot be read") as caught:
            check_registered_name(f"wi{character}ne")
        assert character not in str(caught.value)

    @pytest.mark.parametrize("name", ["...", ".wine", "wine..", "nbsp\xa0", "zero\u200dwidth"])
    def test_dots_and_joined_letters_will_do(self, name: str) -> None:
        assert check_registered_name(name) == name

    def test_the_message_says_what_to_do(self) -> None:
        with pytest.raises(InvalidName, match="slash or colon") as caught:
            check_registered_name("team/churn")
        assert "use - or _" in str(caught.value)


class TestAliases:
    @pytest.mark.parametrize("alias", ["champion", "v", "version1", "v1a", "1", "прод", "a-b_c", "Latest1"])
    def test_words_will_do(self, alias: str) -> None:
        assert check_alias(alias) == alias

    @pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V12", "", "a b", "a.b", "a/b", "x" * 256, None, 3])
    def test_what_means_something_else_is_refused(self, alias: object) -> None:
        with pytest.raises(InvalidName):
            check_alias(alias)


class TestVersions:
    @pytest.mark.parametrize(("given", "number"), [(1, 1), ("1", 1), ("007", 7), (2**63 - 1, 2**63 - 1)])
    def test_numbers_and_digits_are_versions(self, given: object, number: int) -> None:
        assert check_version(given) == number

    @pytest.mark.parametrize("kind", ["int8", "int64", "uint64"])
    def test_whole_numbers_of_numpy_are_too(self, kind: str) -> None:
        number = check_version(pytest.importorskip("numpy").dtype(kind).type(7))
        assert (number, type(number)) == (7, int)

    def test_other_numbers_of_numpy_are_not(self) -> None:
        np = pytest.importorskip("numpy")
        for wrong in (np.int64(0), np.float64(1.0), np.bool_(True), np.array([1, 2])):
            with pytest.raises(InvalidInput, match="no model version"):
                check_version(wrong)

    @pytest.mark.parametrize(
        "given",
        [
            0,
            "0",
            -1,
            "-1",
            "1.0",
            1.0,
            True,
            "",
            "one",
            "٣",
            None,
            2**63,
            "9" * 5000,
            pytest.param(10**5000, id="huge"),
        ],
    )
    def test_nothing_else_is(self, given: object) -> None:
        with pytest.raises(InvalidInput, match="no model version"):
            check_version(given)

    def test_a_new_one_checks_all_its_fields(self) -> None:
        made = NewModelVersion("churn", "s3://bucket/model", run_id="abc", tags=(RegistryTag("a", "b"),))
        assert made.creation_timestamp > 0
        for wrong in (
            {"name": "a/b"},
            {"source": " "},
            {"source": "x" * 4097},
            {"run_id": "../x"},
            {"model_id": "abc"},
            {"description": "x" * 5001},
            {"description": 5},
            {"creation_timestamp": -1},
            {"tags": ("a",)},
        ):
            with pytest.raises(InvalidInput):
                NewModelVersion(**{"name": "churn", "source": "s3://bucket/model", **wrong})

    def test_tags_may_be_long(self) -> None:
        assert len(RegistryTag("a", "x" * 100_000).value) == 100_000
        with pytest.raises(InvalidInput, match="100000 are allowed"):
            RegistryTag("a", "x" * 100_001)


class TestStages:
    @pytest.mark.parametrize("stage", ["production", "PRODUCTION", "Production"])
    def test_case_does_not_count(self, stage: str) -> None:
        assert check_stage(stage) == "Production"

    @pytest.mark.parametrize("stage", ["prod", "", None, 1])
    def test_unknown_ones_are_refused_with_those_there_are(self, stage: object) -> None:
        with pytest.raises(InvalidInput, match="Staging"):
            check_stage(stage)


def test_their_fields_are_what_dict_gives() -> None:
    assert dict(RegistryTag("a", "b")) == {"key": "a", "value": "b"}
    assert dict(RegisteredModel("churn", 1, 2))["last_updated_timestamp"] == 2


def test_they_are_shown_in_one_line_and_given_as_dicts() -> None:
    version = ModelVersion("churn", 3, 1, 2, source="s3://user:secret@bucket/x", aliases=["champion"])
    model = RegisteredModel("churn", 1, 2, latest_versions=[version], aliases={"champion": 3})
    assert "secret" not in repr(version)
    assert repr(model) == "RegisteredModel(name='churn', aliases={'champion': 3}, latest_versions=[3])"
    assert model.to_dictionary()["latest_versions"][0]["status"] == "READY"
    assert version.status == ModelVersionStatus.READY == "READY"
