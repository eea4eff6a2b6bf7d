"""dovetail: experiment tracking, projects and models as a small core with sockets.

Everything here is loaded when it is first used: importing the package costs a few milliseconds.
``import dovetail as mlflow`` is the only line an ordinary MLflow script has to change.
"""

import sys

__version__ = "0.1.0"

# Public name -> module that defines it.
_HOMES = {
    "dovetail.hookspecs": ("hookimpl",),
    "dovetail.errors": ("DovetailError", "MlflowException"),
    "dovetail.values": ("Experiment", "Metric", "Param", "Run", "Tag", "ViewType"),
    "dovetail.tracking.client": ("Client", "MlflowClient"),
    "dovetail.tracking.places": (
        "get_registry_uri",
        "get_tracking_uri",
        "is_tracking_uri_set",
        "set_registry_uri",
        "set_tracking_uri",
        "flush_async_logging",
    ),
    "dovetail.tracking.operations": ("flush_artifact_async_logging",),
    "dovetail.tracking.experiments": (
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "get_experiment",
        "get_experiment_by_name",
        "restore_experiment",
        "search_experiments",
        "set_experiment",
        "set_experiment_tag",
        "set_experiment_tags",
    ),
    "dovetail.tracking.runs": (
        "ActiveRun",
        "active_run",
        "delete_run",
        "end_run",
        "get_parent_run",
        "get_run",
        "last_active_run",
        "restore_run",
        "start_run",
    ),
    "dovetail.tracking.measures": (
        "delete_tag",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "set_tag",
        "set_tags",
    ),
    "dovetail.tracking.checkpoints": ("import_checkpoints",),
    "dovetail.tracking.inputs": ("log_input", "log_inputs", "log_outputs"),
    "dovetail.tracking.logged_models": (
        "ActiveModel",
        "clear_active_model",
        "create_external_model",
        "delete_logged_model_tag",
        "finalize_logged_model",
        "get_active_model_id",
        "get_logged_model",
        "initialize_logged_model",
        "last_logged_model",
        "log_model_params",
        "search_logged_models",
        "set_active_model",
        "set_logged_model_tags",
    ),
    "dovetail.tracking.artifacts": (
        "get_artifact_uri",
        "load_table",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_stream",
        "log_table",
        "log_text",
    ),
    "dovetail.tracking.histories": ("metric_history_arrays", "sampled_metric_history"),
    "dovetail.tracking.images": ("Image",),
    "dovetail.tracking.search": ("search_runs",),
    "dovetail.tracking.system_metrics": (
        "disable_system_metrics_logging",
        "enable_system_metrics_logging",
        "set_system_metrics_node_id",
        "set_system_metrics_samples_before_logging",
        "set_system_metrics_sampling_interval",
    ),
    "dovetail.tracking.housekeeping": ("collect_garbage",),
    "dovetail.tracking.moving": ("move_runs",),
    "dovetail.tracking.syncing": ("sync",),
    "dovetail.tracking.importing": ("import_mlflow",),
    "dovetail.registry.models": (
        "register_model",
        "search_model_versions",
        "search_registered_models",
        "set_model_version_tag",
    ),
    "dovetail.models.saving": ("log_model",),
    "dovetail.projects.launch": ("run",),
    "dovetail.diagnosis": ("doctor",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = (
    "artifacts",
    "cli",
    "client",
    "concealment",
    "config",
    "data",
    "datasets",
    "diagnosis",
    "documents",
    "durations",
    "entities",
    "entrypoints",
    "environments",
    "errors",
    "exceptions",
    "folders",
    "hookspecs",
    "inspection",
    "install_hint",
    "interrupts",
    "lazy",
    "locations",
    "models",
    "plugins",
    "posix",
    "projects",
    "registry",
    "setting_files",
    "setting_table",
    "settings",
    "system_metrics",
    "testing",
    "tracking",
    "types",
    "uris",
    "utils",
    "values",
    "wire",
)

__all__ = sorted([*_HOME, "__version__"])  # noqa: PLE0605 - what type checkers see stands in __init__.pyi


def __getattr__(name):  # noqa: ANN001, ANN202 - typed in __init__.pyi; importing typing would cost more than all of this
    """Load a public name, a subpackage, or the façade of an installed flavor, at its first use."""
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _SUBMODULES:
        value = import_module(f"dovetail.{name}")
    elif name.startswith("_"):
        raise AttributeError(f"module 'dovetail' has no attribute {name!r}")
    else:
        value = import_module("dovetail.models.facade").flavor_facade(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, subpackages and installed flavors."""
    from importlib import import_module

    return sorted({*globals(), *__all__, *_SUBMODULES, *import_module("dovetail.plugins").offers("flavors")})


class _Facades:
    """Lets import statements find ``dovetail.<flavor>``; asked only when no module of dovetail has the name."""

    @staticmethod
    def find_spec(name, path=None, target=None):  # noqa: ANN001, ANN205 - as above
        del path, target
        if not name.startswith("dovetail."):
            return None
        from importlib import import_module

        return import_module("dovetail.models.importing").spec_of(name)


# Loading the package anew (notebooks do) must not leave two of them.
sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__qualname__", "") != "_Facades"]
sys.meta_path.append(_Facades)
