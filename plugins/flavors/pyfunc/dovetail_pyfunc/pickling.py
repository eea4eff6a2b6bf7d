"""Writing a Python model so that it can be read where dovetail is not installed."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidModel
from dovetail_pyfunc.runtime import MODULE, FunctionModel, PythonModel

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["dump"]

# The classes that a pickle refers to by the names MLflow has for them.
_NAMES = ((PythonModel, "PythonModel"), (FunctionModel, "_FunctionPythonModel"))


class _Module:
    """Pickled as the module that holds MLflow's base class; nothing is imported for writing that."""

    def __reduce__(self) -> tuple[Any, ...]:
        from cloudpickle.cloudpickle import subimport

        return subimport, (MODULE,)


def dump(model: Any, path: Path) -> None:
    """Pickle a model.

    Args:
        model: The model.
        path: The file to write.

    Raises:
        InvalidModel: It, or something it holds, cannot be pickled.
    """
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        """Writes our base classes under MLflow's names."""

        def reducer_override(self, obj: Any) -> Any:
            named = next((name for kind, name in _NAMES if kind is obj), None)
            return (getattr, (_module, named)) if named else super().reducer_override(obj)

    stream = io.BytesIO()
    try:
        Pickler(stream).dump(model)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise InvalidModel(
            f"The model cannot be pickled: {error}", hint="Make what cannot be pickled in load_context instead."
        ) from error
    path.write_bytes(stream.getvalue())


_module = _Module()
