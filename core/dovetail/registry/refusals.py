"""Why registries refuse things, in the same words everywhere."""

from __future__ import annotations

from dovetail.errors import AliasMoved, AlreadyExists, NotFound, StageMoved

__all__ = ["alias_moved", "name_taken", "no_model", "no_version", "stage_moved"]


def no_model(registry: str, name: str) -> NotFound:
    """There is no registered model of that name.

    Args:
        registry: What messages call the registry.
        name: What was asked for.
    """
    return NotFound(f"{registry} has no registered model {name!r}.")


def no_version(name: str, version: int) -> NotFound:
    """A registered model has no version of that number."""
    return NotFound(f"Registered model {name!r} has no version {version}.")


def name_taken(name: str) -> AlreadyExists:
    """There is a registered model of that name."""
    return AlreadyExists(
        f"There is a registered model {name!r} already.", hint="Use another name, or add a version to that one."
    )


def alias_moved(name: str, alias: str, here: int | None, expected: int | None) -> AliasMoved:
    """An alias is not where it was expected.

    Args:
        name: The registered model's.
        alias: The alias.
        here: The version it points at, None if it is not there.
        expected: Where it was expected.
    """
    is_at, should = (f"points at version {at}" if at else "points nowhere" for at in (here, expected))
    return AliasMoved(
        f"Alias {alias!r} of registered model {name!r} {is_at}; what was expected is that it {should}.",
        hint="It may have been moved meanwhile: look where it points now, and decide again.",
    )


def stage_moved(name: str, version: int, here: str, expected: str) -> StageMoved:
    """A version is not in the stage where it was expected.

    Args:
        name: The registered model's.
        version: The version's number.
        here: The stage it is in.
        expected: Where it was expected.
    """
    return StageMoved(
        f"Version {version} of registered model {name!r} is in stage {here}; what was expected is stage {expected}.",
        hint="It may have been moved meanwhile: look which stage it is in now, and decide again.",
    )
