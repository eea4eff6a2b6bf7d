"""Experiments, and which of them new runs go into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow
from dovetail.errors import AlreadyExists, InvalidInput, InvalidName, InvalidState, InvalidUri, NotFound, PluginError
from dovetail.values import ViewType

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("store")


def experiment_of_a_new_run() -> str:
    with mlflow.start_run() as run:
        return mlflow.get_experiment(run.info.experiment_id).name


class TestChoosing:
    def test_by_default_runs_go_into_the_default_experiment(self) -> None:
        assert experiment_of_a_new_run() == "Default"
        assert mlflow.get_experiment("0").name == "Default"

    def test_a_new_name_makes_an_experiment_and_a_known_one_finds_it(self) -> None:
        wine = mlflow.set_experiment("wine")
        assert experiment_of_a_new_run() == "wine"
        assert mlflow.set_experiment("wine").experiment_id == wine.experiment_id
        assert mlflow.set_experiment(experiment_name="wine") == wine

    def test_by_id(self) -> None:
        wine = mlflow.create_experiment("wine")
        assert mlflow.set_experiment(experiment_id=wine).name == "wine"
        assert mlflow.set_experiment(experiment_id=int(wine)).name == "wine"  # type: ignore[arg-type]
        assert experiment_of_a_new_run() == "wine"

    def test_by_both_or_neither_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="either"):
            mlflow.set_experiment()
        with pytest.raises(InvalidInput, match="either"):
            mlflow.set_experiment("wine", "1")

    @pytest.mark.parametrize("name", ["", "  ", 5, "x" * 501])
    def test_what_cannot_be_a_name_is_refused(self, name: Any) -> None:
        with pytest.raises(InvalidInput):
            mlflow.set_experiment(name)

    def test_an_id_that_is_not_there_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            mlflow.set_experiment(experiment_id="77")
        assert experiment_of_a_new_run() == "Default"

    def test_a_deleted_one_says_how_to_restore_it(self) -> None:
        wine = mlflow.create_experiment("wine")
        mlflow.delete_experiment(wine)
        with pytest.raises(InvalidState, match=f"experiments restore -x {wine}"):
            mlflow.set_experiment("wine")

    def test_in_another_store_the_experiment_of_that_name_is_meant(self) -> None:
        """Ids count up in every store: the same number is another experiment there."""
        home = mlflow.get_tracking_uri()
        mlflow.create_experiment("first here")
        mlflow.set_experiment("wine")
        mlflow.set_tracking_uri(f"{home}-another")
        assert experiment_of_a_new_run() == "wine"
        mlflow.set_tracking_uri(home)
        assert experiment_of_a_new_run() == "wine"


class TestSettings:
    @pytest.mark.parametrize("prefix", ["DOVETAIL", "MLFLOW"])
    def test_a_name_is_created_if_absent(self, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(f"{prefix}_EXPERIMENT_NAME", "from outside")
        assert experiment_of_a_new_run() == "from outside"
        assert experiment_of_a_new_run() == "from outside"

    @pytest.mark.parametrize("prefix", ["DOVETAIL", "MLFLOW"])
    def test_an_id_must_be_there(self, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        wine = mlflow.create_experiment("wine")
        monkeypatch.setenv(f"{prefix}_EXPERIMENT_ID", wine)
        assert experiment_of_a_new_run() == "wine"
        monkeypatch.setenv(f"{prefix}_EXPERIMENT_ID", "77")
        with pytest.raises(NotFound):
            mlflow.start_run()

    def test_what_the_script_chooses_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_EXPERIMENT_NAME", "from outside")
        mlflow.set_experiment("by the script")
        assert experiment_of_a_new_run() == "by the script"

    def test_what_is_set_more_strongly_wins_be_it_name_or_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wine, beer = mlflow.create_experiment("wine"), mlflow.create_experiment("beer")
        Path("dovetail.toml").write_text(f'experiment_id = "{wine}"\n', encoding="utf-8")
        assert experiment_of_a_new_run() == "wine"
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "named by MLflow's variable")
        assert experiment_of_a_new_run() == "named by MLflow's variable"
        monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", beer)
        assert experiment_of_a_new_run() == "beer"
        monkeypatch.setenv("DOVETAIL_EXPERIMENT_NAME", "named by ours")
        assert experiment_of_a_new_run() == "named by ours"


class TestMaking:
    def test_ids_count_up_and_a_taken_name_is_an_error(self) -> None:
        assert [mlflow.create_experiment("a"), mlflow.create_experiment("b")] == ["1", "2"]
        with pytest.raises(AlreadyExists):
            mlflow.create_experiment("a")

    def test_tags_and_a_place_for_artifacts(self) -> None:
        made = mlflow.create_experiment("wine", artifact_location="kept://bucket/wine", tags={"team": "wine", "n": 1})
        found = mlflow.get_experiment(made)
        assert found.artifact_location == "kept://bucket/wine"
        assert found.tags == {"team": "wine", "n": "1"}
        with mlflow.start_run(experiment_id=made) as run:
            assert mlflow.get_artifact_uri() == f"kept://bucket/wine/{run.info.run_id}/artifacts"

    @pytest.mark.parametrize(
        ("place", "error"),
        # No other test may have asked for the last one's scheme: what fsspec took once it is not asked for again.
        [("kept://bucket#part", InvalidUri), ("", InvalidUri), (5, InvalidUri), ("unclaimed://x", PluginError)],
    )
    def test_a_place_that_is_none_is_refused_and_nothing_made(
        self, place: Any, error: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "dovetail-fsspec")  # it would take any scheme
        with pytest.raises(error):
            mlflow.create_experiment("wine", artifact_location=place)
        assert mlflow.get_experiment_by_name("wine") is None

    @pytest.mark.parametrize("relative", ["artifacts", Path("artifacts"), "file:artifacts"], ids=repr)
    def test_a_path_means_the_same_from_every_folder(self, relative: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("dovetail_fsspec")
        here = Path.cwd()
        made = mlflow.create_experiment("wine", artifact_location=relative)
        monkeypatch.chdir("/")
        assert mlflow.get_experiment(made).artifact_location == (here / "artifacts").as_uri()


class TestFindingAndBinning:
    def test_by_id_and_by_name(self) -> None:
        made = mlflow.create_experiment("wine")
        assert mlflow.get_experiment(made) == mlflow.get_experiment_by_name("wine")
        assert mlflow.get_experiment_by_name("beer") is None
        with pytest.raises(NotFound):
            mlflow.get_experiment("77")

    @pytest.mark.parametrize("wrong", ["wine", "-1", None, 1.5, True, "1; drop"], ids=repr)
    def test_what_cannot_be_an_id_is_refused(self, wrong: Any) -> None:
        verbs: list[Callable[[Any], Any]] = [mlflow.get_experiment, mlflow.delete_experiment, mlflow.restore_experiment]
        for verb in verbs:
            with pytest.raises(InvalidName, match="not an experiment id"):
                verb(wrong)

    def test_into_the_bin_and_out_of_it(self) -> None:
        made = mlflow.create_experiment("wine")
        mlflow.delete_experiment(made)
        assert [each.name for each in mlflow.search_experiments()] == ["Default"]
        assert [each.name for each in mlflow.search_experiments(ViewType.DELETED_ONLY)] == ["wine"]
        with pytest.raises(NotFound):
            mlflow.delete_experiment(made)
        with pytest.raises(AlreadyExists):
            mlflow.create_experiment("wine")
        with pytest.raises(InvalidInput, match="deleted"):
            mlflow.start_run(experiment_id=made)
        mlflow.restore_experiment(made)
        assert mlflow.get_experiment(made).lifecycle_stage == "active"

    def test_tags_of_the_chosen_one(self) -> None:
        made = mlflow.set_experiment("wine").experiment_id
        mlflow.set_experiment_tag("team", 5)
        assert mlflow.get_experiment(made).tags == {"team": "5"}
        mlflow.delete_experiment_tag("team")
        assert mlflow.get_experiment(made).tags == {}
        with pytest.raises(NotFound):
            mlflow.delete_experiment_tag("team")

    def test_several_tags_at_once(self) -> None:
        made = mlflow.set_experiment("wine").experiment_id
        mlflow.set_experiment_tag("team", "a")
        assert mlflow.set_experiment_tags({"team": "b", "n": 1, "ready": True}) is None  # type: ignore[func-returns-value]
        assert mlflow.get_experiment(made).tags == {"team": "b", "n": "1", "ready": "True"}
        mlflow.set_experiment_tags({})
        assert mlflow.get_experiment(made).tags == {"team": "b", "n": "1", "ready": "True"}

    @pytest.mark.parametrize(
        "tags", [{"fine": 1, "": 2}, {"fine": 1, 5: 2}, {"fine": 1, "a" * 251: 2}, [("fine", 1)], 5]
    )
    def test_of_which_all_are_set_or_none(self, tags: Any) -> None:
        made = mlflow.set_experiment("wine").experiment_id
        with pytest.raises(InvalidInput):
            mlflow.set_experiment_tags(tags)
        assert mlflow.get_experiment(made).tags == {}

    def test_a_deleted_one_takes_no_tags(self) -> None:
        made = mlflow.set_experiment("wine").experiment_id
        mlflow.delete_experiment(made)
        with pytest.raises(InvalidInput, match="deleted"):
            mlflow.set_experiment_tag("a", 1)
        with pytest.raises(InvalidInput, match="deleted"):
            mlflow.set_experiment_tags({"a": 1})

    def test_the_one_that_is_there_from_the_start_says_its_name(self) -> None:
        assert mlflow.get_experiment("0").name == mlflow.Experiment.DEFAULT_EXPERIMENT_NAME == "Default"
        assert "DEFAULT_EXPERIMENT_NAME" not in repr(mlflow.get_experiment("0"))


class TestSearching:
    def test_all_of_them_however_many(self) -> None:
        client = mlflow.Client()
        for number in range(1005):
            client.create_experiment(f"number {number}")
        assert len(mlflow.search_experiments()) == 1006
        assert len(mlflow.search_experiments(max_results=1003)) == 1003
        assert mlflow.search_experiments(max_results=1)[0].name == "number 1004"

    def test_by_filter_and_order(self) -> None:
        for name in ("wine-1", "wine-2", "beer"):
            mlflow.create_experiment(name)
        found = mlflow.search_experiments(filter_string="name LIKE 'wine%'", order_by=["name ASC"])
        assert [each.name for each in found] == ["wine-1", "wine-2"]
        found = mlflow.search_experiments(order_by="name DESC")  # type: ignore[arg-type]
        assert [each.name for each in found] == ["wine-2", "wine-1", "beer", "Default"]

    @pytest.mark.parametrize(
        "wrong", [{"max_results": 0}, {"max_results": -1}, {"max_results": 1.5}, {"view_type": 9}], ids=str
    )
    def test_what_is_wrong_is_said(self, wrong: Any) -> None:
        with pytest.raises(InvalidInput):
            mlflow.search_experiments(**wrong)


@pytest.mark.parametrize("key", [0, None, True, ["a"]])
def test_tags_are_not_removed_by_what_is_no_text(key: Any) -> None:
    client = mlflow.MlflowClient()
    experiment_id = client.create_experiment("labelled", tags={"a": "1", "b": "2"})
    with pytest.raises(InvalidInput, match="tag key is text"):
        client.delete_experiment_tag(experiment_id, key)
    assert client.get_experiment(experiment_id).tags == {"a": "1", "b": "2"}
