"""The part of the client that keeps logged models, and what runs used and made."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.tracking.artifact_files import ArtifactFiles
from dovetail.tracking.casting import as_list, as_params, as_tags, check_values
from dovetail.tracking.run_names import generated_name
from dovetail.tracking.store import MAX_PAGE
from dovetail.values import (
    DatasetInput,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    NewLoggedModel,
    ViewType,
)
from dovetail.values.names import check_experiment_id, check_key, check_model_id, check_run_id
from dovetail.values.page import check_limit

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import FileInfo, LoggedModel, Page

__all__ = ["LoggedModelClient"]


class LoggedModelClient:
    """Logged models by id, and the inputs and outputs of runs; calls go straight to the store."""

    @property
    @abstractmethod
    def store(self) -> TrackingStore:
        """The tracking store behind this client."""

    # --- inputs and outputs ----------------------------------------------------------------------------------

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Note datasets and logged models that a run used, all of them or none; what is noted already stays so."""
        data, known = as_list("The datasets", datasets or ()), as_list("The models", models or ())
        check_values(data, DatasetInput, "A dataset that a run uses")
        check_values(known, LoggedModelInput, "A model that a run uses")
        self.store.log_inputs(check_run_id(run_id), data, known)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Note logged models that a run made; one that is noted already gets the new step."""
        made = as_list("The models", models)
        check_values(made, LoggedModelOutput, "A model that a run made")
        self.store.log_outputs(check_run_id(run_id), made)

    # --- logged models ---------------------------------------------------------------------------------------

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Create a logged model, which is PENDING until it is finalized.

        Args:
            experiment_id: Where it goes.
            name: Without ``/ : . %`` and quotes, and not unique; by default a generated one.
            source_run_id: The run that makes it.
            tags: Labels, which may change.
            params: What it is made with, written once.
            model_type: What kind of model it is; any text.
        """
        model = NewLoggedModel(
            experiment_id,
            generated_name() if name is None else name,
            source_run_id=source_run_id,
            model_type=model_type,
            params=as_params(params or {}),
            tags=as_tags(tags),
        )
        return self.store.create_logged_model(model)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """The model with its params, tags and every metric measured on it. Raises ``NotFound``."""
        return self.store.get_logged_model(check_model_id(model_id))

    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus | str) -> LoggedModel:
        """Say that a model is complete: READY, or FAILED."""
        checked = LoggedModelStatus.check(status)
        return self.store.update_logged_model(check_model_id(model_id), status=checked)

    def delete_logged_model(self, model_id: str) -> None:
        """Put a model in the bin."""
        self.store.delete_logged_model(check_model_id(model_id))

    def restore_logged_model(self, model_id: str) -> None:
        """Take a model out of the bin, as it was. Raises ``InvalidState`` if its experiment is deleted."""
        self.store.restore_logged_model(check_model_id(model_id))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str] | str,
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any] | str] | None = None,
        page_token: str | None = None,
        view_type: int = ViewType.ACTIVE_ONLY,
    ) -> Page[LoggedModel]:
        """A page of logged models; ``.token`` leads to the next one.

        Args:
            experiment_ids: Which experiments; a single id is accepted.
            filter_string: Such as ``metrics.acc > 0.9 AND params.kind = 'forest'``.
            datasets: Such as ``[{"dataset_name": "wine"}]``, with a ``dataset_digest`` if it matters: only models
                measured on one of these are found, and conditions on metrics look at no other points.
            max_results: At most this many, up to 50 000; 1000 by default.
            order_by: Such as ``["metrics.acc DESC"]`` or ``[{"field_name": "metrics.acc", "ascending": False}]``;
                newest first by default.
            page_token: From the page before.
            view_type: Whether to look into the bin; by default not.
        """
        limit = check_limit(1000 if max_results is None else max_results, MAX_PAGE)
        single = isinstance(experiment_ids, (str, int))
        ids = [experiment_ids] if single else as_list("The ids of experiments", experiment_ids)
        wanted = [check_experiment_id(each) for each in ids]
        return self.store.search_logged_models(
            wanted, filter_string or None, datasets or (), order_by or (), limit, page_token, ViewType(view_type)
        )

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        """Set tags of a model; those of the same keys are replaced."""
        self.store.update_logged_model(check_model_id(model_id), tags=as_tags(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove one tag of a model."""
        self.store.delete_logged_model_tag(check_model_id(model_id), check_key("tag", key))

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Add params to a model. Raises ``ParamConflict`` if one has another value already."""
        self.store.update_logged_model(check_model_id(model_id), params=as_params(params))

    # --- files of logged models ------------------------------------------------------------------------------

    def log_model_artifact(
        self, model_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None
    ) -> None:
        """Upload a file, or a folder under its own name, into ``artifact_path`` of a model's files."""
        self._model_files(model_id).log_artifact(local_path, artifact_path)

    def log_model_artifacts(
        self, model_id: str, local_dir: str | os.PathLike[str], artifact_path: str | None = None
    ) -> None:
        """Upload what is in a folder into ``artifact_path`` of a model's files."""
        self._model_files(model_id).log_artifacts(local_dir, artifact_path)

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        """The entries of one folder of a model's files, paths relative to the model."""
        return self._model_files(model_id).list(path)

    def _model_files(self, model_id: str) -> ArtifactFiles:
        return ArtifactFiles(self.get_logged_model(model_id).artifact_location, self.store)
