"""Logged models for people: a table of many, the facts of one."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING

import typer

from dovetail import uris
from dovetail.cli import output
from dovetail.cli.logged_model_columns import latest_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.cli.logged_model_columns import Known
    from dovetail.values import Experiment, LoggedModel, Metric

__all__ = ["list_logged_models", "show_logged_model"]

# More columns than this do not fit beside one another; `show` has them all.
SHOWN_METRICS = 4
EXTERNAL = "mlflow.model.isExternal"  # its files, if it has any, are kept elsewhere
SHOWN_ID = 10
SHOWN_RUN = 8
EMPTY = "No logged models. Log one with `log_model(…, step=…)`, or look into the bin with `-v deleted_only`."


def list_logged_models(
    models: Sequence[Known], columns: Sequence[str] | None, names: Mapping[str, str], *, staged: bool
) -> None:
    """Print a table of logged models.

    Args:
        models: The models.
        columns: What to show of them; None for what people look for.
        names: Names of experiments by their ids.
        staged: Whether to say, if no columns are given, which of them lie in the bin.
    """
    if columns is not None:
        rows = [[model.cell(column) for column in columns] for model in models]
        numeric = (f">{column}" if column.startswith("metrics.") else column for column in columns)
        output.table([*numeric], rows, empty=EMPTY)
        return
    keys = list(dict.fromkeys(key for model in models for key in sorted(model.metrics)))[:SHOWN_METRICS]
    shown = [f"metrics.{key}" for key in keys]
    headings = ["Model", "Name", "Status", "Type", "Created", *(f">{key}" for key in keys), "Run", "Experiment"]
    output.table(
        [*headings, *(["Stage"] * staged)],
        [[*_row(model, shown, names), *([model.stage] * staged)] for model in models],
        empty=EMPTY,
    )


def _row(known: Known, metrics: Sequence[str], names: Mapping[str, str]) -> list[str]:
    model = known.model
    run = _short(model.source_run_id or "-", SHOWN_RUN)
    facts = [known.cell(column) for column in ("name", "status", "model_type", "creation_timestamp", *metrics)]
    return [_short(model.model_id, SHOWN_ID), *facts, run, names.get(model.experiment_id, model.experiment_id)]


def _short(identity: str, length: int) -> str:
    """Every command takes the beginning of an id; in a terminal its length would push other columns off the screen."""
    return identity[:length] if sys.stdout.isatty() else identity


def show_logged_model(known: Known, experiment: Experiment) -> None:
    """Print a logged model: what it is, and everything that was measured on it."""
    model = known.model
    _facts(model, known.stage, experiment)
    output.section("Params", sorted(model.params.items()))
    _points(model)
    output.section("Tags", [(key, uris.masked(value)) for key, value in sorted(model.tags.items()) if _is_own(key)])
    if known.stage == "deleted":
        typer.echo()
        output.next_steps((f"logged-models restore {model.model_id}", "take it out of the bin"))
    elif model.status == "READY" and EXTERNAL not in model.tags:
        typer.echo()
        output.next_steps(
            (f"models predict -m {model.model_uri} -i FILE", "predict with it"),
            (f"registry register {model.model_uri} {quote(model.name)}", "register it under a name"),
        )


def _is_own(key: str) -> bool:
    return not key.startswith("mlflow.")


def _facts(model: LoggedModel, stage: str, experiment: Experiment) -> None:
    output.fact("model", f"{model.model_id} ({model.name})")
    output.fact("status", model.status.value)
    for name, value in (
        ("message", model.status_message),
        ("type", model.model_type),
        ("run", model.source_run_id),
        ("source", model.tags.get("mlflow.source.name")),
    ):
        if value:
            output.fact(name, uris.masked(value))
    lost = " and deleted" if experiment.lifecycle_stage != "active" else ""
    output.fact("experiment", f"{experiment.experiment_id} ({experiment.name}){lost}")
    output.fact("created", output.ago(model.creation_timestamp))
    output.fact("updated", output.ago(model.last_updated_timestamp))
    if stage != "active":
        output.fact("stage", stage)
    output.fact("files", uris.masked(model.artifact_location))


def _points(model: LoggedModel) -> None:
    """The latest point of each metric on each dataset."""
    measured: dict[tuple[str, str], list[Metric]] = {}
    for point in model.metrics:
        measured.setdefault((point.dataset_name or "", point.dataset_digest or ""), []).append(point)
    latest = [point for points in measured.values() for point in latest_points(points).values()]
    if not latest:
        return
    typer.echo()
    rows = [_measurement(point) for point in sorted(latest, key=lambda each: each.key)]
    output.table(["Metric", ">Value", ">Step", "Dataset", "Run", "Measured"], rows, empty="")


def _measurement(point: Metric) -> list[str]:
    data = f"{point.dataset_name} ({point.dataset_digest})" if point.dataset_name else "-"
    run = _short(point.run_id or "-", SHOWN_RUN)
    return [point.key, output.number(point.value), str(point.step), data, run, output.ago(point.timestamp)]
