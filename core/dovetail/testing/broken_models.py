"""Tracking stores whose logged models, inputs or outputs are wrong on purpose, each in one way; see ``broken``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidState, NotFound
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.records import Record
from dovetail.tracking.filters import parse_datasets
from dovetail.values import Batch, Dataset, LoggedModelInput, Param, RunInputs, ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from dovetail.values import (
        DatasetInput,
        JournalMark,
        LoggedModel,
        LoggedModelOutput,
        Metric,
        NewLoggedModel,
        Page,
        Run,
        RunInfo,
        Tag,
    )

__all__ = ["FAULTS"]


# --- logged models -------------------------------------------------------------------------------------------


class ReplacedModels(MemoryTrackingStore):
    """Lets a model of the same id take the place of a deleted one."""

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        if self._binned_models.pop(model.model_id, None) is not None:
            del self._models[model.model_id]
        return super().create_logged_model(model)


class HastyUpdates(MemoryTrackingStore):
    """Sets tags and status of a model before it looks at the params."""

    def update_logged_model(
        self,
        model_id: str,
        *,
        status: str | None = None,
        status_message: str | None = None,
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> LoggedModel:
        super().update_logged_model(model_id, status=status, status_message=status_message, tags=tags)
        return super().update_logged_model(model_id, params=params)


class ForgottenMessages(MemoryTrackingStore):
    """Drops the message of a status at the next update."""

    def update_logged_model(self, model_id: str, **changes: Any) -> LoggedModel:
        return super().update_logged_model(model_id, **{"status_message": "", **changes})


class SharedFolders(MemoryTrackingStore):
    """Puts the files of all models of an experiment into one folder."""

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        made = super().create_logged_model(model)
        location = self.get_experiment(model.experiment_id).artifact_location
        self._models[made.model_id] = replace(made, artifact_location=f"{location}/models")
        return self._models[made.model_id]


class VisibleBin(MemoryTrackingStore):
    """Gives deleted models to everybody."""

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        del allow_deleted
        return super().get_logged_model(model_id, allow_deleted=True)


class ModelsOfTheDead(MemoryTrackingStore):
    """Finds the models of deleted experiments."""

    def _models_of(self, experiment_ids: Sequence[str], view_type: ViewType) -> list[LoggedModel]:
        found = [each for each in self._models.values() if each.experiment_id in experiment_ids]
        return [each for each in found if self._stage(each.model_id) in view_type.stages]


class OneViewForAll(MemoryTrackingStore):
    """Looks for models where it always looks, whatever the view."""

    def _models_of(self, experiment_ids: Sequence[str], view_type: ViewType) -> list[LoggedModel]:
        del view_type
        return super()._models_of(experiment_ids, ViewType.ACTIVE_ONLY)


class EmptyHanded(MemoryTrackingStore):
    """Brings models back from the bin without what was measured on them."""

    def restore_logged_model(self, model_id: str) -> None:
        super().restore_logged_model(model_id)
        self._models[model_id] = replace(self._models[model_id], metrics=())


class RestlessModels(MemoryTrackingStore):
    """Takes restoring a model that is in use for a change."""

    def restore_logged_model(self, model_id: str) -> None:
        super().restore_logged_model(model_id)
        self._models[model_id] = replace(self._models[model_id], last_updated_timestamp=2**40)


class RaisedFromTheDead(MemoryTrackingStore):
    """Restores models of deleted experiments."""

    def restore_logged_model(self, model_id: str) -> None:
        with suppress(InvalidState):
            super().restore_logged_model(model_id)
        self._binned_models.pop(model_id, None)


class OldestFirst(MemoryTrackingStore):
    """Turns the order of models around where none is asked for."""

    def search_logged_models(self, experiment_ids: Sequence[str], *args: Any, **options: Any) -> Page[LoggedModel]:
        page = super().search_logged_models(experiment_ids, *args, **options)
        page.reverse()
        return page


class LatestPointsOnly(MemoryTrackingStore):
    """Keeps of each metric of a model the last point alone."""

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        models = super()._measured(info, metrics)
        return {
            model_id: replace(model, metrics=tuple({point.key: point for point in model.metrics}.values()))
            for model_id, model in models.items()
        }


class AnonymousPoints(MemoryTrackingStore):
    """Forgets which run measured a model."""

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        return super()._measured(replace(info, run_id="somebody"), metrics)


class UndefinedPointsDropped(MemoryTrackingStore):
    """Drops points of models that are no number."""

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        return super()._measured(info, [metric for metric in metrics if not isnan(metric.value)])


class PointsByArrival(MemoryTrackingStore):
    """Leaves the points of a model in the order they came in."""

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        came = [replace(metric, run_id=info.run_id) for metric in metrics]
        models = super()._measured(info, metrics)
        return {
            model_id: replace(model, metrics=tuple(sorted(model.metrics, key=came.index)))
            for model_id, model in models.items()
        }


class LinkedLater(MemoryTrackingStore):
    """Stores a batch before it looks whether there are the models it names."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        plain = Batch([replace(each, model_id=None) for each in batch.metrics], batch.params, batch.tags)  # type: ignore[arg-type]
        super().log_batch(run_id, plain, mark=mark, ended=ended)
        if any(each.model_id for each in batch.metrics):
            super().log_batch(run_id, Batch(metrics=batch.metrics), ended=True)


class MeasuredTooEarly(MemoryTrackingStore):
    """Adds points to models before it looks at the params of the batch."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        with self._lock:
            self._models.update(self._measured(self._record(run_id).info, batch.metrics))
            super().log_batch(run_id, batch, mark=mark, ended=ended)


class EveryPointCounts(MemoryTrackingStore):
    """Does not narrow a search to datasets."""

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Any = (),
        *args: Any,
        **more: Any,
    ) -> Page[LoggedModel]:
        parse_datasets(datasets)
        return super().search_logged_models(experiment_ids, filter_string, (), *args, **more)


# --- inputs and outputs --------------------------------------------------------------------------------------


class UnknownModelsLinked(MemoryTrackingStore):
    """Notes models that are none."""

    def _require_models(self, models: Sequence[LoggedModelInput | LoggedModelOutput]) -> None:
        del models


class TornLinks(MemoryTrackingStore):
    """Notes the datasets before it looks at the models."""

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput] = (), models: Sequence[LoggedModelInput] = ()
    ) -> None:
        super().log_inputs(run_id, datasets)
        super().log_inputs(run_id, (), models)


class SortedInputs(MemoryTrackingStore):
    """Gives datasets by name instead of in the order they were logged."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def as_run(self) -> Run:
            run = super().as_run()
            datasets = sorted(run.inputs.dataset_inputs, key=lambda each: (each.dataset.name, each.dataset.digest))
            return replace(run, inputs=RunInputs(tuple(datasets), run.inputs.model_inputs))


class LastTagsHold(MemoryTrackingStore):
    """Gives an input that is there already the tags it is noted with again."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_inputs(self, datasets: Sequence[DatasetInput], models: Sequence[LoggedModelInput]) -> Self:
            again = {(each.dataset.name, each.dataset.digest) for each in datasets if each.tags}
            bare = {key: replace(each, tags=()) if key in again else each for key, each in self.datasets.items()}
            return Record.with_inputs(replace(self, datasets=bare), datasets, models)


class BareForGood(MemoryTrackingStore):
    """Leaves an input that was noted without tags as it is."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_inputs(self, datasets: Sequence[DatasetInput], models: Sequence[LoggedModelInput]) -> Self:
            new = [each for each in datasets if (each.dataset.name, each.dataset.digest) not in self.datasets]
            return super().with_inputs(new, models)


class FirstStepsOnly(MemoryTrackingStore):
    """Leaves the step of a model that was noted before."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_outputs(self, models: Sequence[LoggedModelOutput]) -> Self:
            return super().with_outputs([each for each in models if each.model_id not in self.made])


class RewrittenDatasets(MemoryTrackingStore):
    """Lets what is said later of a dataset hold."""

    def _known(self, experiment_id: str, used: DatasetInput) -> DatasetInput:
        self._datasets[experiment_id, used.dataset.name, used.dataset.digest] = used.dataset
        return used


class DatasetsBeforeMetrics(MemoryTrackingStore):
    """Takes no metric about a dataset that no run of the experiment has used."""

    def _measured(self, info: RunInfo, metrics: Sequence[Metric]) -> dict[str, LoggedModel]:
        for each in metrics:
            known = info.experiment_id, each.dataset_name or "", each.dataset_digest or ""
            if each.dataset_name is not None and known not in self._datasets:
                raise NotFound(f"Experiment {info.experiment_id} knows no dataset {each.dataset_name!r}.")
        return super()._measured(info, metrics)


class BlankDatasets(MemoryTrackingStore):
    """Takes what a metric says of a dataset for all there is to say."""

    def log_batch(self, run_id: str, batch: Batch, *, mark: JournalMark | None = None, ended: bool = False) -> None:
        super().log_batch(run_id, batch, mark=mark, ended=ended)
        experiment_id = self._record(run_id).info.experiment_id
        for each in batch.metrics:
            name, digest = each.dataset_name or "", each.dataset_digest or ""
            bare = Dataset.stored(name=name, digest=digest, source_type="", source="", schema=None, profile=None)
            if name:
                self._datasets.setdefault((experiment_id, name, digest), bare)


class MixedLinks(MemoryTrackingStore):
    """Takes a model that a run made for one that it used."""

    class record(Record):  # noqa: N801 - takes the place of an attribute
        def with_outputs(self, models: Sequence[LoggedModelOutput]) -> Self:
            used = {each.model_id: LoggedModelInput(each.model_id) for each in models}
            return replace(super().with_outputs(models), used={**self.used, **used})


class OpenToTheDead(MemoryTrackingStore):
    """Takes inputs and outputs of deleted runs."""

    def _writable(self, run_id: str) -> Record:
        return self._record(run_id)


FAULTS: dict[type[MemoryTrackingStore], str] = {
    ReplacedModels: "test_the_id_of_a_model_is_taken_for_good",
    HastyUpdates: "test_params_of_a_model_are_written_once",
    ForgottenMessages: "test_a_model_has_the_status_it_was_given",
    SharedFolders: "test_a_model_is_there_when_the_call_returns",
    VisibleBin: "test_a_deleted_model_is_seen_only_on_request",
    ModelsOfTheDead: "test_a_deleted_experiment_takes_its_models_out_of_searches",
    OneViewForAll: "test_a_view_says_whether_deleted_models_are_found",
    EmptyHanded: "test_a_restored_model_is_as_it_was",
    RestlessModels: "test_restoring_a_model_that_is_in_use_changes_nothing",
    RaisedFromTheDead: "test_a_model_comes_back_only_into_an_experiment_that_is_there",
    OldestFirst: "test_without_an_order_the_newest_model_comes_first",
    EveryPointCounts: "test_filters_of_models_mean_the_same_in_every_store",
    LatestPointsOnly: "test_linked_metrics_are_points_of_model_and_run",
    AnonymousPoints: "test_linked_metrics_are_points_of_model_and_run",
    UndefinedPointsDropped: "test_linked_metrics_are_points_of_model_and_run",
    PointsByArrival: "test_points_of_a_model_go_by_timestamp_then_step_then_key",
    LinkedLater: "test_an_unknown_model_keeps_the_whole_batch_out",
    MeasuredTooEarly: "test_a_refused_batch_adds_no_point_to_a_model",
    UnknownModelsLinked: "test_an_unknown_model_keeps_all_links_out",
    TornLinks: "test_an_unknown_model_keeps_all_links_out",
    SortedInputs: "test_inputs_come_back_as_they_are",
    LastTagsHold: "test_the_first_tags_of_an_input_hold",
    BareForGood: "test_an_input_without_tags_gets_those_of_the_next_call",
    FirstStepsOnly: "test_what_is_noted_already_is_not_noted_twice",
    RewrittenDatasets: "test_an_experiment_knows_one_dataset_by_name_and_digest",
    DatasetsBeforeMetrics: "test_a_metric_may_name_a_dataset_that_no_run_has_used_yet",
    BlankDatasets: "test_what_is_noted_later_of_a_dataset_that_a_metric_named_holds",
    MixedLinks: "test_outputs_come_back_as_they_are",
    OpenToTheDead: "test_an_ended_run_takes_links_and_a_deleted_one_none",
}
"""Every store with a fault, and the story of the suite that must catch it."""
