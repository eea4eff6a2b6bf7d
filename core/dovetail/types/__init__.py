"""The types of model inputs and outputs, by MLflow's names."""

from typing import TYPE_CHECKING

from dovetail import lazy
from dovetail.models.datatypes import DataType
from dovetail.models.params import ParamSchema, ParamSpec
from dovetail.models.schema import ColSpec, Schema, TensorSpec

__all__ = ["ColSpec", "DataType", "ParamSchema", "ParamSpec", "Schema", "TensorSpec", "schema"]

if TYPE_CHECKING:
    from dovetail.types import schema
else:
    __getattr__ = lazy.attributes(__name__, {})
