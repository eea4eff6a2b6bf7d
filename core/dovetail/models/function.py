"""A loaded model as something that predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.models.enforcement import enforce_params, enforce_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.models.flavor import Flavor
    from dovetail.models.manifest import Manifest
    from dovetail.models.model_code import ModelCode

__all__ = ["Function"]


class Function:
    """A model of any flavor behind one ``predict``.

    Args:
        flavor: The model's flavor.
        model: What the flavor's ``load_function`` gave.
        manifest: What the model's ``MLmodel`` says.
        code: The code it brings.

    Attributes:
        metadata: What the model's ``MLmodel`` says.
    """

    def __init__(self, flavor: Flavor, model: Any, manifest: Manifest, code: ModelCode) -> None:
        self._flavor = flavor
        self._model = model
        self._code = code
        self.metadata = manifest

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predictions for the data.

        Args:
            data: A DataFrame, array, list or dict, as the signature says.
            params: Inference parameters; those the signature has defaults for may be left out.

        Raises:
            InvalidModel: Data or params do not fit the signature.
        """
        signature = self.metadata.signature
        given = dict(params or {})
        if signature is not None:
            data = enforce_schema(data, signature.inputs) if signature.inputs is not None else data
            given = enforce_params(given, signature.params)
        self._code.use()
        return self._flavor.predict(self._model, data, given)

    def get_raw_model(self) -> Any:
        """The object the model's library made."""
        return getattr(self._model, "raw_model", self._model)

    def unwrap_python_model(self) -> Any:
        """The user's own model object inside; the raw model where the flavor wraps nothing."""
        return getattr(self._model, "python_model", self.get_raw_model())

    def __repr__(self) -> str:
        """Flavor and run."""
        origin = f" from run {self.metadata.run_id}" if self.metadata.run_id else ""
        return f"<dovetail model: {self._flavor.key}{origin}>"
