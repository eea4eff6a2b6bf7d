"""The tracking store behind a server."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.errors import AlreadyExists
from dovetail.tracking.answering import Answering
from dovetail.tracking.store import TrackingStore
from dovetail.wire.calls import TRACKING
from dovetail_http.artifact_places import place_at
from dovetail_http.asking import asked
from dovetail_http.attempts import Attempts
from dovetail_http.meant import note
from dovetail_http.server import greeting, server_at
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from dovetail.values import LoggedModel, NewLoggedModel, NewRun, Run
    from dovetail.wire.calls import Call

__all__ = ["HttpTracking", "NativeTracking", "RemoteTracking"]


class RemoteTracking(TrackingStore):
    """A tracking store whose methods are all the same to it: each is a call of ``dovetail.wire.calls.TRACKING``.

    Args:
        transport: The way to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self.uri = transport.uri
        self._transport = transport

    @abstractmethod
    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Do what a method does.

        Args:
            call: The method.
            args: Its arguments.
            options: Those that are named.
        """

    def artifact_place(self, location: str) -> str:
        """What the server says to be at itself, as places on it."""
        return place_at(self._transport.address, location)

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    create_experiment = asked(TRACKING["create_experiment"])
    get_experiment = asked(TRACKING["get_experiment"])
    get_experiment_by_name = asked(TRACKING["get_experiment_by_name"])
    search_experiments = asked(TRACKING["search_experiments"])
    rename_experiment = asked(TRACKING["rename_experiment"])
    delete_experiment = asked(TRACKING["delete_experiment"])
    restore_experiment = asked(TRACKING["restore_experiment"])
    set_experiment_tags = asked(TRACKING["set_experiment_tags"])
    delete_experiment_tag = asked(TRACKING["delete_experiment_tag"])

    create_run = asked(TRACKING["create_run"])
    get_run = asked(TRACKING["get_run"])
    update_run = asked(TRACKING["update_run"])
    delete_run = asked(TRACKING["delete_run"])
    restore_run = asked(TRACKING["restore_run"])
    search_runs = asked(TRACKING["search_runs"])
    search_run_rows = asked(TRACKING["search_run_rows"])
    count_runs = asked(TRACKING["count_runs"])
    search_datasets = asked(TRACKING["search_datasets"])
    move_run = asked(TRACKING["move_run"])

    log_batch = asked(TRACKING["log_batch"])
    log_batches = asked(TRACKING["log_batches"])
    delete_tag = asked(TRACKING["delete_tag"])
    log_inputs = asked(TRACKING["log_inputs"])
    log_outputs = asked(TRACKING["log_outputs"])
    applied = asked(TRACKING["applied"])
    get_metric_history = asked(TRACKING["get_metric_history"])
    get_metric_series = asked(TRACKING["get_metric_series"])
    drop_points = asked(TRACKING["drop_points"])

    create_logged_model = asked(TRACKING["create_logged_model"])
    get_logged_model = asked(TRACKING["get_logged_model"])
    update_logged_model = asked(TRACKING["update_logged_model"])
    delete_logged_model_tag = asked(TRACKING["delete_logged_model_tag"])
    delete_logged_model = asked(TRACKING["delete_logged_model"])
    restore_logged_model = asked(TRACKING["restore_logged_model"])
    search_logged_models = asked(TRACKING["search_logged_models"])

    beat = asked(TRACKING["beat"])
    reap_runs = asked(TRACKING["reap_runs"])
    discarded = asked(TRACKING["discarded"])
    condemn = asked(TRACKING["condemn"])
    purge = asked(TRACKING["purge"])
    compact = asked(TRACKING["compact"])


class NativeTracking(RemoteTracking):
    """The tracking store behind a server of dovetail's own."""

    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Have the server do it."""
        return self._carried_out(call, call.dump_arguments(*args, **options), Attempts(call.again))

    def create_run(self, run: NewRun) -> Run:
        """As the interface says; may be tried again, since the run's id was made here."""
        attempts = Attempts(again=True)
        created: Run
        try:
            created = self._carried_out(_CREATE_RUN, _CREATE_RUN.dump_arguments(run), attempts)
        except AlreadyExists:
            if not attempts.doubtful:
                raise
            created = self.get_run(run.run_id)
            if (created.info.start_time, created.info.user_id) != (run.start_time, run.user_id):
                raise
        return created

    def create_logged_model(self, model: NewLoggedModel) -> LoggedModel:
        """As the interface says; may be tried again, since the model's id was made here."""
        attempts = Attempts(again=True)
        created: LoggedModel
        try:
            created = self._carried_out(_CREATE_MODEL, _CREATE_MODEL.dump_arguments(model), attempts)
        except AlreadyExists:
            if not attempts.doubtful:
                raise
            created = self.get_logged_model(model.model_id)
            if created.creation_timestamp != model.creation_timestamp:
                raise
        return created

    def _carried_out(self, call: Call, arguments: dict[str, Any], attempts: Attempts) -> Any:
        return call.read_answer(self._transport.call("POST", call.path, arguments, attempts=attempts))


_CREATE_RUN, _CREATE_MODEL = TRACKING["create_run"], TRACKING["create_logged_model"]


class HttpTracking(RemoteTracking, Answering):
    """The tracking store behind a server that is asked what it is when the store is first used.

    Args:
        uri: Where the server is.

    Raises:
        InvalidUri: It has no such form.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(Transport(uri))
        note(self._transport.address)
        self._chosen: TrackingStore | None = None

    @property
    def chosen(self) -> TrackingStore:
        """The store that speaks as the server does.

        Raises:
            DovetailError: It cannot be reached, or does not let us in.
        """
        if self._chosen is None:
            self._chosen = _speaking(self._transport)
        return self._chosen

    def answered_by(self) -> str:
        """The server's name and version, and how soon it answers."""
        return greeting(self._transport)

    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Have the store do it that speaks as the server does."""
        return getattr(self.chosen, call.name)(*args, **options)


def _speaking(transport: Transport) -> TrackingStore:
    if server_at(transport).native:
        return NativeTracking(transport)
    from dovetail_http.mlflow_tracking import MlflowTracking

    return MlflowTracking(transport)
