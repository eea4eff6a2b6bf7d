"""Which version of a registered model is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import InvalidInput, NotFound
from dovetail.registry.model_uri import LATEST
from dovetail.values.registry import check_alias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.registry.model_uri import ModelUri
    from dovetail.registry.store import RegistryStore
    from dovetail.values import ModelVersion

__all__ = ["aliased_version", "latest_of_stage", "latest_version", "named_version"]

_SHOWN = 10  # more names than this are no help


def named_version(registry: RegistryStore, uri: ModelUri) -> ModelVersion:
    """The version that a URI names.

    Args:
        registry: The registry.
        uri: One that names a registered model.

    Raises:
        NotFound: There is no such model or version, or none in that stage.
        InvalidInput: The model has no such alias.
    """
    if uri.version is not None:
        return registry.get_model_version(uri.name, uri.version)
    if uri.stage is not None:
        return latest_of_stage(registry, uri.name, uri.stage)
    return aliased_version(registry, uri.name, uri.alias or LATEST)


def aliased_version(registry: RegistryStore, name: str, alias: str) -> ModelVersion:
    """The version that an alias points at; ``latest``, in any case, is the one with the highest number.

    Raises:
        NotFound: There is no such model, or ``latest`` of one without versions is asked for.
        InvalidInput: It has no such alias; MLflow's clients know this by that code, not as something not found.
    """
    if isinstance(alias, str) and alias.lower() == LATEST:
        return latest_version(registry, name)
    check_alias(alias)
    aliases = registry.get_registered_model(name).aliases
    if alias not in aliases:
        raise InvalidInput(
            f"Registered model {name!r} has no alias {alias!r}.", hint=_others("Its aliases", sorted(aliases))
        )
    return registry.get_model_version(name, aliases[alias])


def latest_version(registry: RegistryStore, name: str) -> ModelVersion:
    """The version with the highest number.

    Raises:
        NotFound: There is no such model, or it has no versions.
    """
    versions = registry.get_registered_model(name).latest_versions
    if not versions:
        raise NotFound(f"Registered model {name!r} has no versions.")
    return max(versions, key=lambda each: each.version)


def latest_of_stage(registry: RegistryStore, name: str, stage: str) -> ModelVersion:
    """The version with the highest number of those in a stage.

    Raises:
        NotFound: There is no such model, or none of its versions is in that stage.
    """
    versions = registry.get_registered_model(name).latest_versions
    for version in versions:
        if version.current_stage == stage:
            return version
    held = [f"{each.current_stage} (version {each.version})" for each in versions]
    raise NotFound(
        f"No version of registered model {name!r} is in stage {stage}.", hint=_others("Stages with versions", held)
    )


def _others(what: str, names: Sequence[str]) -> str:
    shown = [*names[:_SHOWN], *(["…"] if len(names) > _SHOWN else [])]
    return f"{what}: {', '.join(shown) or 'none'}."
