"""What model registries keep, by MLflow's names."""

from typing import TYPE_CHECKING

from dovetail import lazy
from dovetail.registry.alias import RegisteredModelAlias
from dovetail.values import ModelVersion, RegisteredModel
from dovetail.values import RegistryTag as ModelVersionTag
from dovetail.values import RegistryTag as RegisteredModelTag

__all__ = [
    "ModelVersion",
    "ModelVersionTag",
    "RegisteredModel",
    "RegisteredModelAlias",
    "RegisteredModelTag",
]

if not TYPE_CHECKING:
    __getattr__ = lazy.attributes(__name__, {})
