"""Reading a database that MLflow keeps runs and models in; it is never written to."""

# Statements are put together from names that stand here; values are never part of them.
# ruff: noqa: S608

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.tracking.mlflow_source import MlflowSource, model_status, moment_of, run_status
from dovetail.tracking.mlflow_tables import Tables, marks
from dovetail.tracking.series import Series
from dovetail.tracking.syncing_source import PAGE
from dovetail.values import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dovetail.tracking.syncing_report import SyncReport

__all__ = ["MlflowDatabase"]

_SAME_IN_RUN = (
    "r.run_uuid = m.run_id AND r.key = m.metric_name AND r.timestamp = m.metric_timestamp_ms AND r.step = m.metric_step"
)
_IS_NAN = (
    f"m.metric_value = 0 AND EXISTS (SELECT 1 FROM metrics r WHERE {_SAME_IN_RUN} AND r.is_nan)"
    f" AND NOT EXISTS (SELECT 1 FROM metrics r WHERE {_SAME_IN_RUN} AND r.value = 0 AND NOT r.is_nan)"
)
"""MLflow writes NaN as 0; only the run's own point says which of the two it is."""


class MlflowDatabase(MlflowSource):
    """A SQLite file of MLflow's.

    Args:
        path: The file.
        report: Told what cannot be read.
        served: As for ``MlflowSource``.

    Raises:
        ForeignLayout: It is no database, not one of MLflow's, or one of a release whose tables are not known.
    """

    def __init__(self, path: Path, report: SyncReport, served: str | None = None) -> None:
        super().__init__(path.parent, report, served)
        self.name = str(path)
        self._tables = Tables(path)
        self._moved = dict(self._moved_along())
        if others := self._tables.workspaces():
            report.refuse("workspace", ", ".join(others), "Only the workspace 'default' is read.")

    def close(self) -> None:
        """Close the file."""
        self._tables.close()

    # --- places ----------------------------------------------------------------------------------------------

    def place(self, uri: str | None) -> str:
        """Where artifacts are: as it says, or beside the database, if they were brought here along with it."""
        here = super().place(uri)
        if not self._moved or not here or not uris.is_local(here):
            return here
        path = uris.path_of(here)
        root = next((each for each in (path, *path.parents) if each in self._moved), None)
        return here if root is None else uris.uri_of(self._moved[root] / path.relative_to(root))

    def _moved_along(self) -> Iterator[tuple[Path, Path]]:
        """Where artifacts of experiments were, and where the folders of those names beside the database are."""
        for (location,) in self._tables.rows("SELECT artifact_location FROM experiments"):
            here = super().place(location)
            if here and uris.is_local(here) and not (root := uris.path_of(here)).exists():
                beside = self._folder / root.parent.name / root.name
                if beside.is_dir():
                    yield root, beside

    # --- runs ------------------------------------------------------------------------------------------------

    def experiments(self) -> list[Experiment]:
        """The experiments, the oldest first."""
        tags = self._tables.texts("SELECT experiment_id, key, value FROM experiment_tags")
        created = "creation_time" if "creation_time" in self._tables.columns["experiments"] else "NULL"
        rows = self._tables.rows(
            f"SELECT experiment_id, name, artifact_location, {created} FROM experiments"
            f" WHERE lifecycle_stage = 'active'{self._tables.in_default('experiments')} ORDER BY experiment_id"
        )
        return [
            Experiment.stored(
                experiment_id=str(each[0]),
                name=each[1],
                artifact_location=each[2] or "",
                tags=tags.get(each[0], {}),
                creation_time=moment_of(each[3]),
            )
            for each in rows
        ]

    def runs(self, experiment_id: str) -> Iterator[Sequence[Run]]:
        """The runs of an experiment, some at a time."""
        last = ""
        while True:
            rows = self._tables.rows(
                "SELECT run_uuid, name, user_id, status, start_time, end_time, artifact_uri FROM runs"
                " WHERE experiment_id = ? AND lifecycle_stage = 'active' AND run_uuid > ? ORDER BY run_uuid LIMIT ?",
                (int(experiment_id), last, PAGE),
            )
            if not rows:
                return
            yield self._made(experiment_id, rows)
            last = rows[-1][0]

    def series(self, run_id: str, key: str) -> Series:
        """The points of a metric of a run."""
        rows = self._tables.rows(
            "SELECT step, timestamp, CASE WHEN is_nan THEN NULL ELSE value END FROM metrics"
            " WHERE run_uuid = ? AND key = ? ORDER BY timestamp, step, is_nan, value",
            (run_id, key),
        )
        steps, timestamps = array("q", (each[0] for each in rows)), array("q", (each[1] for each in rows))
        return Series(key, steps, timestamps, array("d", (_number(each[2]) for each in rows)))

    def _made(self, experiment_id: str, rows: Sequence[Sequence[Any]]) -> list[Run]:
        ids = [row[0] for row in rows]
        params = self._tables.texts("SELECT run_uuid, key, value FROM params", "run_uuid", ids)
        tags = self._tables.texts("SELECT run_uuid, key, value FROM tags", "run_uuid", ids)
        points = self._latest(ids)
        inputs, outputs = self._inputs(ids), self._outputs(ids)
        return [
            Run(
                RunInfo(
                    run_id=row[0],
                    experiment_id=experiment_id,
                    run_name=row[1] or tags.get(row[0], {}).get("mlflow.runName", ""),
                    user_id=row[2] or "",
                    status=run_status(row[3]),
                    start_time=row[4] or 0,
                    end_time=row[5],
                    artifact_uri=self.place(row[6]),
                ),
                RunData.read(points[row[0]], params.get(row[0], {}), tags.get(row[0], {})),
                inputs.get(row[0], RunInputs()),
                RunOutputs(tuple(outputs[row[0]])),
            )
            for row in rows
        ]

    def _latest(self, ids: Sequence[str]) -> dict[str, list[tuple[str, float, int, int]]]:
        found: dict[str, list[tuple[str, float, int, int]]] = defaultdict(list)
        for run_id, key, value, timestamp, step in self._tables.rows(
            "SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END, timestamp, step FROM latest_metrics"
            f" WHERE run_uuid IN ({marks(ids)})",
            ids,
        ):
            found[run_id].append((key, _number(value), timestamp, step))
        return found

    # --- inputs and outputs ----------------------------------------------------------------------------------

    def _inputs(self, ids: Sequence[str]) -> dict[str, RunInputs]:
        if "inputs" not in self._tables.columns:
            return {}
        datasets: dict[str, list[DatasetInput]] = defaultdict(list)
        tags = self._input_tags(ids)
        for run_id, used, *fields in self._tables.rows(
            "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source,"
            " d.dataset_schema, d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
            f" WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id IN ({marks(ids)})",
            ids,
        ):
            datasets[run_id].append(DatasetInput(Dataset(*fields), tuple(tags[used])))
        models: dict[str, list[LoggedModelInput]] = defaultdict(list)
        for run_id, model_id in self._tables.rows(
            "SELECT source_id, destination_id FROM inputs WHERE source_type = 'RUN_INPUT'"
            f" AND destination_type = 'MODEL_INPUT' AND source_id IN ({marks(ids)})",
            ids,
        ):
            models[run_id].append(LoggedModelInput(model_id))
        return {each: RunInputs(tuple(datasets[each]), tuple(models[each])) for each in ids}

    def _input_tags(self, ids: Sequence[str]) -> dict[str, list[InputTag]]:
        found: dict[str, list[InputTag]] = defaultdict(list)
        for used, key, value in self._tables.rows(
            "SELECT t.input_uuid, t.name, t.value FROM input_tags t JOIN inputs i ON i.input_uuid = t.input_uuid"
            f" WHERE i.destination_id IN ({marks(ids)}) ORDER BY t.name",
            ids,
        ):
            found[used].append(InputTag(key, value))
        return found

    def _outputs(self, ids: Sequence[str]) -> dict[str, list[LoggedModelOutput]]:
        found: dict[str, list[LoggedModelOutput]] = defaultdict(list)
        if "step" in self._tables.columns.get("inputs", ()):
            for run_id, model_id, step in self._tables.rows(
                "SELECT source_id, destination_id, step FROM inputs WHERE source_type = 'RUN_OUTPUT'"
                f" AND destination_type = 'MODEL_OUTPUT' AND source_id IN ({marks(ids)})",
                ids,
            ):
                found[run_id].append(LoggedModelOutput(model_id, step))
        return found

    # --- models ----------------------------------------------------------------------------------------------

    def models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """The logged models of an experiment, where this release of MLflow had them."""
        if "logged_models" not in self._tables.columns:
            return
        rows = self._tables.rows(
            "SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,"
            " model_type, source_run_id, status_message FROM logged_models"
            " WHERE experiment_id = ? AND lifecycle_stage = 'active' ORDER BY creation_timestamp_ms, model_id",
            (int(experiment_id),),
        )
        for row in rows:
            yield LoggedModel(
                experiment_id=experiment_id,
                model_id=row[0],
                name=row[1],
                artifact_location=self.place(row[2]),
                creation_timestamp=row[3],
                last_updated_timestamp=row[4],
                status=model_status(row[5]),
                model_type=row[6],
                source_run_id=row[7],
                status_message=row[8],
                tags=self._of_model("tag", row[0]),
                params=self._of_model("param", row[0]),
                metrics=tuple(self._measured(row[0])),
            )

    def _of_model(self, what: str, model_id: str) -> dict[str, str]:
        table = f"logged_model_{what}s"
        rows = self._tables.rows(f"SELECT {what}_key, {what}_value FROM {table} WHERE model_id = ?", (model_id,))
        return dict(rows)

    def _measured(self, model_id: str) -> Iterator[Metric]:
        for key, value, timestamp, step, run_id, name, digest in self._tables.rows(
            f"SELECT metric_name, CASE WHEN {_IS_NAN} THEN NULL ELSE metric_value END, metric_timestamp_ms,"
            " metric_step, run_id, dataset_name, dataset_digest FROM logged_model_metrics m WHERE model_id = ?"
            " ORDER BY metric_timestamp_ms, metric_step, metric_name",
            (model_id,),
        ):
            yield Metric.stored(
                key=key,
                value=_number(value),
                timestamp=timestamp,
                step=step,
                model_id=model_id,
                dataset_name=name,
                dataset_digest=digest,
                run_id=run_id,
            )

    # --- registry --------------------------------------------------------------------------------------------

    def registered(self) -> Iterator[RegisteredModel]:
        """The registered models, each with all of its versions."""
        if "registered_models" not in self._tables.columns:
            return
        aliases = self._aliases()
        tags = self._tables.texts(
            f"SELECT name, key, value FROM registered_model_tags {self._tables.where('registered_model_tags')}"
        )
        for name, description, created, updated in self._tables.rows(
            "SELECT name, description, creation_time, last_updated_time FROM registered_models"
            f" {self._tables.where('registered_models')} ORDER BY name"
        ):
            yield RegisteredModel(
                name=name,
                creation_timestamp=created or 0,
                last_updated_timestamp=updated or 0,
                description=description,
                latest_versions=self._versions(name),
                tags=tags.get(name, {}),
                aliases=aliases.get(name, {}),
            )

    def _versions(self, name: str) -> list[ModelVersion]:
        tags: dict[int, dict[str, str]] = defaultdict(dict)
        default = self._tables.in_default("model_version_tags")
        for version, key, value in self._tables.rows(
            f"SELECT version, key, value FROM model_version_tags WHERE name = ?{default}", (name,)
        ):
            tags[version][key] = value
        rows = self._tables.rows(
            "SELECT version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id,"
            " run_link FROM model_versions WHERE name = ? AND current_stage != 'Deleted_Internal'"
            f"{self._tables.in_default('model_versions')} ORDER BY version",
            (name,),
        )
        return [
            ModelVersion(
                name=name,
                version=row[0],
                creation_timestamp=row[1] or 0,
                last_updated_timestamp=row[2] or 0,
                description=row[3],
                user_id=row[4],
                current_stage=row[5] or "None",
                source=row[6] or "",
                run_id=row[7] or None,
                run_link=row[8] or None,
                tags=tags[row[0]],
            )
            for row in rows
        ]

    def _aliases(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        if "registered_model_aliases" in self._tables.columns:
            where = self._tables.where("registered_model_aliases")
            for name, alias, version in self._tables.rows(
                f"SELECT name, alias, version FROM registered_model_aliases {where}"
            ):
                found[name][alias] = version
        return found


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
