"""Whether and how metrics of the machine are logged with runs; the plugin ``dovetail-system-metrics`` does it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from dovetail import plugins, settings
from dovetail.errors import InvalidInput, PluginMissing
from dovetail.tracking.choice import Choice
from dovetail.values.names import check_key

__all__ = [
    "Sampling",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "forget_system_metrics",
    "plan",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "take",
    "wanted",
]

PLUGIN = "system-metrics"

_enabled = Choice("enable_system_metrics_logging")
_interval = Choice("system_metrics_sampling_interval")
_samples = Choice("system_metrics_samples_before_logging")
_node_id = Choice("system_metrics_node_id")
_plans: dict[str, Sampling] = {}
_said_missing = False


@dataclass(frozen=True)
class Sampling:
    """How the machine is looked at while a run lasts.

    Args:
        interval: Seconds from one look to the next.
        samples: How many looks become one point, their mean.
        node_id: What the names of the metrics tell this machine by; None where one machine logs to the run.

    Raises:
        InvalidInput: The interval is not a time that can be waited, the samples are no count, or the node id could not
            stand in the name of a metric.
    """

    interval: float = 10.0
    samples: int = 1
    node_id: str | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.interval, (int, float)) and not isinstance(self.interval, bool)
        if not number or not 0 < self.interval <= threading.TIMEOUT_MAX:
            raise InvalidInput(f"The sampling interval must be seconds above 0, not {self.interval!r}.")
        if not isinstance(self.samples, int) or isinstance(self.samples, bool) or self.samples < 1:
            raise InvalidInput(f"The samples before logging must be a whole number above 0, not {self.samples!r}.")
        if self.node_id is not None:
            check_key("metric", f"{self.prefix}cpu_utilization_percentage")

    @property
    def prefix(self) -> str:
        """What the names of the metrics begin with."""
        return "system/" if self.node_id is None else f"system/{self.node_id}/"


# --- verbs ----------------------------------------------------------------------------------------------------


def enable_system_metrics_logging() -> None:
    """Log metrics of the machine with each run from now on; processes that this one starts do so, too.

    Raises:
        PluginMissing: ``dovetail-system-metrics`` is not installed, or kept out.
    """
    _require_plugin()
    _enabled.make("true")


def disable_system_metrics_logging() -> None:
    """Log no metrics of the machine with runs from now on; those of runs that are active go on."""
    _enabled.make("false")


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Set how often the machine is looked at, for runs from now on.

    Args:
        interval: Seconds, 10 by default; None goes back to the settings.

    Raises:
        InvalidInput: It is not above 0.
    """
    _choose(_interval, None if interval is None else str(Sampling(interval=interval).interval))


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Set how many looks at the machine become one point, for runs from now on.

    Args:
        samples: A count, 1 by default; None goes back to the settings.

    Raises:
        InvalidInput: It is no whole number above 0.
    """
    _choose(_samples, None if samples is None else str(Sampling(samples=samples).samples))


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine in its metrics, as in ``system/<node id>/…``, for runs from now on.

    Args:
        node_id: Such as a rank, where several machines log to one run; None goes back to the settings.

    Raises:
        InvalidName: It could not stand in the name of a metric.
    """
    text = None if node_id is None else str(node_id)
    _choose(_node_id, Sampling(node_id=text).node_id)


# --- what runs and the plugin ask -----------------------------------------------------------------------------


def wanted(argument: bool | None) -> Sampling | None:
    """How the machine is to be looked at for a run that is about to start; None if it is not.

    Args:
        argument: What ``start_run`` was given; None leaves it to verbs and settings.

    Raises:
        PluginMissing: It was asked for by argument, and the plugin is not there. A setting, which may be meant for
            many machines, ends no training: that is warned about, once.
    """
    if not settings.get("enable_system_metrics_logging", argument):
        return None
    if argument:
        _require_plugin()
    elif not _is_installed():
        _warn()
        return None
    return Sampling(
        settings.get("system_metrics_sampling_interval"),
        settings.get("system_metrics_samples_before_logging"),
        settings.get("system_metrics_node_id"),
    )


def plan(run_id: str, sampling: Sampling | None) -> None:
    """Keep for the plugin how a run that starts is to be sampled."""
    if sampling is not None:
        _plans[run_id] = sampling


def take(run_id: str) -> Sampling | None:
    """How the run that just started is to be sampled: for the plugin, which asks once a start; None if it is not."""
    return _plans.pop(run_id, None)


def forget_system_metrics() -> None:
    """Be as if the process had just started: nothing was chosen, nothing was said."""
    global _said_missing  # noqa: PLW0603 - the module's state
    for choice in (_enabled, _interval, _samples, _node_id):
        choice.drop()
    _plans.clear()
    _said_missing = False


# --- steps ----------------------------------------------------------------------------------------------------


def _choose(choice: Choice, text: str | None) -> None:
    if text is None:
        choice.drop()
    else:
        choice.make(text)


def _is_installed() -> bool:
    named = (point for point in plugins.installed() if (point.group, point.name) == (plugins.BROADCAST, PLUGIN))
    return any(not plugins.blocked(point) for point in named)


def _require_plugin() -> None:
    if not _is_installed():
        raise PluginMissing("Metrics of the machine are logged by a plugin that is not here.", hint=_hint())


def _warn() -> None:
    global _said_missing  # noqa: PLW0603 - said once a process
    if not _said_missing:
        _said_missing = True
        import warnings

        place = settings.origin("enable_system_metrics_logging")
        warnings.warn(
            f"No metrics of the machine are logged, though {place} asks for them: their plugin is not here. {_hint()}",
            stacklevel=4,
        )


def _hint() -> str:
    if any((point.group, point.name) == (plugins.BROADCAST, PLUGIN) for point in plugins.installed()):
        return f"DOVETAIL_PLUGINS_ALLOW or DOVETAIL_PLUGINS_BLOCK keeps dovetail-{PLUGIN} out."
    from dovetail.install_hint import how_to_install

    return how_to_install(f"dovetail-{PLUGIN}")
