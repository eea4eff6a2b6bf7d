"""Models written as plain Python, also where there is no dovetail: Python 3.8, cloudpickle, and what the model needs.

This file alone is taken into a model's environment, so it imports nothing of this package.

Pickled models name their base class as MLflow names it, so that either system reads what the other wrote: while a
model is unpickled here, those names mean the classes of this file.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import sys
import threading
import types
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "MODULE",
    "FunctionModel",
    "LoadedModel",
    "PythonModel",
    "PythonModelContext",
    "UnreadableError",
    "as_model",
    "load",
    "predict",
]

MODULE = "mlflow.pyfunc.model"


class UnreadableError(Exception):
    """The model's files are not what this can read.

    Args:
        message: What is wrong.
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class PythonModelContext:
    """What a model finds beside itself.

    Attributes:
        artifacts: Name -> absolute path of a file or folder that was saved with the model.
        model_config: The values saved as ``model_config``, with those given when the model was loaded put over them.
    """

    def __init__(self, artifacts: Mapping[str, str], model_config: Mapping[str, Any] | None) -> None:
        self.artifacts = dict(artifacts)
        self.model_config = None if model_config is None else dict(model_config)


class PythonModel:
    """A model as a class of your own: write ``predict``, and ``load_context`` if there is something to load first."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read what the model needs from its artifacts; called once, when the model is loaded.

        Args:
            context: Where the artifacts are.
        """

    def predict(self, context: Any, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predictions. A class may leave out ``context``, ``params`` or both.

        Args:
            context: Artifacts and configuration.
            model_input: A table, array, list or whatever the model takes.
            params: Inference parameters.
        """
        raise NotImplementedError(f"{type(self).__name__} has no predict.")


class FunctionModel(PythonModel):
    """A plain function as a model.

    Args:
        func: Takes the input, and the params if it has an argument of that name.
    """

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        # MLflow's class of that kind has it too.
        self.signature = None

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:  # type: ignore[override]
        """What the function gives."""
        given = {"params": params} if params else {}
        return self.func(model_input, **given)


class LoadedModel:
    """A model that has loaded its context.

    Args:
        python_model: The user's object.
        context: What it found beside itself.
    """

    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model = python_model
        self.context = context


def as_model(model: Any) -> Any:
    """The object as a model: as it is, or its ``predict``, or itself if it is a function, as the function of a model.

    Raises:
        UnreadableError: It does not predict.
    """
    if hasattr(model, "predict") and hasattr(model, "load_context"):
        return model
    if hasattr(model, "predict"):
        return FunctionModel(model.predict)
    if callable(model):
        return FunctionModel(model)
    raise UnreadableError(
        f"A {type(model).__name__} does not predict.", "Use a PythonModel, or a function of the input."
    )


def load(path: str, conf: Mapping[str, Any]) -> LoadedModel:
    """Read a model back and let it load its context.

    Args:
        path: The model's folder.
        conf: What ``MLmodel`` says.

    Raises:
        UnreadableError: A file is missing, outside the model, or names what is not there.
    """
    if conf.get("model_code_path"):
        raise UnreadableError(
            "The model is a script that defines itself when it is loaded, which is not supported.",
            "Save it as an object: python_model=MyModel().",
        )
    if not conf.get("python_model"):
        raise UnreadableError("MLmodel names no python_model: this model was not saved from a Python object.")
    _compare_versions(conf.get("cloudpickle_version"))
    model = as_model(_unpickled(_inside(path, conf["python_model"])))
    context = PythonModelContext(_artifacts(path, conf), conf.get("config"))
    with _standing_in():
        model.load_context(context)
    return LoadedModel(model, context)


def predict(model: Any, data: Any, params: Mapping[str, Any]) -> Any:
    """Predictions for data.

    Args:
        model: What ``load`` gave, or a model that was never saved and has no context.
        data: What the model takes.
        params: Inference parameters.
    """
    if not isinstance(model, LoadedModel):
        model = LoadedModel(as_model(model), PythonModelContext({}, None))
    function = isinstance(model.python_model, FunctionModel)
    method = model.python_model.func if function else model.python_model.predict
    arguments = inspect.signature(method).parameters
    given: dict[str, Any] = {"params": dict(params) or None} if "params" in arguments else {}
    if params and not given:
        warnings.warn(f"The model takes no params: {', '.join(sorted(params))} are ignored.", stacklevel=3)
    context = [model.context] if not function and _takes_context(arguments) else []
    return method(*context, data, **given)


def _takes_context(arguments: Mapping[str, inspect.Parameter]) -> bool:
    if "context" in arguments:
        return True
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [each for each in arguments.values() if each.kind in plain and each.name != "params"]
    return len([each for each in needed if each.default is inspect.Parameter.empty]) > 1


def _artifacts(path: str, conf: Mapping[str, Any]) -> dict[str, str]:
    named = conf.get("artifacts") or {}
    if not isinstance(named, dict) or not all(isinstance(each, dict) for each in named.values()):
        raise UnreadableError("MLmodel's artifacts must be a mapping of names to their places.")
    return {str(name): str(_inside(path, each.get("path"))) for name, each in named.items()}


def _inside(folder: str, name: Any) -> Path:
    """A file of the model; ``MLmodel`` must not lead to others."""
    root = Path(folder).resolve()
    place = (root / str(name)).resolve()
    if root not in place.parents:
        raise UnreadableError(f"MLmodel names {name!r}, which is not below the model's folder.")
    if not place.exists():
        raise UnreadableError(f"The model's file {name} is missing.")
    return place


def _compare_versions(saved: Any) -> None:
    import cloudpickle

    if saved and str(saved).partition(".")[0] != cloudpickle.__version__.partition(".")[0]:
        warnings.warn(
            f"The model was saved with cloudpickle {saved}, and {cloudpickle.__version__} is installed, which may not "
            "read it.",
            stacklevel=3,
        )


# --- MLflow's names ------------------------------------------------------------------------------------------


class _TypeHints:
    """What MLflow notes about a model's annotations; kept, not used."""


_NAMES = {
    (MODULE, "PythonModel"): PythonModel,
    (MODULE, "_FunctionPythonModel"): FunctionModel,
    ("mlflow.models.signature", "_TypeHints"): _TypeHints,
}
_lock = threading.RLock()


class _Unpickler(pickle.Unpickler):
    """Finds the classes of this file under MLflow's names."""

    def find_class(self, module: str, name: str) -> Any:
        known = _NAMES.get((module, name))
        if known is not None:
            return known
        if (module.partition(".")[0], name) == ("cloudpickle", "subimport"):
            return _subimport
        try:
            return super().find_class(module, name)
        except ImportError as error:
            if module.split(".", maxsplit=1)[0] != "mlflow":
                raise
            raise UnreadableError(
                f"The pickled model refers to {module}.{name}, which is a part of MLflow itself.", "pip install mlflow"
            ) from error


def _subimport(name: str) -> Any:
    """A module by name; the one that holds the base class of models has it from here."""
    if name == MODULE:
        return types.SimpleNamespace(**{public: kind for (module, public), kind in _NAMES.items() if module == MODULE})
    return importlib.import_module(name)


def _unpickled(file: Path) -> Any:
    try:
        with file.open("rb") as stream, _standing_in():
            return _Unpickler(stream).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise UnreadableError(f"The model's file {file.name} is no pickle: {error}") from error


@contextmanager
def _standing_in() -> Iterator[None]:
    """Let the model's own modules `import mlflow` for the base class, where there is no MLflow."""
    with _lock:
        if "mlflow" in sys.modules or importlib.util.find_spec("mlflow") is not None:
            yield
            return
        made = _stand_ins()
        sys.modules.update(made)
        try:
            yield
        finally:
            for name in made:
                sys.modules.pop(name, None)


def _stand_ins() -> dict[str, types.ModuleType]:
    public = {"PythonModel": PythonModel, "PythonModelContext": PythonModelContext}
    made = {name: types.ModuleType(name) for name in ("mlflow", "mlflow.pyfunc", MODULE)}
    for name, module in made.items():
        module.__path__ = []
        vars(module)["__getattr__"] = _missing(name)
    made["mlflow"].pyfunc = made["mlflow.pyfunc"]  # type: ignore[attr-defined]
    made["mlflow.pyfunc"].model = made[MODULE]  # type: ignore[attr-defined]
    for module in (made["mlflow.pyfunc"], made[MODULE]):
        vars(module).update(public)
    return made


def _missing(module: str) -> Callable[[str], Any]:
    def fail(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"{module}.{name} is not there: MLflow is not installed where this model was loaded")

    return fail
