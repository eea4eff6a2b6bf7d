"""The seam that model flavors fit into."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dovetail.models.signature import ModelSignature

__all__ = ["Flavor"]


class Flavor(ABC):
    """How one library's models become files and models again.

    A complete flavor, with its entry points ``dovetail.flavors`` and ``dovetail.flavor_packages``::

        class JoblibFlavor(Flavor):
            packages = ("sklearn",)
            data = "model.joblib"
            loader_module = "dovetail.joblib"

            def save(self, model, path, options):
                joblib.dump(model, path / self.data)
                return {}

            def load(self, path, conf):
                return joblib.load(path / self.data)

    Everything else (path checks, signature, input example, requirements, ``MLmodel``, upload) happens once, in
    ``dovetail.models.saving``.

    Guarantees, checked by ``dovetail.testing.FlavorSuite``:

    * **Same predictions.** A loaded model predicts what the saved one did, also in a process that saw nothing of it.
    * **Own folder.** ``save`` writes only below its path, and ``load`` reads only below it, whatever ``MLmodel`` says.
    * **Untouched.** Saving does not change the model.
    * **Errors.** What cannot be saved is ``InvalidModel``; so are files that this flavor did not write.

    Attributes:
        key: The flavor's key; filled in by the core from the entry point.
        packages: Import packages the flavor covers; their distributions are its default requirements.
        argument: The name of the model argument in ``save_model`` and ``log_model``, such as ``sk_model``.
        options: A dataclass whose fields become keyword arguments of ``save_model``; None for none.
        data: The file or folder below the model that ``save`` writes.
        loader_module: What other tools load the model by; ``mlflow.<key>`` where MLflow knows the flavor.
        runtime: A file of standard-library Python ≥ 3.8 and the model's library that defines
            ``load(path, conf)``, as ``load_function`` here, and ``predict(model, data, params)``; with it a model's
            environment needs no dovetail. None: the environment gets this plugin.
        pickles: Files among ``data`` that are pickles; what they refer to is read from their opcodes and required.
        provides: Modules that such pickles may name and that ``load`` takes the place of; they are not required.
    """

    key: str = ""
    packages: ClassVar[tuple[str, ...]] = ()
    argument: ClassVar[str] = "model"
    options: ClassVar[type | None] = None
    data: ClassVar[str] = "model"
    loader_module: ClassVar[str] = ""
    runtime: ClassVar[Path | None] = None
    pickles: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        """Write the model below a folder that exists and is empty.

        Args:
            model: The model.
            path: The model's folder.
            options: An instance of ``options``, or None.

        Returns:
            Plain data for the flavor's part of ``MLmodel``.

        Raises:
            InvalidModel: This flavor cannot save the object.
        """

    @abstractmethod
    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        """Read the model back.

        Args:
            path: The model's folder.
            conf: What ``MLmodel`` says for this flavor; data that anybody may have written, never code to run, and
                paths in it may lead anywhere: use ``dovetail.models.manifest.inside``.

        Raises:
            InvalidModel: What is there is not what this flavor writes.
        """

    def load_function(self, path: Path, conf: Mapping[str, Any]) -> Any:
        """Read the model back as what ``predict`` takes; by default what ``load`` gives.

        Args:
            path: The model's folder.
            conf: As for ``load``.
        """
        return self.load(path, conf)

    def predict(self, model: Any, data: Any, params: Mapping[str, Any]) -> Any:
        """Predictions of a loaded model; by default ``model.predict(data)``.

        Args:
            model: What ``load_function`` gave.
            data: A table, array, list or whatever the model takes; already held against the signature.
            params: Inference parameters.

        Raises:
            InvalidModel: Params are given to a flavor that has no use for them.
        """
        if params:
            from dovetail.errors import InvalidModel

            raise InvalidModel(f"{self.key} models take no inference parameters, got {', '.join(sorted(params))}.")
        return model.predict(data)

    def requirements(self, options: Any) -> tuple[str, ...]:
        """Distributions to require besides those of ``packages``, such as ``cloudpickle``; by default none.

        Args:
            options: An instance of ``options``, or None.
        """
        del options
        return ()

    def input_packages(self, model: Any, signature: ModelSignature | None) -> tuple[str, ...]:
        """Import packages of the libraries that the model's input comes in, required if they are installed.

        By default numpy for a signature with tensors, pandas for one with columns: input is held against the signature
        by the library whose data it describes.

        Args:
            model: The model.
            signature: What it takes and gives, if that is known.
        """
        del model
        if signature is None or signature.inputs is None:
            return ()
        return ("numpy",) if signature.inputs.is_tensor_spec() else ("pandas",)

    def function_conf(self, conf: Mapping[str, Any]) -> dict[str, Any]:
        """What ``python_function`` in ``MLmodel`` says beside loader, environment and Python version."""
        del conf
        return {"model_path": self.data}
