"""Which version is in use: aliases, stages, their history and the way back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import AliasMoved, InvalidInput, InvalidName, InvalidState, NotFound, StageMoved
from dovetail.registry.moving import MovingClient
from dovetail.testing import MemoryRegistryStore
from dovetail.tracking.source import user_name
from dovetail.values import NewModelVersion

if TYPE_CHECKING:
    from dovetail import Client
    from dovetail.registry.store import RegistryStore
    from dovetail.values import Page, RegistryMove


def history(client: Client, what: str | int | None = None) -> list[tuple[str, str | None, str | None]]:
    """What was moved from where to where, the earliest first."""
    moves = client.get_registered_model_history("wine", what)
    return [(move.what, move.before, move.after) for move in reversed(moves)]


class TestAliases:
    @pytest.mark.parametrize("version", [2, "2"])
    def test_point_at_a_version(self, version: int | str, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", version)
        assert wine.get_model_version_by_alias("wine", "champion").version == 2
        assert wine.get_registered_model("wine").aliases == {"champion": 2}
        assert wine.get_model_version("wine", 2).aliases == ["champion"]

    def test_are_removed_alone_and_with_their_version(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "a", 1)
        wine.set_registered_model_alias("wine", "b", 2)
        wine.delete_registered_model_alias("wine", "a")
        wine.delete_model_version("wine", 2)
        assert wine.get_registered_model("wine").aliases == {}
        assert history(wine, "b") == [("b", None, "2"), ("b", "2", None)]

    def test_one_that_is_not_there_is_none_to_remove(self, wine: Client) -> None:
        wine.delete_registered_model_alias("wine", "nobody")
        assert history(wine) == []

    @pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22", "", "a b", "a/b", "a@b", "x" * 256, None, 3])
    def test_of_wrong_names_are_refused(self, alias: Any, wine: Client) -> None:
        with pytest.raises(InvalidName):
            wine.set_registered_model_alias("wine", alias, 1)
        with pytest.raises(InvalidName):
            wine.delete_registered_model_alias("wine", alias)
        with pytest.raises(InvalidName):
            wine.rollback_registered_model_alias("wine", alias)

    @pytest.mark.parametrize("version", ["x", "latest", None, 0])
    def test_point_at_numbers_only(self, version: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.set_registered_model_alias("wine", "champion", version)

    def test_point_at_what_is_there_only(self, wine: Client) -> None:
        with pytest.raises(NotFound):
            wine.set_registered_model_alias("wine", "champion", 99)
        with pytest.raises(NotFound):
            wine.set_registered_model_alias("beer", "champion", 1)
        with pytest.raises(NotFound):
            wine.delete_registered_model_alias("beer", "champion")

    def test_that_are_not_there_are_wrong_input_as_in_mlflow(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 1)
        for alias in ("CHAMPION", "nobody"):
            with pytest.raises(InvalidInput, match=alias) as caught:
                wine.get_model_version_by_alias("wine", alias)
            assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
            assert "champion" in str(caught.value)
        with pytest.raises(NotFound):
            wine.get_model_version_by_alias("beer", "champion")

    @pytest.mark.parametrize("alias", [None, 3, "", "a b", "v1", ["champion"]])
    def test_that_are_none_are_wrong_input(self, alias: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.get_model_version_by_alias("wine", alias)

    def test_latest_is_the_highest_number_whatever_its_stage(self, wine: Client) -> None:
        wine.transition_model_version_stage("wine", 3, "Archived")
        for latest in ("latest", "Latest"):
            assert wine.get_model_version_by_alias("wine", latest).version == 3
        wine.create_registered_model("empty")
        with pytest.raises(NotFound, match="no versions"):
            wine.get_model_version_by_alias("empty", "latest")


class TestExpectations:
    def test_that_hold_let_it_move(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 1, expected=None)
        wine.set_registered_model_alias("wine", "champion", 2, expected="1")
        wine.delete_registered_model_alias("wine", "champion", expected=2)
        assert len(history(wine)) == 3

    @pytest.mark.parametrize("expected", [None, 2, "3"])
    def test_that_do_not_hold_change_nothing(self, expected: Any, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 1)
        with pytest.raises(AliasMoved):
            wine.set_registered_model_alias("wine", "champion", 3, expected=expected)
        with pytest.raises(AliasMoved):
            wine.delete_registered_model_alias("wine", "champion", expected=expected)
        assert history(wine) == [("champion", None, "1")]

    def test_of_what_is_no_version_are_refused(self, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.set_registered_model_alias("wine", "champion", 3, expected="somewhere")

    def test_of_many_who_expect_the_same_one_wins(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 1)

        def move(number: int) -> bool:
            try:
                wine.set_registered_model_alias("wine", "champion", 2 + number % 2, expected=1)
            except AliasMoved:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(move, range(32))) == 1
        assert len(history(wine)) == 2


class TestStages:
    def test_in_any_case_and_one_spelling(self, wine: Client) -> None:
        assert wine.transition_model_version_stage("wine", "1", "PRODUCTION").current_stage == "Production"
        assert [(each.version, each.current_stage) for each in wine.get_latest_versions("wine")] == [
            (1, "Production"), (3, "None")
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("stages", "numbers"),
        [
            (None, [1, 3]),
            ([], [1, 3]),
            (["none"], [3]),
            ("Production", [1]),
            (["Staging"], []),
            (["None", "None"], [3]),
        ],
    )
    def test_latest_versions_of_some(self, stages: Any, numbers: list[int], wine: Client) -> None:
        wine.transition_model_version_stage("wine", 1, "Production")
        assert [each.version for each in wine.get_latest_versions("wine", stages)] == numbers

    @pytest.mark.parametrize("stage", ["bogus", "", None, 3])
    def test_that_are_none_are_refused(self, stage: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput):
            wine.transition_model_version_stage("wine", 1, stage)
        with pytest.raises(InvalidInput):
            wine.get_latest_versions("wine", [stage])

    @pytest.mark.parametrize("stages", [5, 5.0, object()])
    def test_that_are_no_list_are_refused(self, stages: Any, wine: Client) -> None:
        with pytest.raises(InvalidInput, match="stages"):
            wine.get_latest_versions("wine", stages)

    def test_others_are_archived_on_request(self, wine: Client) -> None:
        wine.transition_model_version_stage("wine", 1, "Production")
        wine.transition_model_version_stage("wine", 2, "Production")
        wine.transition_model_version_stage("wine", 3, "Production", archive_existing_versions=True)
        assert [wine.get_model_version("wine", number).current_stage for number in (1, 2, 3)] == [
            "Archived", "Archived", "Production"
        ]  # fmt: skip

    @pytest.mark.parametrize("stage", ["None", "Archived"])
    def test_nothing_is_archived_for_those_nobody_uses(self, stage: str, wine: Client) -> None:
        with pytest.raises(InvalidInput, match="Staging and Production"):
            wine.transition_model_version_stage("wine", 1, stage, archive_existing_versions=True)

    def test_of_what_is_not_there(self, wine: Client) -> None:
        with pytest.raises(NotFound):
            wine.transition_model_version_stage("wine", 99, "Staging")
        with pytest.raises(NotFound):
            wine.get_latest_versions("beer")
        with pytest.raises(NotFound):
            wine.get_model_version_stages("wine", 99)
        assert wine.get_model_version_stages("wine", 1) == ["None", "Staging", "Production", "Archived"]


class TestHistory:
    def test_says_who_moved_what_and_why(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 1, reason="the first")
        wine.transition_model_version_stage("wine", 1, "Staging", reason="to be tried")
        [stage, alias] = wine.get_registered_model_history("wine")
        assert (alias.kind, alias.what, alias.after, alias.reason) == ("alias", "champion", "1", "the first")
        assert (stage.kind, stage.what, stage.before, stage.after) == ("stage", "1", "None", "Staging")
        assert alias.user_id == stage.user_id == user_name()
        assert stage.number > alias.number

    def test_of_one_alias_or_version(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "a", 1)
        wine.set_registered_model_alias("wine", "b", 2)
        wine.transition_model_version_stage("wine", 2, "Staging")
        assert history(wine, "b") == [("b", None, "2")]
        assert history(wine, 2) == history(wine, "2") == [("2", "None", "Staging")]
        assert history(wine, "nobody") == []

    def test_comes_page_by_page(self, wine: Client) -> None:
        for number in (1, 2, 3):
            wine.set_registered_model_alias("wine", "a", number)
        page = wine.get_registered_model_history("wine", max_results=2)
        [first] = wine.get_registered_model_history("wine", max_results=2, page_token=page.token)
        assert [move.after for move in (*page, first)] == ["3", "2", "1"]
        with pytest.raises(InvalidInput):
            wine.get_registered_model_history("wine", max_results=0)
        with pytest.raises(InvalidInput):
            wine.get_registered_model_history("wine", page_token="bogus")

    def test_goes_along_with_a_new_name_and_stays_behind_a_deleted_one(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "a", 1)
        wine.rename_registered_model("wine", "vino")
        assert len(wine.get_registered_model_history("vino")) == 1
        wine.delete_registered_model("vino")
        assert len(wine.get_registered_model_history("vino")) == 2
        assert wine.get_registered_model_history("never there") == []

    def test_a_reason_has_its_limit(self, wine: Client) -> None:
        with pytest.raises(InvalidInput, match="5000"):
            wine.set_registered_model_alias("wine", "a", 1, reason="x" * 5001)
        with pytest.raises(InvalidInput, match="5000"):
            wine.transition_model_version_stage("wine", 1, "Staging", reason="x" * 5001)


class Overtaken(MovingClient):
    """Somebody else rolls back each time after this client has read the history."""

    def __init__(self, registry: RegistryStore) -> None:
        self._registry = registry

    @property
    def registry(self) -> RegistryStore:
        return self._registry

    def get_registered_model_history(self, name: str, *args: Any, **options: Any) -> Page[RegistryMove]:
        page = super().get_registered_model_history(name, *args, **options)
        self.registry.transition_stage(name, 1, "Production")
        return page


class TestRollback:
    def test_goes_back_and_further_back(self, wine: Client) -> None:
        for number in (1, 2, 3):
            wine.set_registered_model_alias("wine", "champion", number)
        assert wine.rollback_registered_model_alias("wine", "champion", reason="too slow").version == 2
        assert wine.rollback_registered_model_alias("wine", "champion").aliases == ["champion"]
        assert wine.get_registered_model("wine").aliases == {"champion": 1}
        with pytest.raises(InvalidState, match="nothing to go back to"):
            wine.rollback_registered_model_alias("wine", "champion")
        assert history(wine)[-2:] == [("champion", "3", "2"), ("champion", "2", "1")]
        assert wine.get_registered_model_history("wine")[1].reason == "too slow"

    def test_brings_back_what_was_removed(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "champion", 2)
        wine.delete_registered_model_alias("wine", "champion")
        assert wine.rollback_registered_model_alias("wine", "champion").version == 2

    def test_to_a_version_that_is_gone_says_what_there_was_before(self, wine: Client) -> None:
        for number in (1, 2, 3):
            wine.set_registered_model_alias("wine", "champion", number)
        wine.delete_model_version("wine", 2)
        with pytest.raises(NotFound, match="no version 2 any more") as caught:
            wine.rollback_registered_model_alias("wine", "champion")
        assert "Earlier it pointed at 1" in str(caught.value)
        assert wine.get_registered_model("wine").aliases == {"champion": 3}

    def test_of_what_never_was(self, wine: Client) -> None:
        with pytest.raises(InvalidState):
            wine.rollback_registered_model_alias("wine", "nobody")
        with pytest.raises(NotFound):
            wine.rollback_registered_model_alias("beer", "champion")

    def test_an_alias_of_digits_is_not_the_version_of_that_number(self, wine: Client) -> None:
        wine.set_registered_model_alias("wine", "3", 1)
        wine.transition_model_version_stage("wine", 3, "Staging")
        wine.set_registered_model_alias("wine", "3", 2)
        assert wine.rollback_registered_model_alias("wine", "3").version == 1
        assert wine.rollback_model_version_stage("wine", 3).current_stage == "None"

    def test_of_stages(self, wine: Client) -> None:
        wine.transition_model_version_stage("wine", 1, "Staging")
        wine.transition_model_version_stage("wine", 1, "Production")
        assert wine.rollback_model_version_stage("wine", "1", reason="wrong").current_stage == "Staging"
        assert wine.rollback_model_version_stage("wine", 1).current_stage == "None"
        with pytest.raises(InvalidState, match="no other stage before"):
            wine.rollback_model_version_stage("wine", 1)
        with pytest.raises(NotFound):
            wine.rollback_model_version_stage("wine", 99)

    def test_of_a_stage_that_somebody_else_moves_meanwhile_changes_nothing(self) -> None:
        registry = MemoryRegistryStore()
        registry.create_registered_model("wine")
        registry.create_model_version(NewModelVersion("wine", "s3://bucket/1"))
        for stage in ("Staging", "Production", "Archived"):
            registry.transition_stage("wine", 1, stage)
        with pytest.raises(StageMoved, match="in stage Production; what was expected is stage Archived"):
            Overtaken(registry).rollback_model_version_stage("wine", 1)
        assert registry.get_model_version("wine", 1).current_stage == "Production"

    def test_of_a_long_history(self, wine: Client) -> None:
        for step in range(2100):
            wine.set_registered_model_alias("wine", "champion", 2 + step % 2)
        wine.set_registered_model_alias("wine", "champion", 1)
        assert wine.rollback_registered_model_alias("wine", "champion").version == 3
