"""One run for people: what it is and what it logged."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.cli.dataset_uses import context_of
from dovetail.cli.run_surroundings import code_of, kept_with
from dovetail.cli.sparkline import Histories
from dovetail.tracking.client import Client
from dovetail.tracking.families import PARENT
from dovetail.values import ViewType

if TYPE_CHECKING:
    from dovetail.values import DatasetInput, Run

__all__ = ["show_run"]


def show_run(run: Run) -> None:
    """Print a run, the histories of its metrics as sparklines."""
    client = Client()
    _facts(run, client.get_experiment(run.info.experiment_id).name)
    output.section("Params", sorted(run.data.params.items()))
    output.section("Metrics", _metrics(run, Histories(client)))
    tags = sorted(run.data.tags.items())
    output.section("Tags", [(key, value) for key, value in tags if not key.startswith("mlflow.")])
    output.section("Datasets", [_dataset(each) for each in run.inputs.dataset_inputs])
    output.section("Used models", [(each.model_id, "") for each in run.inputs.model_inputs])
    output.section("Logged models", _made(run, client))
    typer.echo()
    output.next_steps(*_next(run))


def _facts(run: Run, experiment: str) -> None:
    info = run.info
    output.fact("run", f"{info.run_id} ({info.run_name})")
    output.fact("status", info.status)
    output.fact("experiment", f"{info.experiment_id} ({experiment})")
    output.fact("started", f"{output.ago(info.start_time)} by {info.user_id or 'unknown'}")
    output.fact("took", output.duration(info.start_time, info.end_time))
    if info.lifecycle_stage != "active":
        output.fact("stage", info.lifecycle_stage)
    for name, key in (
        ("parent", PARENT),
        ("source", "mlflow.source.name"),
        ("repository", "mlflow.source.git.repoURL"),
        ("note", "mlflow.note.content"),
    ):
        if value := run.data.tags.get(key):
            output.fact(name, uris.masked(value))
    for name, value in (("commit", code_of(run.data.tags)), ("kept", kept_with(run))):
        if value:
            output.fact(name, value)
    output.fact("artifacts", uris.masked(info.artifact_uri))


def _metrics(run: Run, histories: Histories) -> list[tuple[str, str]]:
    values = [(key, output.number(value)) for key, value in sorted(run.data.metrics.items())]
    width = max((len(value) for _, value in values), default=0)
    lines = [(key, value, histories.line(run.info.run_id, key)) for key, value in values]
    return [(key, f"{value:<{width}}  {line}".rstrip()) for key, value, line in lines]


def _dataset(used: DatasetInput) -> tuple[str, str]:
    purpose = f", for {context}" if (context := context_of(used)) else ""
    return used.dataset.name, f"{used.dataset.digest}, {used.dataset.source_type}{purpose}"


def _made(run: Run, client: Client) -> list[tuple[str, str]]:
    """The logged models that the run made, with the names of those that lie where they were made."""
    outputs = run.outputs.model_outputs
    if not outputs:
        return []
    own = f"source_run_id = '{run.info.run_id}'"
    found = client.search_logged_models([run.info.experiment_id], own, view_type=ViewType.ALL)
    names = {model.model_id: model.name for model in found}
    return [(each.model_id, f"step {each.step}  {names.get(each.model_id, '')}".rstrip()) for each in outputs]


def _next(run: Run) -> list[tuple[str, str]]:
    steps = [(f"artifacts list -r {run.info.run_id}", "its files")]
    if used := run.inputs.dataset_inputs:
        data = used[0].dataset
        steps.append((f"datasets show {quote(data.name)} --digest {quote(data.digest)}", "a dataset it used"))
    if made := run.outputs.model_outputs:
        steps.append((f"logged-models show {made[-1].model_id}", "the model it made last"))
    return steps
