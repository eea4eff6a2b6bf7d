"""Models that are logged as checkpoints, and metrics that are about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import InvalidInput, InvalidName, NotFound, RunEnded
from dovetail.models.facade import flavor_facade
from dovetail.models.loading import get_model_info, load_function

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def facade(lines: ModuleType, tmp_path: Path) -> Any:
    """``dovetail.lines``, with a place of its own for runs and models."""
    dovetail.set_tracking_uri(f"memory://{tmp_path.name}-checkpoints")
    place = str(tmp_path / "artifacts")
    dovetail.set_experiment(experiment_id=dovetail.create_experiment("lines", artifact_location=place))
    return flavor_facade("lines")


def models() -> list[dovetail.entities.LoggedModel]:
    found: list[dovetail.entities.LoggedModel] = dovetail.search_logged_models(output_format="list")
    return found


def test_a_step_makes_it_a_logged_model_of_its_own(facade: Any, line: Any) -> None:
    with dovetail.start_run() as run:
        infos = [facade.log_model(line, f"epoch-{step}", step=step) for step in (0, 10)]
        dovetail.log_metric("acc", 0.9, step=10, model_id=infos[1].model_id)
    made = dovetail.get_run(run.info.run_id).outputs.model_outputs
    assert [(each.model_id, each.step) for each in made] == [(infos[0].model_id, 0), (infos[1].model_id, 10)]
    model = dovetail.get_logged_model(infos[1].model_id)
    assert (model.name, model.status, model.source_run_id) == ("epoch-10", "READY", run.info.run_id)
    assert (model.metrics[0].value, model.model_uri) == (0.9, infos[1].model_uri)
    assert dovetail.last_logged_model() == model
    assert dovetail.artifacts.list_artifacts(run_id=run.info.run_id) == []


def test_without_a_step_it_lies_among_the_runs_artifacts(facade: Any, line: Any) -> None:
    info = facade.log_model(line)
    assert (info.model_id, info.model_uri) == (None, f"runs:/{info.run_id}/model")
    assert models() == []


def test_it_is_loaded_by_its_id_and_by_its_name_in_the_run(facade: Any, line: Any) -> None:
    info = facade.log_model(line, "best", step=3)
    for uri in (info.model_uri, f"runs:/{info.run_id}/best"):
        assert facade.load_model(uri).slope == line.slope
        assert load_function(uri) is not None
        assert get_model_info(uri).model_id == info.model_id
    with pytest.raises(NotFound):
        facade.load_model(f"runs:/{info.run_id}/worst")


def test_of_two_of_one_name_the_run_means_the_later(facade: Any, line: Any) -> None:
    facade.log_model(line, "best", step=1)
    later = facade.log_model(line, "best", step=2)
    assert get_model_info(f"runs:/{later.run_id}/best").model_id == later.model_id


def test_among_the_runs_artifacts_comes_first(facade: Any, line: Any) -> None:
    facade.log_model(line, "best", step=1)
    plain = facade.log_model(line, "best")
    assert get_model_info(plain.model_uri).model_id is None


def test_its_manifest_says_which_logged_model_it_is(facade: Any, line: Any) -> None:
    info = facade.log_model(line, "best", step=1)
    location = dovetail.get_logged_model(info.model_id).artifact_location
    assert (info.model_uuid, info.artifact_path) == (info.model_id, location)


def test_it_is_registered_as_what_it_is(facade: Any, line: Any) -> None:
    info = facade.log_model(line, "best", step=1, registered_model_name="wine")
    version = dovetail.Client().get_model_version("wine", 1)
    assert (info.registered_model_version, version.model_id, version.source) == (1, info.model_id, info.model_uri)
    assert facade.load_model("models:/wine/1").slope == line.slope


@pytest.mark.parametrize(
    ("name", "step", "kind"), [("a/b", 1, InvalidName), ("a.b", 1, InvalidName), ("a", 1.5, InvalidInput)]
)
def test_what_no_logged_model_can_be_is_refused(facade: Any, line: Any, name: str, step: Any, kind: type) -> None:
    with pytest.raises(kind):
        facade.log_model(line, name, step=step)
    assert models() == []


def test_what_cannot_be_saved_leaves_no_model(facade: Any, line: Any) -> None:
    with pytest.raises(NotFound):
        facade.log_model(line, "best", step=1, code_paths=["nothing"])
    assert models() == []


def test_what_cannot_be_uploaded_has_failed(facade: Any, line: Any) -> None:
    run_id = dovetail.Client().create_run(dovetail.create_experiment("x")).info.run_id
    dovetail.delete_run(run_id)
    with pytest.raises(RunEnded):
        facade.log_model(line, "best", step=1, run_id=run_id)
    (model,) = dovetail.Client().search_logged_models([dovetail.get_run(run_id).info.experiment_id])
    assert model.status == "FAILED"
    assert "RunEnded" in str(model.status_message)


def test_its_files_are_found_below_the_run_that_made_it(facade: Any, line: Any, tmp_path: Path) -> None:
    info = facade.log_model(line, "best", step=3)
    uri = f"runs:/{info.run_id}/best"
    assert "MLmodel" in {entry.path for entry in dovetail.artifacts.list_artifacts(uri)}
    assert info.model_id in dovetail.artifacts.load_text(f"{uri}/MLmodel")
    fetched = dovetail.artifacts.download_artifacts(uri, dst_path=str(tmp_path / "fetched"))
    assert (tmp_path / "fetched").resolve() in Path(fetched).resolve().parents or Path(fetched).is_dir()
    with pytest.raises(NotFound):
        dovetail.artifacts.load_text(f"runs:/{info.run_id}/worst/MLmodel")


def test_it_is_registered_by_its_name_in_the_run(facade: Any, line: Any) -> None:
    info = facade.log_model(line, "best", step=3)
    version = dovetail.register_model(f"runs:/{info.run_id}/best", "lines")
    assert (version.source, version.model_id, version.run_id) == (info.model_uri, info.model_id, info.run_id)


def test_a_version_can_be_used_when_its_logged_model_is_in_the_bin(facade: Any, line: Any) -> None:
    info = facade.log_model(line, "best", step=3)
    dovetail.register_model(info.model_uri, "lines")
    dovetail.Client().delete_logged_model(info.model_id)
    assert facade.load_model("models:/lines/1").slope == line.slope
    with pytest.raises(NotFound):
        facade.load_model(info.model_uri)
