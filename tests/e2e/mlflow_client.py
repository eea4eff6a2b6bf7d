"""What MLflow's own client is asked to do against a server of ours; run by an interpreter with `mlflow-skinny` alone.

It prints one line of JSON: what it read back. Whoever started it compares that with what stands in the store.
"""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, T201

import json
import math
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, ViewType
from mlflow.exceptions import MlflowException

VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])


def code_of(call, *arguments, **options):
    """The error code that a call is refused with."""
    try:
        call(*arguments, **options)
    except MlflowException as error:
        return error.error_code
    return None


def fluent(name):
    """A run by the fluent verbs, with a child."""
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name="parent", tags={"team": "blue"}, description="said") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"layers": 3, "name": "größe"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"nan": float("nan"), "top": math.inf}, step=1)
        mlflow.set_tag("stage", "test")
        mlflow.set_tags({"a": "1", "b": "2"})
        mlflow.log_text("hello", "notes/hello ü.txt")
        mlflow.log_dict({"lr": 0.1}, "config.json")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "sub").mkdir()
            (Path(folder) / "sub" / "data.bin").write_bytes(bytes(range(256)) * 5000)
            mlflow.log_artifacts(folder, "files")
        with mlflow.start_run(nested=True, run_name="child") as child:
            mlflow.log_metric("loss", 0.5)
    return run.info.run_id, child.info.run_id


def runs(client, experiment_id, run_id, child_id):
    """Reading, searching, changing and deleting runs."""
    run = client.get_run(run_id)
    found = {
        "name": run.info.run_name,
        "status": run.info.status,
        "params": run.data.params,
        "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
        "tags": {key: run.data.tags[key] for key in ("team", "stage", "a", "mlflow.note.content")},
        "history": [[point.step, point.value] for point in client.get_metric_history(run_id, "loss")],
        "files": sorted(each.path for each in client.list_artifacts(run_id)),
        "sizes": [[each.path, each.file_size] for each in client.list_artifacts(run_id, "files/sub")],
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(client.download_artifacts(run_id, "files", folder)) / "sub" / "data.bin"
        found["bytes"] = place.read_bytes() == bytes(range(256)) * 5000
        found["text"] = Path(client.download_artifacts(run_id, "notes/hello ü.txt", folder)).read_text()
    found["search"] = [
        [each.info.run_name for each in client.search_runs([experiment_id], query, order_by=["attributes.run_name"])]
        for query in (
            "",
            "metrics.loss < 0.4",
            "params.lr = '0.1' and tags.team = 'blue'",
            "attributes.status = 'FAILED'",
        )
    ]
    page = client.search_runs([experiment_id], max_results=1)
    found["pages"] = [len(page), len(client.search_runs([experiment_id], max_results=1, page_token=page.token))]
    found["refused"] = [
        code_of(client.get_run, "0" * 32),
        code_of(client.log_param, run_id, "lr", "other"),
        code_of(client.search_runs, [experiment_id], "nonsense ~ 1"),
        code_of(client.log_metric, run_id, "../x", 1),
        code_of(client.download_artifacts, run_id, "none.txt") is not None,
    ]
    client.delete_tag(run_id, "b")
    client.delete_run(child_id)
    found["deleted"] = [each.info.run_name for each in client.search_runs([experiment_id], "", ViewType.DELETED_ONLY)]
    client.restore_run(child_id)
    client.set_terminated(child_id, "FAILED")
    return found


def batches(client, experiment_id):
    """Client's own verbs on a run that nobody is at."""
    run_id = client.create_run(
        experiment_id, run_name="client", tags={"x": "y"}, start_time=1_700_000_000_000
    ).info.run_id
    points = [Metric("many", step / 7, 1_700_000_000_000 + step, step) for step in range(1000)]
    client.log_batch(run_id, points)
    client.log_batch(run_id, points, [Param(f"p{each}", str(each)) for each in range(100)][:0])
    client.log_batch(run_id, [], [Param(f"p{each}", str(each)) for each in range(100)], [])
    client.update_run(run_id, name="renamed")
    client.set_terminated(run_id, end_time=1_700_000_001_000)
    run = client.get_run(run_id)
    return {
        "points": len(client.get_metric_history(run_id, "many")),
        "params": len(run.data.params),
        "info": [run.info.run_name, run.info.status, run.info.start_time, run.info.end_time],
    }


def experiments(client, name):
    """Experiments, by name and by id."""
    experiment_id = client.create_experiment(name + "-x", tags={"k": "v"})
    client.set_experiment_tag(experiment_id, "l", "w")
    client.rename_experiment(experiment_id, name + "-y")
    refused = [code_of(client.create_experiment, name + "-y"), code_of(client.get_experiment, "999999")]
    client.delete_experiment(experiment_id)
    gone = client.get_experiment(experiment_id).lifecycle_stage
    client.restore_experiment(experiment_id)
    found = client.get_experiment_by_name(name + "-y")
    names = [each.name for each in client.search_experiments(filter_string="tags.k = 'v'")]
    return {
        "tags": found.tags,
        "gone": gone,
        "refused": refused,
        "found": name + "-y" in names,
        "none": client.get_experiment_by_name("?"),
    }


def registry(client, name, run_id):
    """Models, versions, stages and, where the client knows them, aliases."""
    client.create_registered_model(name, {"k": "v"}, "said")
    refused = [code_of(client.create_registered_model, name), code_of(client.get_registered_model, name + "?")]
    source = client.get_run(run_id).info.artifact_uri + "/files"
    first = client.create_model_version(name, source, run_id)
    client.create_model_version(name, source, run_id, tags={"q": "good"})
    refused.append(code_of(client.create_model_version, name, "/etc", run_id))
    refused.append(code_of(client.create_model_version, name, source + "/../../../x", run_id))
    client.update_model_version(name, first.version, "the first")
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "production", archive_existing_versions=True)
    found = {
        "refused": refused,
        "stages": [client.get_model_version(name, version).current_stage for version in ("1", "2")],
        "latest": [str(each.version) for each in client.get_latest_versions(name, ["Production"])],
        "versions": sorted(str(each.version) for each in client.search_model_versions(f"name = '{name}'")),
        "models": [each.name for each in client.search_registered_models(f"name = '{name}'")],
        "place": client.get_model_version_download_uri(name, "1") == source,
    }
    client.set_registered_model_alias(name, "champion", "1")
    found["alias"] = str(client.get_model_version_by_alias(name, "champion").version)
    client.delete_registered_model_alias(name, "champion")
    refused.append(code_of(client.get_model_version_by_alias, name, "champion"))
    client.set_model_version_tag(name, "1", "a", "b")
    client.delete_model_version_tag(name, "1", "a")
    client.delete_model_version(name, "2")
    client.rename_registered_model(name, name + "2")
    client.delete_registered_model(name + "2")
    found["end"] = [each.name for each in client.search_registered_models(f"name like '{name}%'")]
    return found


def logged_models(client, experiment_id, run_id):
    """Logged models, which clients know from 3 on."""
    model = mlflow.initialize_logged_model("net", source_run_id=run_id, params={"depth": "3"}, tags={"t": "1"})
    mlflow.finalize_logged_model(model.model_id, "READY")
    with mlflow.start_run(run_id=run_id):
        mlflow.log_metric("acc", 0.9, step=1, model_id=model.model_id)
    client.set_logged_model_tags(model.model_id, {"u": "2"})
    client.delete_logged_model_tag(model.model_id, "t")
    read = client.get_logged_model(model.model_id)
    found = client.search_logged_models([experiment_id], "name = 'net' and metrics.acc > 0.5")
    client.delete_logged_model(model.model_id)
    return {
        "status": str(read.status),
        "params": read.params,
        "tags": {key: read.tags.get(key) for key in ("t", "u")},
        "metrics": [[each.key, each.value] for each in read.metrics],
        "found": [each.model_id for each in found] == [model.model_id],
        "gone": code_of(client.get_logged_model, model.model_id),
    }


def main():
    """Everything, below a name that nobody else takes."""
    name = sys.argv[1]
    client = MlflowClient()
    run_id, child_id = fluent(name)
    experiment_id = client.get_run(run_id).info.experiment_id
    told = {
        "version": mlflow.__version__,
        "ids": [run_id, child_id],
        "runs": runs(client, experiment_id, run_id, child_id),
        "batches": batches(client, experiment_id),
        "experiments": experiments(client, name),
        "registry": registry(client, name + "-model", run_id),
    }
    if VERSION >= (3, 0):
        told["logged_models"] = logged_models(client, experiment_id, run_id)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
