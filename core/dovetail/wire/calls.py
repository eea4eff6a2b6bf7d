"""The methods of the store interfaces as calls: what a client asks a server of dovetail's own for.

One table a seam. It says of each method what it does to which kind of thing, and whether doing it twice is the same as
doing it once; names, types and defaults of its arguments and what it answers are read from the interface itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidFilter, InvalidInput
from dovetail.registry.store import RegistryStore
from dovetail.tracking.store import TrackingStore
from dovetail.wire.codec import codec_of, decode, encode, hints_of, read

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BASE", "LOCAL", "REGISTRY", "TRACKING", "Call"]

BASE = "/api/dovetail/1"
"""Where calls are answered: ``<base>/tracking/<method>`` and ``<base>/registry/<method>``."""

LOCAL = ("artifact_place", "at_once", "catch_up", "close")
"""Methods that only concern the process that has the store open."""

_SEARCH = frozenset({"columns", "datasets", "filter_string", "order_by", "page_token"})
"""What searches are made of."""


@dataclass(frozen=True)
class Call:
    """A method of a store, as it is asked for from afar.

    Arguments travel as an object by their names; those at their default are left out. So does the answer, as
    ``{"answer": …}``, an empty object for None.

    Args:
        name: The method's name.
        action: ``read``, ``create``, ``update`` or ``delete``.
        resource: What it does that to: ``experiment``, ``run``, ``logged_model``, ``registered_model``,
            ``model_version``, or ``server`` for everything in it.
        about: The argument, or a field of one, that names the resource; empty where none does.
        again: Whether doing it twice is the same as doing it once.
        interface: The class whose method it is.
        seam: ``tracking`` or ``registry``.
    """

    name: str
    action: str
    resource: str
    about: str
    again: bool
    interface: type
    seam: str

    @property
    def path(self) -> str:
        """Where it is answered."""
        return f"{BASE}/{self.seam}/{self.name}"

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self._method) or "").partition("\n")[0]

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The arguments, by their names."""
        found = dict(inspect.signature(self._method).parameters)
        del found["self"]
        return found

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """The declared types of the arguments, and of the answer as ``return``."""
        return hints_of(self._method)

    @cached_property
    def _method(self) -> Any:
        return getattr(self.interface, self.name)

    @cached_property
    def _in_order(self) -> tuple[str, ...]:
        """The arguments that need not be named."""
        return tuple(name for name, each in self.parameters.items() if each.kind is not each.KEYWORD_ONLY)

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, each in self.parameters.items() if each.default is each.empty)

    def _bound(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
        given = {**dict(zip(self._in_order, args, strict=False)), **options}
        known = len(given) == len(args) + len(options) and given.keys() <= self.parameters.keys()
        if not known or not self._required <= given.keys():
            # Raises what Python itself would have, and takes its time.
            inspect.Signature(list(self.parameters.values())).bind(*args, **options)
        return given

    # --- what a client does ----------------------------------------------------------------------------------

    def dump_arguments(self, *args: Any, **options: Any) -> dict[str, Any]:
        """The arguments of a call as data, those at their default left out.

        Raises:
            InvalidInput: One of them is not what the interface declares.
            TypeError: The method takes no such arguments.
        """
        parameters, hints = self.parameters, self.hints
        return {
            name: encode(value, hints[name])
            for name, value in self._bound(args, options).items()
            if value is not parameters[name].default
        }

    def read_answer(self, data: Any) -> Any:
        """What the server answers.

        Raises:
            StoreError: It is not what the interface declares.
        """
        return read(data.get("answer") if isinstance(data, dict) else data, self.hints["return"], "The server's answer")

    # --- what a server does ----------------------------------------------------------------------------------

    def load_argument(self, name: str, data: Any) -> Any:
        """The checked value of an argument.

        Raises:
            InvalidInput: It is not what the interface declares; what a search is made of is an ``InvalidFilter``.
        """
        refusal = InvalidFilter if name in _SEARCH else InvalidInput
        return decode(data, self.hints[name], f"The argument {name}", refusal)

    def require_arguments(self, data: Mapping[str, Any]) -> None:
        """See to it that the arguments are those of the method, whatever they hold.

        Raises:
            InvalidInput: One is unknown or missing.
        """
        if not data.keys() <= self.parameters.keys():
            raise InvalidInput(f"{self.name} has no argument {min(data.keys() - self.parameters.keys())!r:.80}.")
        if not self._required <= data.keys():
            raise InvalidInput(f"{self.name} needs the argument {min(self._required - data.keys())!r}.")

    def load_arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The checked arguments of a call, by their names.

        Raises:
            InvalidInput: One is unknown, missing, or not what the interface declares.
        """
        self.require_arguments(data)
        return {name: self.load_argument(name, each) for name, each in data.items()}

    def dump_answer(self, value: Any) -> dict[str, Any]:
        """An answer as data."""
        return {} if value is None else {"answer": codec_of(self.hints["return"]).dump(value)}

    def subjects(self, arguments: Mapping[str, Any]) -> list[str]:
        """The names of what the call is about: ids or names of resources of its kind, as far as it gives any.

        Args:
            arguments: Checked arguments, by their names.
        """
        if not self.about:
            return []
        name, *inner = self.about.split(".")
        found = _members(arguments.get(name))
        for field in inner:
            found = [getattr(each, field) for each in found]
        return [str(each) for each in found]


def _members(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _table(interface: type, seam: str, *rows: tuple[str, str, str, str, bool]) -> dict[str, Call]:
    return {row[0]: Call(*row, interface, seam) for row in rows}


# What is made within an experiment changes the experiment, and taking out of the bin is for those who may put in there:
# as with MLflow's calls.
# Whether a call may be repeated that nobody knows the outcome of: reads, and what leaves no other state and gives no
# other answer the second time. Of `drop_points` that would be so, but for points that were logged in between.
TRACKING = _table(
    TrackingStore,
    "tracking",
    ("create_experiment", "create", "experiment", "name", False),
    ("get_experiment", "read", "experiment", "experiment_id", True),
    ("get_experiment_by_name", "read", "experiment", "name", True),
    ("search_experiments", "read", "experiment", "", True),
    ("rename_experiment", "update", "experiment", "experiment_id", False),
    ("delete_experiment", "delete", "experiment", "experiment_id", False),
    ("restore_experiment", "delete", "experiment", "experiment_id", False),
    ("set_experiment_tags", "update", "experiment", "experiment_id", True),
    ("delete_experiment_tag", "update", "experiment", "experiment_id", False),
    ("create_run", "update", "experiment", "run.experiment_id", False),
    ("get_run", "read", "run", "run_id", True),
    ("update_run", "update", "run", "run_id", True),
    ("delete_run", "delete", "run", "run_id", True),
    ("restore_run", "delete", "run", "run_id", True),
    ("search_runs", "read", "experiment", "experiment_ids", True),
    ("search_run_rows", "read", "experiment", "experiment_ids", True),
    ("count_runs", "read", "experiment", "experiment_ids", True),
    ("search_datasets", "read", "experiment", "experiment_ids", True),
    ("move_run", "update", "run", "run_id", True),
    ("log_batch", "update", "run", "run_id", True),
    ("log_batches", "update", "run", "entries.run_id", True),
    ("delete_tag", "update", "run", "run_id", False),
    ("log_inputs", "update", "run", "run_id", True),
    ("log_outputs", "update", "run", "run_id", True),
    ("applied", "read", "run", "", True),
    ("get_metric_history", "read", "run", "run_id", True),
    ("get_metric_series", "read", "run", "run_ids", True),
    ("drop_points", "update", "run", "run_id", False),
    ("create_logged_model", "update", "experiment", "model.experiment_id", False),
    ("get_logged_model", "read", "logged_model", "model_id", True),
    ("update_logged_model", "update", "logged_model", "model_id", True),
    ("delete_logged_model_tag", "update", "logged_model", "model_id", False),
    ("delete_logged_model", "delete", "logged_model", "model_id", False),
    ("restore_logged_model", "delete", "logged_model", "model_id", True),
    ("search_logged_models", "read", "experiment", "experiment_ids", True),
    ("beat", "update", "run", "", True),
    ("reap_runs", "update", "run", "", False),
    ("discarded", "read", "server", "", True),
    ("condemn", "delete", "server", "", True),
    ("purge", "delete", "server", "", False),
    ("compact", "delete", "server", "", False),
)
"""What can be asked of a tracking store."""

REGISTRY = _table(
    RegistryStore,
    "registry",
    ("create_registered_model", "create", "registered_model", "name", False),
    ("get_registered_model", "read", "registered_model", "name", True),
    ("update_registered_model", "update", "registered_model", "name", False),
    ("delete_registered_model", "delete", "registered_model", "name", False),
    ("set_registered_model_tags", "update", "registered_model", "name", True),
    ("delete_registered_model_tag", "update", "registered_model", "name", True),
    ("search_registered_models", "read", "registered_model", "", True),
    ("create_model_version", "create", "model_version", "version.name", False),
    ("get_model_version", "read", "model_version", "name", True),
    ("update_model_version", "update", "model_version", "name", True),
    ("delete_model_version", "delete", "model_version", "name", False),
    ("set_model_version_tags", "update", "model_version", "name", True),
    ("delete_model_version_tag", "update", "model_version", "name", True),
    ("search_model_versions", "read", "model_version", "", True),
    ("move_alias", "update", "registered_model", "name", False),
    ("transition_stage", "update", "model_version", "name", False),
    ("get_history", "read", "registered_model", "name", True),
)
"""What can be asked of a model registry."""
