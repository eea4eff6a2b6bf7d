"""Saving and logging models: everything that is the same for every flavor, once."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
import warnings
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.environments import capture
from dovetail.errors import AlreadyExists, InvalidInput, InvalidModel, NotFound
from dovetail.models import requirements
from dovetail.models.digests import digests_of
from dovetail.models.example import write_example
from dovetail.models.flavors import flavor_of
from dovetail.models.info import ModelInfo
from dovetail.models.manifest import FUNCTION, Manifest
from dovetail.models.model_code import ModelCode
from dovetail.models.signature import ModelSignature, infer_signature
from dovetail.values.names import check_run_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.models.flavor import Flavor
    from dovetail.models.requirements import CondaEnv, Lines
    from dovetail.tracking.store import TrackingStore

__all__ = ["log_model", "log_with", "save_with", "split_options"]

CODE = "code"
_NO_CODE = ("__pycache__", "*.pyc", ".git")


def log_model(model: Any, name: str = "model", **options: Any) -> ModelInfo:
    """Log a model of any library that an installed flavor covers to the active run.

    Args:
        model: The model; its classes decide the flavor. With ``registered_model_name``, it may be the location of one
            that is logged already.
        name: Where it goes below the run's artifacts.
        options: As for ``dovetail.<flavor>.log_model``.

    Raises:
        PluginMissing: The flavor for it is not installed.
        InvalidModel: No flavor claims it.
    """
    from dovetail.models.registering import is_registrable, register_existing

    if is_registrable(model) and options.get("registered_model_name") is not None:
        return register_existing(None, model, name=name, **options)
    flavor = flavor_of(model)
    chosen, details = split_options(flavor, options)
    return log_with(flavor, model, name=name, options=chosen, **details)


def split_options(flavor: Flavor, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The flavor's options among keyword arguments, and the rest of them."""
    rest = dict(given)
    if flavor.options is None:
        return None, rest
    names = [each.name for each in fields(flavor.options)]
    return flavor.options(**{name: rest.pop(name) for name in names if name in rest}), rest


def log_with(
    flavor: Flavor,
    model: Any,
    *,
    name: str = "model",
    options: Any = None,
    run_id: str | None = None,
    step: int | None = None,
    registered_model_name: str | None = None,
    await_registration_for: float | None = 300,
    **details: Any,
) -> ModelInfo:
    """Save a model with a flavor and upload it to a run.

    Args:
        flavor: The flavor.
        model: The model.
        name: Where it goes below the run's artifacts.
        options: The flavor's options.
        run_id: The run; by default the active one, which is started if there is none.
        step: The training step that the model is a checkpoint of. With it the model is a logged model of its own, an
            output of the run, and the answer's ``model_id`` is what metrics name it by. So it is, too, where the run
            has a model of that name that is registered: a version never changes.
        registered_model_name: Register the model under this name, too, which is created if it is new. Then ``model``
            may also be the ``runs:`` or ``models:`` location of one that is logged already.
        await_registration_for: Seconds to wait at most until its version is ready; None and 0 do not wait.
        details: As for ``save_with``.

    Returns:
        Where it is; ``model_uri`` loads it again, and ``registered_model_version`` is the number of its version.
    """
    from dovetail.models import checkpoints, registering
    from dovetail.tracking.run_artifacts import RunArtifacts

    registration = registering.Registration(registered_model_name, await_registration_for)
    if registered_model_name is not None and registering.is_registrable(model):
        changes = {**_changed(flavor, options), **details, "name": name, "run_id": run_id, "step": step}
        return registering.register_existing(
            flavor.key, model, registered_model_name, await_registration_for, **changes
        )
    path = uris.artifact_path(name)
    if not path:
        raise InvalidInput("A logged model needs a name to lie under.", hint="Pass name='model'.")
    store, run = _place(run_id)
    registration.prepare(store)
    if step is not None or registering.is_registered(store, run, path):

        def save(folder: Path) -> Manifest:
            return save_with(flavor, model, folder, options=options, run_id=run, **details)

        return registration.of(checkpoints.log_checkpoint(save, name, step or 0, store, run))
    with tempfile.TemporaryDirectory(prefix="dovetail-model-") as scratch:
        folder = Path(scratch) / "model"
        manifest = save_with(flavor, model, folder, options=options, run_id=run, artifact_path=path, **details)
        RunArtifacts(store, run).log_artifacts(folder, path)
    return registration.of(ModelInfo.of(manifest, f"runs:/{run}/{path}"))


def _changed(flavor: Flavor, options: Any) -> dict[str, Any]:
    """The flavor's options that are not what they are by default."""
    if flavor.options is None or options is None:
        return {}
    usual = flavor.options()
    return {name: value for name, value in options.__dict__.items() if value != getattr(usual, name)}


def _place(run_id: str | None) -> tuple[TrackingStore, str]:
    """The run that a model is logged to, and the store that the run is in."""
    from dovetail.tracking import places, runs

    if run_id:
        return places.tracking_store(), check_run_id(run_id)
    active = runs.current_run()
    return places.open_store(active.uri), active.run_id


def save_with(
    flavor: Flavor,
    model: Any,
    path: str | os.PathLike[str],
    *,
    options: Any = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
    metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
) -> Manifest:
    """Save a model to a folder.

    Args:
        flavor: The flavor.
        model: The model.
        path: A folder that does not exist or is empty; it appears whole or not at all.
        options: The flavor's options.
        signature: Inputs and outputs; by default inferred from the input example.
        input_example: Data the model can predict on; kept with it, and used to see what predicting imports.
        code_paths: Files and folders of the user's own code that the model needs.
        pip_requirements: Instead of the inferred requirements: lines, or a requirements file.
        extra_pip_requirements: In addition to the inferred ones.
        conda_env: The whole environment as conda describes it, instead of the two: a mapping, or a file.
        metadata: The author's own plain data.
        run_id: The run that logs it.
        artifact_path: Where it goes below that run.

    Raises:
        AlreadyExists: The folder has something in it.
        InvalidModel: The flavor cannot save the model, or it cannot predict on its input example.
        InvalidInput: Arguments that do not fit together.
        NotFound: A path in ``code_paths`` does not exist.
    """
    target = Path(path)
    _check_arguments(target, signature, code_paths)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        conf = dict(flavor.save(model, folder, options))
        _copy_code(code_paths or (), folder)
        digests = digests_of(folder)
        flavors = _flavors(flavor, conf, has_code=bool(code_paths))
        trial = _Trial(signature)
        if input_example is not None:
            trial = _try(flavor, folder, Manifest(flavors), input_example, signature)
        modules = _modules(flavor, folder, input_example)
        modules |= capture.distributions_of(flavor.input_packages(model, trial.signature)).keys()
        _warn_of_own_code(modules, folder)
        requirements.chosen(
            lambda: _inferred(flavor, options, modules, trial.imported),
            pip_requirements,
            extra_pip_requirements,
            conda_env,
        ).write(folder)
        manifest = Manifest(
            flavors=flavors,
            model_uuid=uuid.uuid4().hex,
            utc_time_created=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f"),
            artifact_path=artifact_path,
            run_id=run_id,
            signature=trial.signature,
            saved_input_example_info=trial.example,
            metadata=metadata,
            model_size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
            digests=digests,
        )
        manifest.write(folder)
        _publish(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _check_arguments(target: Path, signature: Any, code_paths: Any) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExists(f"{target} exists and is not an empty folder.", hint="Save to another path, or remove it.")
    if signature is not None and not isinstance(signature, ModelSignature):
        raise InvalidInput(
            f"signature is a {type(signature).__name__}, not a ModelSignature.", hint="Make it with infer_signature."
        )
    if isinstance(code_paths, (str, os.PathLike)):
        raise InvalidInput("code_paths is a single path.", hint=f"Pass a list: code_paths=[{str(code_paths)!r}].")


def _publish(folder: Path, target: Path) -> None:
    folder.chmod(0o755)
    if target.exists():
        target.rmdir()
    folder.rename(target)


# --- the input example ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trial:
    """What predicting on the input example has shown."""

    signature: ModelSignature | None = None
    example: Mapping[str, Any] | None = None
    imported: frozenset[str] = frozenset()


def _try(flavor: Flavor, folder: Path, manifest: Manifest, example: Any, signature: ModelSignature | None) -> _Trial:
    """Load what was just saved and predict on the example: it shows the outputs, and what predicting imports."""
    written = write_example(example, folder)
    inputs = infer_signature(example)
    conf = {**manifest.conf(FUNCTION), **manifest.flavors.get(flavor.key, {})}
    try:
        with ModelCode.of(folder, manifest).used(), capture.watched_imports() as imported:
            output = flavor.predict(flavor.load_function(folder, conf), example, {})
    except Exception as error:
        message = f"The model cannot predict on its input example: {type(error).__name__}: {error}"
        if signature is None:
            raise InvalidModel(message, hint="Correct the example, or pass signature= as well.") from error
        _warn(message)
        return _Trial(signature, written)
    outputs = None if output is None else infer_signature(model_output=output).outputs
    return _Trial(signature or ModelSignature(inputs.inputs, outputs), written, frozenset(imported))


# --- what MLmodel says ----------------------------------------------------------------------------------------


def _flavors(flavor: Flavor, conf: Mapping[str, Any], *, has_code: bool) -> dict[str, dict[str, Any]]:
    code = {"code": CODE} if has_code else {}
    function = {
        "loader_module": flavor.loader_module or f"dovetail.{flavor.key}",
        "python_version": ".".join(str(part) for part in sys.version_info[:3]),
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        **code,
    }
    if flavor.key == "pyfunc":
        return {FUNCTION: {**function, **conf}}
    return {FUNCTION: {**function, **flavor.function_conf(conf)}, flavor.key: {**conf, **code}}


# --- code and requirements ------------------------------------------------------------------------------------


def _copy_code(code_paths: Iterable[str | os.PathLike[str]], folder: Path) -> None:
    """Copy files and folders below ``code`` by their own names, without what is made from them."""
    for each in code_paths:
        source = Path(each).resolve()
        if not source.exists():
            raise NotFound(f"code_paths names {os.fspath(each)!r}, which does not exist.")
        destination = folder / CODE / source.name
        if destination.exists():
            raise InvalidInput(f"code_paths names two files or folders called {source.name!r}; only one can be kept.")
        destination.parent.mkdir(exist_ok=True)
        if source.is_dir():
            # The model's own folder may lie within the code.
            shutil.copytree(source, destination, ignore=shutil.ignore_patterns(*_NO_CODE, folder.name))
        else:
            shutil.copy2(source, destination)


def _modules(flavor: Flavor, folder: Path, example: Any) -> set[str]:
    """The root packages that the model, its code and its input example need."""
    found = set(flavor.packages)
    for name in flavor.pickles:
        if (folder / name).is_file():
            found |= {name.split(".")[0] for name in capture.pickled_modules(folder / name) - set(flavor.provides)}
    if (folder / CODE).is_dir():
        found |= capture.imports_in(folder / CODE)
    if example is not None:
        found.add(type(example).__module__.split(".")[0])
    return found


def _inferred(flavor: Flavor, options: Any, modules: set[str], imported: Iterable[str]) -> list[str]:
    ours = {name for name in modules if name == "dovetail" or name.startswith("dovetail_")}
    needed = {*flavor.requirements(options), *(name.replace("_", "-") for name in ours - {"dovetail"})}
    if flavor.runtime is None or ours:
        needed |= {"dovetail-core", f"dovetail-{flavor.key}"}
    roots = modules - ours
    known = {*needed, *capture.distributions_of(roots).values()}
    ran = {name for name in imported if not name.startswith("dovetail")}
    return capture.pinned_all(roots | capture.unmet(ran, known), needed)


def _warn_of_own_code(modules: Iterable[str], folder: Path) -> None:
    """Say which of the user's own code the model needs and does not bring."""
    code = folder / CODE
    own = {each.stem for each in code.iterdir()} if code.is_dir() else set[str]()
    roots = {name for name in modules if name not in own and not name.startswith("dovetail")}
    if missing := capture.homeless(roots):
        _warn(
            f"The model refers to {', '.join(missing)}, which no installed distribution provides; it can only be "
            "loaded where they can be imported. Pass code_paths=[...] to keep them with the model."
        )
    if local := capture.of_this_machine(roots):
        _warn(
            f"The model requires {', '.join(local)}, installed from files of this machine, which other environments "
            "cannot do. Pass code_paths=[...] to keep the code with the model, or publish a release."
        )


def _warn(message: str) -> None:
    """Warn about the line that is not dovetail's own."""
    level, frame = 2, sys._getframe(1)  # noqa: SLF001 - the documented way to the caller
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "dovetail":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
