"""Fluent verbs for logged models: making, changing and finding them, and which one is active."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.tracking import frames, places
from dovetail.tracking.active_models import active_model_id, make_active
from dovetail.tracking.casting import as_list, as_mapping
from dovetail.tracking.client import Client
from dovetail.tracking.experiments import active_experiment_id
from dovetail.tracking.runs import active_or_none
from dovetail.tracking.source import source_tags
from dovetail.tracking.walking import walk
from dovetail.values import LoggedModel, LoggedModelStatus
from dovetail.values.names import check_model_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

__all__ = [
    "ActiveModel",
    "clear_active_model",
    "client_here",
    "create_external_model",
    "delete_logged_model_tag",
    "finalize_logged_model",
    "forget_models",
    "get_active_model_id",
    "get_logged_model",
    "initialize_logged_model",
    "last_logged_model",
    "log_model_params",
    "note_made",
    "origin",
    "search_logged_models",
    "set_active_model",
    "set_logged_model_tags",
]

EXTERNAL = "mlflow.model.isExternal"

_latest: tuple[str, str] | None = None  # the id of the model made last, and the tracking URI it is at


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Create a logged model whose files are still to come; it is PENDING until ``finalize_logged_model``.

    Args:
        name: Without ``/ : . %`` and quotes, and not unique; by default a generated one.
        source_run_id: The run that makes it; by default the active one, if there is one.
        tags: Labels, beside those that say which script made it.
        params: What it is made with; params are written once.
        model_type: What kind of model it is; any text.
        experiment_id: Where it goes; by default the active run's experiment, or else the one in force.

    Raises:
        InvalidInput: The name cannot be kept.
        NotFound: There is no such experiment.
    """
    source, experiment = origin(source_run_id, experiment_id)
    labels = {**source_tags(), **as_mapping("Tags", tags or {})}
    model = client_here().create_logged_model(experiment, name, source, labels, params, model_type)
    note_made(model.model_id, _uri())
    return model


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Create a logged model whose files are kept elsewhere, if it has any; it is READY at once.

    Args:
        name: As in ``initialize_logged_model``, and so are the others.
        source_run_id: The run that made it.
        tags: Labels, beside ``mlflow.model.isExternal``.
        params: What it was made with.
        model_type: What kind of model it is.
        experiment_id: Where it goes.
    """
    labels = {**as_mapping("Tags", tags or {}), EXTERNAL: "true"}
    made = initialize_logged_model(name, source_run_id, labels, params, model_type, experiment_id)
    return finalize_logged_model(made.model_id, LoggedModelStatus.READY)


def finalize_logged_model(model_id: str, status: LoggedModelStatus | str) -> LoggedModel:
    """Say that a model is complete: READY, or FAILED."""
    return client_here().finalize_logged_model(model_id, status)


def get_logged_model(model_id: str) -> LoggedModel:
    """The model with its params, tags and every metric measured on it. Raises ``NotFound``."""
    return client_here().get_logged_model(model_id)


def last_logged_model() -> LoggedModel | None:
    """The model that this process made last, as the store has it now; None if it made none."""
    if _latest is None:
        return None
    model_id, uri = _latest
    return Client(uri).get_logged_model(model_id)


def search_logged_models(
    experiment_ids: Sequence[str] | str | None = None,
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, Any]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any] | str] | None = None,
    output_format: str = "pandas",
) -> Any:
    """Find logged models.

    Args:
        experiment_ids: Where to look; a single id is accepted; by default, and where there are none, the experiment in
            force.
        filter_string: Such as ``metrics.acc > 0.9 AND params.kind = 'forest'``.
        datasets: Such as ``[{"dataset_name": "wine"}]``, with a ``dataset_digest`` if it matters: only models measured
            on one of these are found, and conditions on metrics look at no other points.
        max_results: At most this many; None for all.
        order_by: Such as ``["metrics.acc DESC"]`` or ``[{"field_name": "metrics.acc", "ascending": False}]``; the
            latter takes for a metric also the ``dataset_name`` and ``dataset_digest`` it is measured on. Newest first
            by default.
        output_format: ``pandas`` for a DataFrame, ``list`` for models.

    Returns:
        A DataFrame with a row for each model, or a list of models.

    Raises:
        InvalidFilter: Filter, datasets or order cannot be read.
        PluginMissing: A DataFrame is asked for and pandas is not installed.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidInput(f"output_format is {output_format!r}.", hint="Use 'pandas' or 'list'.")
    if output_format == "pandas":
        _pandas()
    single = isinstance(experiment_ids, (str, int))
    ids: list[Any] = [experiment_ids] if single else as_list("The ids of experiments", experiment_ids or ())
    where = ids or [active_experiment_id()]
    client = Client()
    models = walk(
        lambda size, token: client.search_logged_models(where, filter_string, datasets, size, order_by, token),
        max_results,
    )
    return models if output_format == "list" else _frame(models)


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    """Set tags of a model; those of the same keys are replaced."""
    client_here().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Remove one tag of a model. Raises ``NotFound`` if it has none of that key."""
    client_here().delete_logged_model_tag(model_id, key)


def log_model_params(params: Mapping[str, Any], model_id: str | None = None) -> None:
    """Add params to a model.

    Args:
        params: Values by key.
        model_id: The model; by default the active one.

    Raises:
        InvalidInput: No model is given, and none is active.
        ParamConflict: The model has another value under a key; params are written once.
    """
    wanted = model_id or active_model_id()
    if wanted is None:
        raise InvalidInput("log_model_params needs a model_id: no model is active.", hint="Or call set_active_model().")
    client_here().log_model_params(wanted, params)


# --- the active model -----------------------------------------------------------------------------------------


class ActiveModel(LoggedModel):
    """A model that is active; at the end of a ``with`` block the one that was active before is so again.

    Args:
        logged_model: The model.
        set_by_user: Says that a script chose it, as in MLflow; here all are.
    """

    __slots__ = ("_before",)
    _before: str | None

    def __init__(self, logged_model: LoggedModel, set_by_user: bool = True) -> None:
        del set_by_user
        self.__dict__.update(logged_model.__dict__)
        object.__setattr__(self, "_before", active_model_id())

    def __enter__(self) -> Self:
        """Use the model for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Go back to the model that was active before."""
        make_active(self._before)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Make a logged model the active one of this thread: metrics that name no model are about this one.

    Args:
        name: Its name in the experiment in force; of several the newest is taken, and where there is none, one whose
            files are elsewhere is created.
        model_id: Its id, instead of the name or beside it.

    Returns:
        The model; in a ``with`` statement it is active for the block.

    Raises:
        InvalidInput: Neither is given, or the model of that id has another name.
        NotFound: There is no model of that id.
    """
    if name is None and model_id is None:
        raise InvalidInput("set_active_model takes a name or a model_id.")
    model = _named(str(name)) if model_id is None else get_logged_model(model_id)
    if name is not None and model.name != name:
        raise InvalidInput(f"The logged model {model_id} is named {model.name!r}, not {name!r}.")
    active = ActiveModel(model)
    make_active(model.model_id)
    return active


def get_active_model_id() -> str | None:
    """The id of the active model of this thread, or None."""
    return active_model_id()


def clear_active_model() -> None:
    """Let no model be active in this thread."""
    make_active(None)


def note_made(model_id: str, uri: str) -> None:
    """Remember a model as the one that was made last, at a tracking URI."""
    global _latest  # noqa: PLW0603 - the one place that remembers it
    _latest = model_id, uri


def forget_models() -> None:
    """Be as if the process had just started: no model is active in this thread, none was made."""
    global _latest  # noqa: PLW0603 - as above
    _latest = None
    make_active(None)


# --- where models go -----------------------------------------------------------------------------------------


def client_here() -> Client:
    """A client for where the active run is tracked, since its models belong there; without one the place in force."""
    return Client(_uri())


def origin(source_run_id: str | None, experiment_id: str | None) -> tuple[str | None, str]:
    """The run that makes a model, and the experiment it goes into."""
    run = active_or_none()
    source = source_run_id or (run.run_id if run else None)
    if experiment_id is not None:
        return source, experiment_id
    if run is None:
        return source, active_experiment_id()
    return source, Client(run.uri).get_run(run.run_id).info.experiment_id


# --- steps ----------------------------------------------------------------------------------------------------


def _uri() -> str:
    run = active_or_none()
    return places.get_tracking_uri() if run is None else run.uri


def _named(name: str) -> LoggedModel:
    _, experiment = origin(None, None)
    # Names hold no quotes, and one that does is the name of no model.
    found = client_here().search_logged_models(experiment, f"name = '{check_model_name(name)}'", max_results=2)
    if len(found) > 1:
        warnings.warn(f"Several logged models are named {name!r}: the newest is taken.", stacklevel=3)
    return found[0] if found else create_external_model(name)


def _pandas() -> Any:
    return frames.pandas("search_logged_models returns a pandas DataFrame", "use output_format='list'")


def _frame(models: Sequence[LoggedModel]) -> Any:
    """One row a model, with the columns that MLflow gives."""
    rows = [{**model.to_dictionary(), "metrics": list(model.metrics)} for model in models]
    columns = sorted(LoggedModel.__dataclass_fields__)
    return _pandas().DataFrame([{name: row[name] for name in columns} for row in rows], columns=columns)
