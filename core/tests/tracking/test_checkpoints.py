"""Checkpoints that a training left on this machine, made logged models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName, NotFound, RunEnded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    experiment = mlflow.create_experiment("training", f"kept://{tmp_path.name}")
    mlflow.set_experiment(experiment_id=experiment)
    folder = tmp_path / "checkpoints"
    (folder / "epoch-2").mkdir(parents=True)
    (folder / "epoch-2" / "weights").write_text("2")
    (folder / "epoch=1.5.ckpt").write_text("1")
    (folder / ".hidden").write_text("")
    return folder


def test_each_becomes_a_model_with_its_files(folder: Path) -> None:
    with mlflow.start_run() as run:
        models = mlflow.import_checkpoints(folder, model_prefix="wine/")
    assert [model.name for model in models] == ["wine_epoch-2", "wine_epoch=1_5"]
    assert {(model.status, model.source_run_id) for model in models} == {("READY", run.info.run_id)}
    client = mlflow.Client()
    files = [client.list_logged_model_artifacts(model.model_id)[0].path for model in models]
    assert files == ["weights", "epoch=1.5.ckpt"]
    outputs = mlflow.get_run(run.info.run_id).outputs.model_outputs
    assert [each.model_id for each in outputs] == [model.model_id for model in models]


def test_those_that_were_imported_stay_unless_they_shall_not(folder: Path) -> None:
    first = mlflow.import_checkpoints(str(folder))
    (folder / "last").write_text("3")
    again = mlflow.import_checkpoints(str(folder))
    assert [model.model_id for model in again[:2]] == [model.model_id for model in first]
    anew = mlflow.import_checkpoints(str(folder), overwrite_checkpoints=True)
    ids = {model.model_id for model in anew}
    assert len(ids) == 3
    assert ids.isdisjoint(model.model_id for model in again)
    assert {model.model_id for model in mlflow.search_logged_models(output_format="list")} == ids


def test_what_is_no_folder_of_checkpoints_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="no checkpoints"):
        mlflow.import_checkpoints(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="is a file"):
        mlflow.import_checkpoints(folder / "epoch=1.5.ckpt")
    with pytest.raises(NotFound):
        mlflow.import_checkpoints(folder / "nothing")
    assert mlflow.search_logged_models(output_format="list") == []


def test_names_are_made_of_any_files(folder: Path) -> None:
    (folder / "c'\x01.pt").write_text("c")
    (folder / ("d" * 200 + ".pt")).write_text("d")
    models = mlflow.import_checkpoints(folder, model_prefix="p" * 100)
    assert [model.name[100:] for model in models] == ["c__", "d" * 156, "epoch-2", "epoch=1_5"]


def test_what_cannot_be_noted_is_said_before_anything_is_imported(folder: Path) -> None:
    gone = mlflow.Client().create_run("0").info.run_id
    mlflow.delete_run(gone)
    for run_id, error in (("f" * 32, NotFound), (gone, RunEnded), ("../x", InvalidName)):
        with pytest.raises(error):
            mlflow.import_checkpoints(folder, source_run_id=run_id)
    assert mlflow.search_logged_models(output_format="list") == []


@pytest.mark.parametrize("name", ["z\n.pt", os.fsdecode(b"z\xff.pt"), "epoch-2/z\n"])
def test_what_cannot_be_uploaded_is_said_before_anything_is_imported(folder: Path, name: str) -> None:
    (folder / name).write_text("no artifact can be called that")
    with pytest.raises(InvalidInput):
        mlflow.import_checkpoints(folder)
    assert mlflow.search_logged_models(output_format="list") == []


def test_a_run_that_is_none_is_noticed_though_all_was_imported_before(folder: Path) -> None:
    mlflow.import_checkpoints(folder)
    with pytest.raises(NotFound):
        mlflow.import_checkpoints(folder, source_run_id="f" * 32)


def test_what_cannot_be_uploaded_has_failed(folder: Path) -> None:
    (folder / "z").symlink_to(folder / "nowhere")
    with pytest.raises(NotFound):
        mlflow.import_checkpoints(folder)
    found = mlflow.search_logged_models(output_format="list", order_by=["name"])
    assert [(model.name, model.status) for model in found] == [
        ("epoch-2", "READY"), ("epoch=1_5", "READY"), ("z", "FAILED"),
    ]  # fmt: skip
