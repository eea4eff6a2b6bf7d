"""The table of every setting; where a value comes from is decided in ``settings``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ALL", "Setting"]


@dataclass(frozen=True)
class Setting:
    """One thing a user can set.

    Args:
        name: Its key in ``dovetail.toml``.
        kind: ``str``, ``secret`` (text that no message shows), ``bool``, ``float``, ``count`` (a whole number of at
            least 1), ``list`` (comma-separated in the environment), ``word`` (one of ``words``), ``duration`` (seconds;
            written as ``durations`` says) or ``location``: a URI or path, which in a file is relative to that file's
            folder, elsewhere to the working folder.
        default: What holds when nobody sets it.
        text: One sentence for people.
        twin: MLflow's variable for the same thing, read when ours is not set.
        words: What it may be, if it is a word of a few.
    """

    name: str
    kind: str
    default: Any
    text: str
    twin: str | None = None
    words: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"DOVETAIL_{self.name.upper()}"


ALL = (
    Setting(
        "tracking_uri",
        "location",
        None,
        "Where runs are tracked; by default ./dovetail.db.",
        twin="MLFLOW_TRACKING_URI",
    ),
    Setting(
        "registry_uri",
        "location",
        None,
        "Where models are registered; by default where runs are tracked.",
        twin="MLFLOW_REGISTRY_URI",
    ),
    Setting(
        "artifact_root",
        "location",
        None,
        "Where new experiments keep artifacts; by default dovetail-artifacts beside the store.",
    ),
    Setting("run_id", "str", None, "The run that start_run() takes up.", twin="MLFLOW_RUN_ID"),
    Setting("experiment_id", "str", None, "The experiment that new runs go into.", twin="MLFLOW_EXPERIMENT_ID"),
    Setting("experiment_name", "str", None, "The same by name; created if absent.", twin="MLFLOW_EXPERIMENT_NAME"),
    Setting(
        "truncate_long_values",
        "bool",
        True,
        "Cut over-long param and tag values with a warning instead of refusing them.",
        twin="MLFLOW_TRUNCATE_LONG_VALUES",
    ),
    Setting(
        "allow_ended_runs",
        "bool",
        False,
        "Accept metrics and params for a run that has ended instead of refusing them.",
    ),
    Setting("env_manager", "str", None, "Environment manager for projects and models; by default uv if installed."),
    Setting("env_dir", "location", None, "Where cached environments lie; by default the user's cache folder."),
    Setting(
        "install_python",
        "bool",
        False,
        "Let pyenv or uv install a Python that a project or model asks for and that is not on this machine.",
    ),
    Setting("state_dir", "location", None, "Where logs of launched runs lie; by default the user's state folder."),
    Setting(
        "artifacts_progress",
        "bool",
        True,
        "Show long uploads and downloads of artifacts as bars on the terminal.",
        twin="MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
    ),
    Setting(
        "retention",
        "duration",
        0.0,
        "How long what is deleted stays in the bin before `dovetail gc` takes it away for good, such as 30d.",
    ),
    Setting(
        "mode",
        "word",
        "online",
        "What becomes of what is logged: sent (online), kept here for dovetail sync (offline), or dropped (disabled).",
        words=("online", "offline", "disabled"),
    ),
    Setting("journal_dir", "location", None, "Where logs wait for stores elsewhere; by default in state_dir."),
    Setting(
        "durability",
        "word",
        "process",
        "What a log call survives when it returns: the end of the process, or a power cut, which takes longer.",
        words=("process", "power"),
    ),
    Setting(
        "on_error",
        "word",
        "raise",
        "What a log call does that nothing can be kept of, as on a full disk: raise, or warn and go on.",
        words=("raise", "warn"),
    ),
    Setting(
        "async_logging",
        "bool",
        False,
        "Let log calls answer with something to wait for, as MLflow's asynchronous ones do.",
        twin="MLFLOW_ENABLE_ASYNC_LOGGING",
    ),
    Setting("log_output", "bool", False, "Keep what each run prints, as its artifact logs/output.log."),
    Setting("log_environment", "bool", False, "Keep packages, command and uncommitted changes with each run."),
    Setting("heartbeat_interval", "float", 10.0, "Seconds between signs of life of active runs; 0 gives none."),
    Setting(
        "drain_timeout",
        "float",
        5.0,
        "Seconds that calls wait until a store that is away has what was logged: artifacts, reads, ends of runs.",
    ),
    Setting(
        "enable_system_metrics_logging",
        "bool",
        False,
        "Log metrics of the machine with each run; takes the plugin dovetail-system-metrics.",
        twin="MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
    ),
    Setting(
        "system_metrics_sampling_interval",
        "float",
        10.0,
        "Seconds between two looks at the machine.",
        twin="MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
    ),
    Setting(
        "system_metrics_samples_before_logging",
        "count",
        1,
        "How many looks at the machine become one point, their mean.",
        twin="MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
    ),
    Setting(
        "system_metrics_node_id",
        "str",
        None,
        "What metrics of this machine have in their names, where several machines log to one run.",
        twin="MLFLOW_SYSTEM_METRICS_NODE_ID",
    ),
    Setting(
        "tracking_username",
        "str",
        None,
        "The user that tracking servers are told, with tracking_password.",
        twin="MLFLOW_TRACKING_USERNAME",
    ),
    Setting(
        "tracking_password",
        "secret",
        None,
        "The password of that user; better in the environment than in a file that others read.",
        twin="MLFLOW_TRACKING_PASSWORD",
    ),
    Setting(
        "tracking_token",
        "secret",
        None,
        "The bearer's token that tracking servers are told where there is no user.",
        twin="MLFLOW_TRACKING_TOKEN",
    ),
    Setting(
        "tracking_insecure_tls",
        "bool",
        False,
        "Talk to tracking servers without looking at their certificates: whoever is in between can read along.",
        twin="MLFLOW_TRACKING_INSECURE_TLS",
    ),
    Setting(
        "tracking_server_cert_path",
        "location",
        None,
        "The certificates that tracking servers are trusted by; by default the system's.",
        twin="MLFLOW_TRACKING_SERVER_CERT_PATH",
    ),
    Setting(
        "tracking_client_cert_path",
        "location",
        None,
        "The certificate and key that tracking servers know this user by, in one PEM file.",
        twin="MLFLOW_TRACKING_CLIENT_CERT_PATH",
    ),
    Setting(
        "http_request_timeout",
        "float",
        120.0,
        "Seconds to wait for the answer of a tracking server; 0 for as long as it takes.",
        twin="MLFLOW_HTTP_REQUEST_TIMEOUT",
    ),
    Setting(
        "http_retry_seconds",
        "float",
        10.0,
        "Seconds for which a request is tried again at a tracking server that is away or busy; 0 for once.",
    ),
    Setting("busy_timeout", "float", 60.0, "Seconds to wait for a database that another process is writing to."),
    Setting("dotenv", "bool", True, "Read settings from .env files."),
    Setting("plugins_allow", "list", None, "Only these plugins (distributions or keys) may load."),
    Setting("plugins_block", "list", (), "These plugins (distributions or keys) may not load."),
    Setting("trace_hooks", "bool", False, "Print every hook call and its answer to standard error."),
)
