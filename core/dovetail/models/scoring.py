"""Predicting with a model in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.environments import wheelhouse
from dovetail.environments.choice import default_manager
from dovetail.environments.choice import env_manager as manager
from dovetail.environments.pythons import with_python
from dovetail.environments.spec import read_python_env, requirement_name
from dovetail.errors import DovetailError, InvalidInput, InvalidModel, NotFound
from dovetail.models.flavors import flavor_saved
from dovetail.models.loading import fetch_model
from dovetail.models.manifest import Manifest, inside
from dovetail.posix import inherited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.environments.manager import Environment, Progress
    from dovetail.environments.spec import EnvSpec

__all__ = ["input_file", "job_for", "predict", "prepare_env"]

_HERE = Path(__file__).parent
# The worker and the flavor's runtime take their place in a model's environment.
_MLFLOW = {"mlflow", "mlflow-skinny"}
# Managers that install nothing.
_AS_THEY_ARE = {"local", "system"}


def predict(
    model_uri: str | os.PathLike[str],
    input_data: Any = None,
    input_path: str | os.PathLike[str] | None = None,
    content_type: str | None = None,
    output_path: str | os.PathLike[str] | None = None,
    env_manager: str | None = None,
    pip_requirements_override: Sequence[str] | None = None,
    extra_envs: Mapping[str, str] | None = None,
    *,
    python: str | None = None,
    install_python: bool | None = None,
    trust: str = "own",
    progress: Progress | None = None,
) -> str:
    """Predict in the model's own environment, as a process of its own.

    Args:
        model_uri: As for ``fetch_model``.
        input_data: A DataFrame, array, list, dict or JSON text; instead of a file.
        input_path: A CSV or JSON file.
        content_type: ``csv`` or ``json``; by default by the file's ending, else ``json``.
        output_path: Where the answer goes as well.
        env_manager: ``uv``, ``virtualenv``, ``local`` …; by default the setting's.
        pip_requirements_override: Requirement lines besides the model's own; they win.
        extra_envs: Environment variables for the process.
        python: The version of Python to take instead of the model's, such as ``3.11.7`` or ``3.11``.
        install_python: Whether pyenv or uv may install a Python that is not on this machine; by default the setting's.
        trust: As for ``fetch_model``.
        progress: Told about the steps of preparing the environment.

    Returns:
        The answer, ``{"predictions": …}`` as JSON.

    Raises:
        InvalidModel: The input does not fit, or the model failed on it.
        EnvironmentFailed: The environment cannot be prepared.
    """
    folder = fetch_model(model_uri, trust=trust)
    manifest = Manifest.read(folder)
    override = pip_requirements_override or ()
    with tempfile.TemporaryDirectory(prefix="dovetail-predict-") as scratch:
        # Before minutes are spent on an environment.
        source, kind = input_file(input_data, input_path, content_type, Path(scratch))
        environment = _prepared(folder, manifest, env_manager, override, python, install_python, progress or _quiet)
        job = job_for(folder, manifest, source, kind, Path(scratch) / "answer.json")
        _run(environment, job, extra_envs or {})
        answer = Path(job["output"]).read_text(encoding="utf-8").rstrip("\n")
    if output_path is not None:
        Path(output_path).write_text(answer + "\n", encoding="utf-8")
    return answer


def prepare_env(
    model_uri: str | os.PathLike[str],
    env_manager: str | None = None,
    pip_requirements_override: Sequence[str] | None = None,
    *,
    python: str | None = None,
    install_python: bool | None = None,
    trust: str = "own",
    progress: Progress | None = None,
) -> Environment:
    """Prepare the environment that ``predict`` uses for a model, so that predicting starts at once.

    Args:
        model_uri: As for ``fetch_model``.
        env_manager: As for ``predict``, as are the others.
        pip_requirements_override: Requirement lines besides the model's own; they win.
        python: The version of Python to take instead of the model's.
        install_python: Whether a Python that is not on this machine may be installed.
        trust: As for ``fetch_model``.
        progress: Told about the steps.

    Returns:
        The environment, new or found in the cache.

    Raises:
        EnvironmentFailed: It cannot be prepared.
    """
    folder = fetch_model(model_uri, trust=trust)
    override = pip_requirements_override or ()
    told = progress or _quiet
    return _prepared(folder, Manifest.read(folder), env_manager, override, python, install_python, told)


def _quiet(message: str) -> None:
    del message


def _prepared(
    folder: Path,
    manifest: Manifest,
    env_manager: str | None,
    override: Sequence[str],
    python: str | None,
    install_python: bool | None,
    progress: Progress,
) -> Environment:
    chosen = env_manager or default_manager()
    spec = _spec(folder, manifest, override)
    if chosen not in _AS_THEY_ARE:
        spec = spec.with_dependencies(*_unnamed(manifest, spec))
    maker = manager(chosen)
    return maker.prepare(wheelhouse.bind(with_python(spec, python, install_python, maker, progress)), progress)


def _spec(folder: Path, manifest: Manifest, override: Sequence[str]) -> EnvSpec:
    """The model's environment, without what the worker takes the place of, and with what the caller adds."""
    path = folder / "python_env.yaml"
    if not path.is_file():
        raise InvalidModel(
            f"{folder} has no python_env.yaml.", hint="Use --env-manager local to predict in this environment."
        )
    spec = read_python_env(path)
    replaced = {requirement_name(line) for line in override} - {""} | _MLFLOW
    kept = [line for line in spec.dependencies if requirement_name(line) not in replaced]
    return replace(spec, dependencies=(*kept, *_missing(manifest, spec, override), *override))


def _missing(manifest: Manifest, spec: EnvSpec, override: Sequence[str]) -> list[str]:
    """What predicting needs here beside what the model says."""
    named = {requirement_name(line) for line in (*spec.dependencies, *override)}
    flavor, _ = flavor_saved(manifest)
    needed = [] if flavor.runtime else ["dovetail-core", f"dovetail-{flavor.key}"]
    inputs = manifest.signature and manifest.signature.inputs
    # Models that relied on MLflow to bring the library their input is checked by.
    if inputs and named & _MLFLOW:
        needed.append("numpy" if inputs.is_tensor_spec() else "pandas")
    return [name for name in needed if name not in named]


def _unnamed(manifest: Manifest, spec: EnvSpec) -> list[str]:
    """What the flavor needs to load the model, where the author's own requirements do not name it."""
    named = {requirement_name(line) for line in spec.dependencies}
    flavor, _ = flavor_saved(manifest)
    return [name for name in flavor.requirements(None) if requirement_name(name) not in named]


def input_file(data: Any, path: str | os.PathLike[str] | None, kind: str | None, scratch: Path) -> tuple[Path, str]:
    """The input as a file, and its content type."""
    if (data is None) == (path is None):
        raise InvalidInput("Give the model either input_data or input_path.")
    if path is None:
        source = scratch / "input"
        source.write_text(data if isinstance(data, str) else _body(data), encoding="utf-8")
        return source, kind or "json"
    source = Path(path)
    if not source.is_file():
        raise NotFound(f"There is no input file {source}.")
    return source.resolve(), kind or ("csv" if source.suffix.lower() == ".csv" else "json")


def _body(data: Any) -> str:
    """The data as a JSON request body, in the form a table, an array or plain data has."""
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        return json.dumps({"dataframe_split": data.to_dict(orient="split", index=False)}, default=str)
    if isinstance(data, dict) and set(data) & {"dataframe_split", "dataframe_records", "instances", "inputs"}:
        return json.dumps(data)
    return json.dumps({"inputs": data.tolist() if hasattr(data, "tolist") else data}, default=str)


def job_for(folder: Path, manifest: Manifest, source: Path, kind: str, output: Path) -> dict[str, Any]:
    """What the worker is told."""
    flavor, conf = flavor_saved(manifest)
    code = [str(inside(folder, conf["code"], "code folder"))] if conf.get("code") else []
    return {
        "model": str(folder.resolve()),
        "conf": conf,
        "code": code,
        "signature": manifest.signature.to_dict() if manifest.signature else None,
        "runtime": str(flavor.runtime or _HERE / "fallback_runtime.py"),
        # A flavor without a runtime has dovetail itself in the environment.
        "library": str(_HERE.parent) if flavor.runtime else None,
        "input": str(source),
        "content_type": kind,
        "output": str(output),
    }


def _run(environment: Environment, job: Mapping[str, Any], extra: Mapping[str, str]) -> None:
    variables = {**os.environ, **extra, "PYTHONIOENCODING": "utf-8"}
    argv, env = environment.wrap(["python", str(_HERE / "worker.py")], variables)
    done = subprocess.run(  # noqa: S603 - our own worker, in the environment the caller chose
        argv,
        env=env,
        input=json.dumps(job, default=str),
        capture_output=True,
        encoding="utf-8",
        check=False,
        **inherited(environment.keep),
    )
    sys.stderr.write(_words(done.stderr))
    if done.returncode:
        raise _failure(done)


def _words(stderr: str) -> str:
    return "".join(f"{line}\n" for line in stderr.splitlines() if line and not line.startswith('{"dovetail_error"'))


def _failure(done: subprocess.CompletedProcess[str]) -> DovetailError:
    for line in reversed(done.stderr.splitlines()):
        if line.startswith('{"dovetail_error"'):
            told = json.loads(line)
            return InvalidModel(f"The model did not predict: {told['dovetail_error']}", hint=told["hint"])
    return InvalidModel(
        f"The model's process ended with code {done.returncode} without an answer.", hint="Its output is above."
    )
