"""The explicit twin of the fluent verbs: every call names its run or experiment."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail.errors import DovetailError
from dovetail.registry.client import RegistryClient
from dovetail.tracking import families, places, recorder
from dovetail.tracking.casting import as_list, as_params, as_tags, linked_metric, param, tag
from dovetail.tracking.client_histories import HistoryClient
from dovetail.tracking.client_models import LoggedModelClient
from dovetail.tracking.creation import run_to_create
from dovetail.tracking.operations import answers, in_background, logged
from dovetail.tracking.run_artifacts import RunArtifacts
from dovetail.tracking.store import MAX_PAGE
from dovetail.tracking.storing import naming, storing
from dovetail.values import Batch, RunStatus, ViewType
from dovetail.values.measure import now_ms
from dovetail.values.names import (
    MAX_INT,
    check_experiment_id,
    check_experiment_name,
    check_moment,
    check_name,
    check_run_id,
    check_text,
)
from dovetail.values.page import check_limit

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.operations import RunOperations
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Experiment, FileInfo, Metric, Page, Param, Run, Tag

__all__ = ["Client", "MlflowClient"]


class Client(HistoryClient, LoggedModelClient, RegistryClient):
    """Experiments, runs and artifacts by id, registered models by name.

    Calls go straight to the store or registry and return its errors.

    Args:
        tracking_uri: Where to track; by default what ``dovetail.get_tracking_uri()`` says at each call.
        registry_uri: Where models are registered; by default what is chosen or set, or else where this client tracks.
    """

    def __init__(
        self,
        tracking_uri: str | os.PathLike[str] | None = None,
        registry_uri: str | os.PathLike[str] | None = None,
    ) -> None:
        # What is relative is so to the working folder of this moment, not of a later call's.
        self._uri = places.resolved(tracking_uri) if tracking_uri else None
        self._registry_uri = places.resolved(registry_uri) if registry_uri else None

    @property
    def tracking_uri(self) -> str:
        """Where this client tracks."""
        return self._uri or places.get_tracking_uri()

    @property
    def registry_uri(self) -> str:
        """Where this client's models are registered."""
        return self._registry_uri or places.registry_uri_beside(self._uri)

    @property
    def store(self) -> TrackingStore:
        """The tracking store behind this client."""
        return places.open_store(self._uri) if self._uri else places.tracking_store()

    @property
    def registry(self) -> RegistryStore:
        """The model registry behind this client."""
        return places.open_registry(self._registry_uri) if self._registry_uri else places.registry_store(self._uri)

    def __repr__(self) -> str:
        """Where it tracks, without passwords."""
        from dovetail.values.summary import summary

        with suppress(DovetailError):  # what is set is broken: the next call says how
            return summary(type(self).__name__, {"tracking_uri": self.tracking_uri})
        return f"{type(self).__name__}()"

    # --- experiments -----------------------------------------------------------------------------------------

    def create_experiment(
        self, name: str, artifact_location: str | os.PathLike[str] | None = None, tags: Mapping[str, Any] | None = None
    ) -> str:
        """Create an experiment and return its id.

        Args:
            name: Unique in the store.
            artifact_location: URI or path that its runs' artifacts lie under; by default below the store's root.
            tags: Labels.

        Raises:
            AlreadyExists: The name is taken, also by a deleted experiment.
        """
        location = None if artifact_location is None else places.artifact_location(artifact_location)
        return self.store.create_experiment(check_experiment_name(name), location, as_tags(tags))

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment of that id. Raises ``NotFound``."""
        return self.store.get_experiment(check_experiment_id(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of that name, or None."""
        return self.store.get_experiment_by_name(check_text("experiment name", name, MAX_INT))

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | str | None = None,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """A page of experiments, newest first by default; ``.token`` leads to the next one."""
        limit = check_limit(1000 if max_results is None else max_results, MAX_PAGE)
        view, order = ViewType(view_type), _clauses(order_by)
        return self.store.search_experiments(filter_string or None, order, view, limit, page_token)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name."""
        self.store.rename_experiment(check_experiment_id(experiment_id), check_experiment_name(new_name))

    def delete_experiment(self, experiment_id: str) -> None:
        """Put an experiment and its runs in the bin."""
        self.store.delete_experiment(check_experiment_id(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Take an experiment out of the bin."""
        self.store.restore_experiment(check_experiment_id(experiment_id))

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set one tag of an experiment."""
        self.store.set_experiment_tags(check_experiment_id(experiment_id), (tag(key, value),))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove one tag of an experiment."""
        self.store.delete_experiment_tag(check_experiment_id(experiment_id), check_name("tag key", key))

    # --- runs ------------------------------------------------------------------------------------------------

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Create a run without making it the active one.

        Args:
            experiment_id: Where it goes.
            start_time: Milliseconds since 1970, UTC; by default now.
            tags: Labels it starts with.
            run_name: By default the tag ``mlflow.runName``, or else a generated name.
            run_id: An id of the caller's choice; by default a random one.
        """
        return self.store.create_run(run_to_create(experiment_id, start_time, tags, run_name, run_id))

    def get_run(self, run_id: str) -> Run:
        """The run with its latest metrics, params and tags. Raises ``NotFound``."""
        return self.store.get_run(check_run_id(run_id))

    def get_parent_run(self, run_id: str) -> Run | None:
        """The run's parent, or None if it has none."""
        parent = self.get_run(run_id).data.tags.get(families.PARENT)
        return self.get_run(parent) if parent else None

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change a run's status or name; a status that ends it sets its end time, another one clears it."""
        checked = None if status is None else RunStatus.check(status)
        new_name = None if name is None else tag("mlflow.runName", name).value
        self.store.update_run(check_run_id(run_id), status=checked, name=new_name)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run.

        Args:
            run_id: The run.
            status: FINISHED by default, or else FAILED or KILLED.
            end_time: Milliseconds since 1970, UTC; by default now.
        """
        ended = RunStatus.check_ended(RunStatus.FINISHED if status is None else status)
        moment = now_ms() if end_time is None else check_moment("end time", end_time)
        self.store.update_run(check_run_id(run_id), status=ended, end_time=moment)

    def delete_run(self, run_id: str, cascade: bool = False) -> None:
        """Put a run in the bin; with ``cascade`` also its children and all below them."""
        checked = check_run_id(run_id)
        if cascade:
            families.delete_family(self.store, checked)
        else:
            self.store.delete_run(checked)

    def restore_run(self, run_id: str, cascade: bool = False) -> None:
        """Take a run out of the bin; with ``cascade`` also its children and all below them."""
        checked = check_run_id(run_id)
        if cascade:
            families.restore_family(self.store, checked)
        else:
            self.store.restore_run(checked)

    def move_run(self, run_id: str, experiment_id: str) -> None:
        """Put a run into another experiment, with all it logged; its artifacts stay where they are."""
        self.store.move_run(check_run_id(run_id), check_experiment_id(experiment_id))

    def search_runs(
        self,
        experiment_ids: Sequence[str] | str,
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | str | None = None,
        page_token: str | None = None,
    ) -> Page[Run]:
        """A page of runs; ``.token`` leads to the next one.

        Args:
            experiment_ids: Which experiments; a single id is accepted.
            filter_string: Such as ``metrics.acc > 0.9 AND params.model = 'rf'``.
            run_view_type: Active runs by default.
            max_results: At most this many, up to 50 000.
            order_by: Such as ``["metrics.acc DESC"]``; newest first by default.
            page_token: From the page before.
        """
        single = isinstance(experiment_ids, (str, int))
        ids = [experiment_ids] if single else as_list("The ids of experiments", experiment_ids)
        wanted, view = [check_experiment_id(each) for each in ids], ViewType(run_view_type)
        limit, order = check_limit(max_results, MAX_PAGE), _clauses(order_by)
        return self.store.search_runs(wanted, filter_string or None, order, view, limit, page_token)

    # --- what runs log ---------------------------------------------------------------------------------------

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Log one point of a metric; ``timestamp`` in milliseconds, by default now; ``step`` 0 by default.

        ``synchronous``, here and elsewhere: True or None: the call returns when it is in the store. False: it returns
        when it is safe on this machine, and answers with something to wait for. The point is one of the logged model
        ``model_id``, too; the dataset it was measured on need not be an input of the run.
        """
        links = (model_id, dataset_name, dataset_digest)
        return self._write(run_id, Batch(metrics=(linked_metric(key, value, timestamp, step, *links),)), synchronous)

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Log one param and return its value, or something to wait for.

        Raises:
            ParamConflict: It has another value already.
        """
        waiting = self._write(run_id, Batch(params=(param(key, value),)), synchronous)
        return value if waiting is None else waiting

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
        """Set one tag of a run."""
        return self._write(run_id, Batch(tags=(tag(key, value),)), synchronous)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Log metrics, params and tags together: all of them or, on an error, none."""
        batch = Batch(metrics, params, tags)  # type: ignore[arg-type] # it makes tuples of them
        return self._write(run_id, batch, synchronous)

    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Log several params together."""
        self._write(run_id, Batch(params=as_params(params)))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove one tag of a run."""
        self.store.delete_tag(check_run_id(run_id), check_name("tag key", key))

    def _write(self, run_id: str, batch: Batch, synchronous: bool | None = True) -> RunOperations | None:
        if synchronous or not answers(synchronous):
            recorder.write(self.store, check_run_id(run_id), batch)
            return None
        return logged(places.recorder(self._uri), check_run_id(run_id), batch, synchronous)

    # --- artifacts -------------------------------------------------------------------------------------------

    def _artifacts(self, run_id: str) -> RunArtifacts:
        return RunArtifacts(self.store, check_run_id(run_id))

    def log_artifact(self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload a file, or a folder under its own name, into ``artifact_path`` of the run."""
        with storing(local_path, lambda: self._artifacts(run_id)) as run:
            run.log_artifact(local_path, artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Upload what is in a folder into ``artifact_path`` of the run."""
        with storing(local_dir, lambda: self._artifacts(run_id)) as run:
            run.log_artifacts(local_dir, artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Write text as an artifact."""
        with storing(artifact_file, lambda: self._artifacts(run_id)) as run:
            run.log_text(text, artifact_file)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Write a dict or list as an artifact: YAML for ``.yaml``/``.yml``, otherwise JSON."""
        with storing(artifact_file, lambda: self._artifacts(run_id)) as run:
            run.log_dict(dictionary, artifact_file)

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Write a matplotlib or plotly figure as an artifact; the file name's ending decides the format."""
        with storing(artifact_file, lambda: self._artifacts(run_id)) as run:
            run.log_figure(figure, artifact_file, save_kwargs=save_kwargs)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Write an image as a file, or as one of the series ``key``; see ``dovetail.log_image``."""
        what = key if artifact_file is None else artifact_file
        with storing(what, lambda: self._artifacts(run_id)) as run:
            work = partial(run.log_image, image, artifact_file, key, step, timestamp)
            if not synchronous and answers(synchronous):
                return in_background(naming(what)(work))
            work()
        return None

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Write a table, or add rows to the one that is there; see ``dovetail.log_table``."""
        with storing(artifact_file, lambda: self._artifacts(run_id)) as run:
            run.log_table(data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> Any:
        """The tables of an experiment's runs, or of the runs given, as one DataFrame; see ``dovetail.load_table``."""
        from dovetail.tracking.run_tables import load

        return load(self, experiment_id, artifact_file, run_ids, extra_columns)

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Write what a binary stream still has to give, without holding all of it in memory."""
        with storing(artifact_file, lambda: self._artifacts(run_id)) as run:
            run.log_stream(stream, artifact_file)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The entries of one artifact folder of a run, paths relative to the run."""
        return self._artifacts(run_id).list(path)

    def download_artifacts(self, run_id: str, path: str, dst_path: str | os.PathLike[str] | None = None) -> str:
        """Bring an artifact file or folder to this machine and return its local path.

        Args:
            run_id: The run.
            path: The artifact; ``""`` is everything.
            dst_path: The folder to put it in; by default a private temporary one, or no copy at all for local stores.
        """
        return str(self._artifacts(run_id).download(path, dst_path))


MlflowClient = Client  # the name that scripts written for MLflow use


def _clauses(order_by: Sequence[str] | str | None) -> Sequence[str]:
    # A single clause is what people mean by a text, not its letters.
    return (order_by,) if isinstance(order_by, str) else order_by or ()
