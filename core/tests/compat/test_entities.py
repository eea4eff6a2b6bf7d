"""MLflow's names for our values, and what scripts do with them."""

from __future__ import annotations

import pickle

import pytest

import dovetail as mlflow
from dovetail import values
from dovetail.entities import ExperimentTag, Metric, Param, Run, RunStatus, RunTag, SourceType, ViewType
from dovetail.errors import InvalidInput
from dovetail.tracking import MlflowClient


@pytest.fixture
def client(tmp_path: object) -> MlflowClient:
    return MlflowClient("memory://entities")


def test_they_are_the_values_themselves() -> None:
    assert mlflow.entities.Metric is values.Metric is mlflow.Metric
    assert mlflow.entities.run.Run is values.Run
    assert (RunTag, ExperimentTag) == (values.Tag, values.Tag)


def test_a_value_made_by_mlflows_name_is_pickled_by_its_own() -> None:
    tag = RunTag("team", "wine")
    assert pickle.loads(pickle.dumps(tag)) == tag


class TestStatus:
    @pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"])
    def test_to_string_and_from_string_undo_each_other(self, status: str) -> None:
        assert RunStatus.to_string(RunStatus.from_string(status)) == status

    def test_scripts_ask_whether_a_run_is_over(self) -> None:
        assert RunStatus.is_terminated(RunStatus.from_string("KILLED"))
        assert not RunStatus.is_terminated(RunStatus.SCHEDULED)
        assert [RunStatus.to_string(each) for each in RunStatus.all_status()] == list(RunStatus.ALL)

    @pytest.mark.parametrize("wrong", ["DONE", "", 3, None])
    def test_what_is_no_status_is_refused(self, wrong: str) -> None:
        for ask in (RunStatus.to_string, RunStatus.from_string, RunStatus.is_terminated):
            with pytest.raises(InvalidInput, match="Run status"):
                ask(wrong)

    def test_a_client_ends_a_run_by_it(self, client: MlflowClient) -> None:
        run = client.create_run("0")
        client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.FAILED))
        assert client.get_run(run.info.run_id).info.status == RunStatus.to_string(RunStatus.FAILED) == "FAILED"


class TestViewType:
    def test_names_and_numbers_are_mlflows(self) -> None:
        assert [(each.name, each.value) for each in ViewType] == [("ACTIVE_ONLY", 1), ("DELETED_ONLY", 2), ("ALL", 3)]
        assert ViewType.from_string("deleted_only") is ViewType.DELETED_ONLY
        assert ViewType.to_string(3) == "all"

    @pytest.mark.parametrize("wrong", ["some", "", None, 1])
    def test_what_is_no_view_is_refused(self, wrong: str) -> None:
        with pytest.raises(InvalidInput, match="View type"):
            ViewType.from_string(wrong)

    def test_a_number_that_is_none_has_no_name(self) -> None:
        with pytest.raises(InvalidInput, match="View type 4"):
            ViewType.to_string(4)


class TestSourceType:
    def test_it_is_the_word_that_the_tag_holds(self) -> None:
        assert SourceType.to_string(SourceType.NOTEBOOK) == "NOTEBOOK"
        assert SourceType.from_string("local") == SourceType.LOCAL

    def test_what_is_none_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="Source type 'CLOUD' is unknown"):
            SourceType.to_string("CLOUD")


def test_a_batch_is_logged_by_mlflows_names(client: MlflowClient) -> None:
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, metrics=[Metric("loss", 0.5, 1, 2)], params=[Param("lr", "0.1")], tags=[RunTag("a", "b")])
    run = client.get_run(run_id)
    assert isinstance(run, Run)
    logged = run.to_dictionary()["data"]
    assert logged["metrics"] == {"loss": 0.5}
    assert logged["params"] == {"lr": "0.1"}
    assert run.data.tags["a"] == "b"


def test_the_status_of_a_version_is_a_word() -> None:
    from dovetail.entities.model_registry.model_version_status import ModelVersionStatus

    assert ModelVersionStatus.to_string(ModelVersionStatus.from_string("READY")) == ModelVersionStatus.READY == "READY"
    with pytest.raises(InvalidInput, match="unknown"):
        ModelVersionStatus.from_string("DONE")


def test_an_alias_knows_where_it_points() -> None:
    alias = mlflow.entities.model_registry.RegisteredModelAlias("champion", "2")  # type: ignore[arg-type]
    assert (alias.alias, alias.version) == ("champion", 2)
    for wrong in (("latest", 1), ("champion", 0)):
        with pytest.raises(InvalidInput):
            mlflow.entities.model_registry.RegisteredModelAlias(*wrong)
