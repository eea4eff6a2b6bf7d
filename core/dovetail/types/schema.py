"""The types of model inputs and outputs and what they are made of."""

from dovetail.models.datatypes import AnyType, Array, DataType, Map, Object, Property, SparkMLVector
from dovetail.models.params import ParamSchema, ParamSpec
from dovetail.models.schema import ColSpec, Schema, TensorSpec

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorSpec",
]
