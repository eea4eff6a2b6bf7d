"""Experiments and entries of artifact listings in MLflow's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dovetail.errors import StoreError
from dovetail.values import Experiment, FileInfo
from dovetail.wire.experiments import dump_experiment, load_experiment
from dovetail.wire.files import dump_file, load_file

# As the server of MLflow 3.17.2 answers, without its workspaces.
NAMED = {
    "experiment_id": "1",
    "name": "wine",
    "artifact_location": "mlflow-artifacts:/1",
    "lifecycle_stage": "active",
    "last_update_time": 1795312162675,
    "creation_time": 1795312162675,
    "tags": [{"key": "team", "value": "x"}],
}
DEFAULT = {
    "experiment_id": "0",
    "name": "Default",
    "artifact_location": "mlflow-artifacts:/0",
    "lifecycle_stage": "deleted",
    "last_update_time": 1795312120394,
    "creation_time": 1795312120394,
}
LISTED = [
    ({"path": "b.txt", "is_dir": False, "file_size": 2}, FileInfo("b.txt", is_dir=False, file_size=2)),
    ({"path": "empty.txt", "is_dir": False}, FileInfo("empty.txt", is_dir=False, file_size=0)),
    ({"path": "a", "is_dir": True}, FileInfo("a", is_dir=True)),
]


class TestAnExperiment:
    @pytest.mark.parametrize("answer", [NAMED, DEFAULT], ids=["tagged", "default"])
    def test_that_a_server_answered_with_leaves_again_as_it_came(self, answer: dict[str, Any]) -> None:
        assert dump_experiment(load_experiment(answer)) == answer
        assert load_experiment({**answer, "workspace": "default"}) == load_experiment(answer)

    @pytest.mark.parametrize(
        "experiment",
        [Experiment("1", "größe", "s3://b/x", "deleted", {"a": ""}, 5, 6), Experiment("0", "Default")],
        ids=["all", "least"],
    )
    def test_comes_back_as_it_left(self, experiment: Experiment) -> None:
        assert load_experiment(json.loads(json.dumps(dump_experiment(experiment)))) == experiment

    def test_of_an_old_server_has_numbers_as_text_and_an_id_as_number(self) -> None:
        old = load_experiment({"experiment_id": 7, "name": "a", "creation_time": "5"})
        assert old == Experiment("7", "a", creation_time=5)

    def test_of_which_all_is_left_out_has_what_protobuf_takes_for_it(self) -> None:
        empty = load_experiment({})
        assert (empty.experiment_id, empty.name, empty.lifecycle_stage, empty.tags) == ("", "", "active", {})

    @pytest.mark.parametrize("answer", [[], "x", None, {"tags": 5}, {"tags": [{}]}, {"creation_time": "x"}], ids=repr)
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no experiment"):
            load_experiment(answer)


class TestAnEntryOfAListing:
    @pytest.mark.parametrize(("answer", "file"), LISTED, ids=["file", "empty file", "folder"])
    def test_is_given_as_mlflow_gives_it_and_read_back(self, answer: dict[str, Any], file: FileInfo) -> None:
        assert dump_file(file) == answer
        assert load_file(answer) == file

    def test_may_have_its_size_as_text(self) -> None:
        assert load_file({"path": "a", "file_size": "5000000000"}).file_size == 5_000_000_000

    def test_of_a_folder_never_has_a_size(self) -> None:
        assert dump_file(FileInfo("a", is_dir=True, file_size=4096)) == {"path": "a", "is_dir": True}
        assert load_file({"path": "a", "is_dir": True, "file_size": 4096}).file_size is None

    @pytest.mark.parametrize("answer", [[], "x", None, {}, {"path": "a", "file_size": "x"}], ids=repr)
    def test_that_is_none_is_the_servers_fault(self, answer: object) -> None:
        with pytest.raises(StoreError, match="holds no file"):
            load_file(answer)
