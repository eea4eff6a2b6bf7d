"""The methods of a store over MLflow's API that take what runs log."""

# ruff: noqa: D102 - the docstrings of these methods stand in the interface

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any, TypeVar

from dovetail.errors import InvalidInput, NotFound, ParamConflict, RunEnded
from dovetail.tracking.params import with_params
from dovetail.tracking.stages import require_open
from dovetail.values import Batch, LifecycleStage, LoggedModelInput
from dovetail.wire.batches import MAX_METRICS, MAX_PARAMS, MAX_TAGS, MAX_TOTAL, dump_batch
from dovetail.wire.datasets import dump_dataset_input, dump_model_input, dump_model_output
from dovetail_http.stock.models import ModelMethods
from dovetail_http.stock.refusals import cannot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dovetail.values import (
        DatasetInput,
        Ending,
        JournalMark,
        LoggedModelOutput,
        Metric,
        Run,
    )

__all__ = ["LogMethods"]

Item = TypeVar("Item")


class LogMethods(ModelMethods):
    """The methods of a store over MLflow's API that take what runs log."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        """As in ``TrackingStore``, as far as MLflow's API goes.

        Of a batch that is larger than the server takes at once, the first parts are stored before the last ones. Marks
        are not kept: points that come twice are one point, and params and tags are the same the second time. When a tag
        was set the server does not know, so the last one that comes holds.
        """
        measured = self._with_known_models(run_id, batch)
        if batch.params or (batch.measured and mark is None and not ended):
            self._require_takes(run_id, batch, late=mark is not None or ended)
        parts = list(_parts(measured))
        if not parts and batch.end is None:
            self._require_not_deleted(run_id)
        for part in parts:
            self._log(run_id, part)
        if batch.end is not None:
            self._end(run_id, batch.end)

    def applied(self, writer: str) -> int:
        """None: the server keeps no marks."""
        del writer
        return 0

    def delete_tag(self, run_id: str, key: str) -> None:
        self._writing(run_id, lambda known: self._api.post("runs/delete-tag", run_id=known, key=key))

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        run = self._require_not_deleted(run_id)
        used = {each.model_id for each in run.inputs.model_inputs}
        asked = dict.fromkeys(self.get_logged_model(each.model_id).model_id for each in models)
        fields: dict[str, Any] = {
            "datasets": [dump_dataset_input(each) for each in _once(datasets)],
            "models": [dump_model_input(LoggedModelInput(each)) for each in asked if each not in used],
        }
        if any(fields.values()):
            given = {name: each for name, each in fields.items() if each}
            self._writing(run_id, lambda known: self._api.post("runs/log-inputs", run_id=known, **given))

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """As in ``TrackingStore``, but of a model that is noted already the step stays.

        Raises:
            InvalidState: One is noted already with another step.
        """
        run = self._require_not_deleted(run_id)
        made = {each.model_id: each.step for each in run.outputs.model_outputs}
        known = {
            each.model_id: replace(each, model_id=self.get_logged_model(each.model_id).model_id) for each in models
        }
        if any(made.get(each.model_id, each.step) != each.step for each in known.values()):
            raise cannot(self._api.server, "change the step at which a run made a logged model")
        fresh = [dump_model_output(each) for each in known.values() if each.model_id not in made]
        if fresh:
            self._writing(run_id, lambda own: self._api.post("runs/outputs", run_id=own, models=fresh))

    # --- steps -----------------------------------------------------------------------------------------------

    def _with_known_models(self, run_id: str, batch: Batch) -> Batch:
        """The batch with the server's ids of logged models, all of which are there.

        The server takes a point of a model once: where it has it, the point is the run's alone.

        Raises:
            NotFound: There is no such model.
            InvalidState: It has another point of that metric, time and step.
        """
        asked = {point.model_id for point in batch.metrics if point.model_id is not None}
        if not asked:
            return batch
        models, run_id = {each: self.get_logged_model(each) for each in asked}, self._ids.known(run_id)
        held = {(model.model_id, *_place(point)): point for model in models.values() for point in model.metrics}
        metrics: list[Metric] = []
        for point in batch.metrics:
            if point.model_id is None:
                metrics.append(point)
                continue
            own = replace(point, model_id=models[point.model_id].model_id, run_id=run_id)
            known = held.setdefault((own.model_id, *_place(own)), own)
            if known is not own and not _alike(known, own):
                raise cannot(
                    self._api.server, "keep two points of a logged model that have metric, time and step alike"
                )
            metrics.append(replace(own, run_id=None, model_id=own.model_id if known is own else None))
        return replace(batch, metrics=tuple(metrics))

    def _require_takes(self, run_id: str, batch: Batch, *, late: bool) -> None:
        """See to it that all of a batch will be taken, before any of it is sent."""
        run = self._require_not_deleted(run_id)
        require_open(run_id, run.info.status, deleted=False, only_tags=late or not (batch.params or batch.measured))
        with_params(run.data.params, batch.params, f"run {run_id}")

    def _require_not_deleted(self, run_id: str) -> Run:
        run = self.get_run(run_id)
        require_open(
            run_id, run.info.status, deleted=run.info.lifecycle_stage == LifecycleStage.DELETED, only_tags=True
        )
        return run

    def _log(self, run_id: str, part: Batch) -> None:
        try:
            self._writing(
                run_id, lambda known: self._api.post("runs/log-batch", again=True, run_id=known, **dump_batch(part))
            )
        except (RunEnded, NotFound):
            raise
        except InvalidInput as refusal:
            # Somebody may have been faster; the server's own words for that are as those for anything else.
            try:
                with_params(self.get_run(run_id).data.params, part.params, f"run {run_id}")
            except ParamConflict as conflict:
                raise conflict from refusal
            raise

    def _end(self, run_id: str, end: Ending) -> None:
        info = self._require_not_deleted(run_id).info
        if end.changes(info.status):
            self.update_run(run_id, status=end.status, end_time=end.end_time)


def _place(point: Metric) -> tuple[object, ...]:
    return point.run_id, point.key, point.timestamp, point.step


def _alike(known: Metric, point: Metric) -> bool:
    """Whether a point is one that the server has: of logged models it keeps 0 for NaN."""
    value = 0.0 if isnan(point.value) else point.value
    ours = value, point.dataset_name, point.dataset_digest
    return ours == (0.0 if isnan(known.value) else known.value, known.dataset_name, known.dataset_digest)


def _once(datasets: Sequence[DatasetInput]) -> list[DatasetInput]:
    """Each dataset once, as it was named first, with the first tags."""
    found: dict[tuple[str, str], DatasetInput] = {}
    for used in datasets:
        key = used.dataset.name, used.dataset.digest
        known = found.setdefault(key, used)
        if not known.tags and used.tags:
            found[key] = replace(known, tags=used.tags)
    return list(found.values())


def _parts(batch: Batch) -> Iterator[Batch]:
    """The batch in parts that the server takes, params first: they are what it may refuse."""
    params = {param.key: param for param in batch.params}
    tags = {tag.key: tag for tag in batch.tags}
    waiting = (list(params.values()), list(tags.values()), list(batch.points()))
    while any(waiting):
        some_params, some_tags = _taken(waiting[0], MAX_PARAMS), _taken(waiting[1], MAX_TAGS)
        room = min(MAX_METRICS, MAX_TOTAL - len(some_params) - len(some_tags))
        yield Batch.stored(
            metrics=tuple(_taken(waiting[2], room)),
            params=tuple(some_params),
            tags=tuple(some_tags),
            columns=(),
            end=None,
        )


def _taken(items: list[Item], most: int) -> list[Item]:
    taken, items[:] = items[:most], items[most:]
    return taken
