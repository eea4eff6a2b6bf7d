"""The flavor of scikit-learn's models."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel, Untrusted
from dovetail.models import loading
from dovetail.models.flavor import Flavor
from dovetail_sklearn.runtime import MissingColumnsError, UnreadableError, UntrustedTypesError
from dovetail_sklearn.runtime import load as read_back
from dovetail_sklearn.runtime import predict as predicted

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from dovetail.models.signature import ModelSignature

__all__ = ["SklearnFlavor", "SklearnOptions", "load_model"]

_FORMATS = ("cloudpickle", "pickle")


@dataclass(frozen=True)
class SklearnOptions:
    """How a scikit-learn model is saved.

    Args:
        serialization_format: ``cloudpickle``, which keeps functions and classes of scripts and notebooks too, or
            ``pickle``.
        pyfunc_predict_fn: The method that predicts when the model is loaded as a function, such as ``predict_proba``.

    Raises:
        InvalidModel: An unknown format.
    """

    serialization_format: str = "cloudpickle"
    pyfunc_predict_fn: str = "predict"

    def __post_init__(self) -> None:
        if self.serialization_format not in _FORMATS:
            raise InvalidModel(
                f"serialization_format is {self.serialization_format!r}.", hint=f"Use one of {', '.join(_FORMATS)}."
            )
        if self.pyfunc_predict_fn.startswith("_"):
            raise InvalidModel(f"pyfunc_predict_fn is {self.pyfunc_predict_fn!r}, which is no public method.")


class SklearnFlavor(Flavor):
    """Anything that scikit-learn's ``clone`` or ``Pipeline`` would take: estimators, pipelines, searches.

    Args:
        skops_trusted_types: Types that a model in the skops format may hold beside those that skops trusts itself.
    """

    packages = ("sklearn",)
    argument = "sk_model"
    options = SklearnOptions
    data = "model.pkl"
    loader_module = "mlflow.sklearn"
    runtime = Path(__file__).with_name("runtime.py")
    pickles = ("model.pkl",)

    def __init__(self, skops_trusted_types: Sequence[str] = ()) -> None:
        self._trusted = tuple(skops_trusted_types)

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        """Write the model as ``model.pkl``."""
        import sklearn

        chosen = options or SklearnOptions()
        if not callable(getattr(model, "fit", None)):
            raise InvalidModel(
                f"{type(model).__qualname__} is no scikit-learn model: it has no method fit.",
                hint="Log other objects with the flavor of their library, or with dovetail.pyfunc.",
            )
        (path / self.data).write_bytes(_pickled(model, chosen.serialization_format))
        return {
            "pickled_model": self.data,
            "sklearn_version": sklearn.__version__,
            "serialization_format": chosen.serialization_format,
            **({} if chosen.pyfunc_predict_fn == "predict" else {"predict_fn": chosen.pyfunc_predict_fn}),
        }

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        """Read the model back; a model in another version of scikit-learn is warned about."""
        return self.load_function(path, conf).raw_model

    def load_function(self, path: Path, conf: Mapping[str, Any]) -> Any:
        """The model and the method that predicts."""
        try:
            return read_back(str(path), conf, self._trusted)
        except UntrustedTypesError as error:
            raise Untrusted(
                str(error),
                hint=f"If you trust them: dovetail.sklearn.load_model(…, skops_trusted_types={list(error.types)}).",
            ) from error
        except UnreadableError as error:
            raise InvalidModel(str(error), hint=error.hint) from error

    def requirements(self, options: Any) -> tuple[str, ...]:
        """What reads the pickle."""
        return ("cloudpickle",) if (options or SklearnOptions()).serialization_format == "cloudpickle" else ()

    def input_packages(self, model: Any, signature: ModelSignature | None) -> tuple[str, ...]:
        """A model that was fitted on a table needs pandas to match columns by name."""
        named = getattr(model, "feature_names_in_", None) is not None
        return ("pandas",) if named else super().input_packages(model, signature)

    def predict(self, model: Any, data: Any, params: Mapping[str, Any]) -> Any:
        """Predictions; params become arguments of the method that predicts."""
        try:
            return predicted(model, data, params)
        except MissingColumnsError as error:
            raise InvalidModel(str(error), hint="Columns are matched by name.") from error

    def function_conf(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """The file, and the method that predicts."""
        return {"model_path": self.data, "predict_fn": conf.get("predict_fn", "predict")}


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    *,
    trust: str = "own",
    skops_trusted_types: Sequence[str] = (),
) -> Any:
    """Load a scikit-learn model.

    Args:
        model_uri: ``runs:/<run id>/<path>``, a local folder, or the URI of a folder in an artifact store.
        dst_path: The folder to put a copy in; by default none for models on this machine.
        trust: As for ``dovetail.models.loading.fetch_model``.
        skops_trusted_types: Types that a model in the skops format may hold beside those that skops trusts itself.
            What the model says about that itself counts for nothing.

    Returns:
        The estimator or pipeline.

    Raises:
        Untrusted: The location, or a type in a skops file, is not trusted.
        InvalidModel: It is no scikit-learn model.
    """
    flavor = SklearnFlavor(skops_trusted_types)
    flavor.key = "sklearn"
    return loading.load_with(flavor, model_uri, dst_path, trust=trust)


def _pickled(model: Any, form: str) -> bytes:
    try:
        if form == "pickle":
            return pickle.dumps(model)
        import cloudpickle

        content: bytes = cloudpickle.dumps(model)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError) as error:
        hint = (
            "Use serialization_format='cloudpickle'." if form == "pickle" else "Take what cannot be pickled out of it."
        )
        raise InvalidModel(f"The model cannot be pickled: {error}", hint=hint) from error
    return content
