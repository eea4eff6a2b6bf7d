"""Bringing registered models into a registry, with the numbers that their versions had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError, NotFound
from dovetail.tracking.syncing_runs import checked
from dovetail.values import NewModelVersion, RegistryTag
from dovetail.values.names import check_model_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.syncing_report import SyncReport
    from dovetail.values import ModelVersion, RegisteredModel

__all__ = ["Registered", "reachable"]

_BY = "dovetail import"
_GAP = 10_000
"""Numbers in a row that may be missing: each of them is used up by a version that is made and removed."""


def reachable(model: RegisteredModel, report: SyncReport) -> RegisteredModel:
    """The model with those of its versions that have numbers which a registry can come to; others are refused."""
    found: list[ModelVersion] = []
    for version in model.latest_versions:
        before = found[-1].version if found else 0
        if before < version.version <= before + _GAP:
            found.append(version)
        else:
            reason = f"Its number is not among the {_GAP} after {before}, the one before it; too many would be used up."
            report.refuse("model_version", f"{version.name}/{version.version}", reason)
    return replace(model, latest_versions=found)


class Registered:
    """Brings registered models into a registry; what it has already stays as it is, and what it lacks is added.

    A version is known again by its number, source and creation time. Where the registry has another one of that number,
    the version is refused.

    Args:
        registry: Where to.
        report: Told what was done.
        placed: Gives the source that a version has here.
    """

    def __init__(self, registry: RegistryStore, report: SyncReport, placed: Callable[[str], str]) -> None:
        self._registry, self._report, self._placed = registry, report, placed

    def bring(self, model: RegisteredModel) -> None:
        """Bring a model with its versions, tags, aliases and stages."""
        with self._report.refusing("registered_model", model.name):
            self._bring(model)

    def _bring(self, model: RegisteredModel) -> None:
        there = self._known(model)
        if there is None:
            if self._report.dry_run:
                self._report.versions_created += len(model.latest_versions)
                return
            tags = tuple(checked(self._report, "tag", model.name, model.tags, RegistryTag))
            made = self._registry.create_registered_model(model.name, model.description, tags)
            self._bring_parts(model, made)
            return
        if not self._report.dry_run:
            self._drop_misplaced(model)
        completed, pointed = self._complete(model, there), self._bring_parts(model, there)
        self._report.versions_updated += completed or pointed

    def _bring_parts(self, model: RegisteredModel, there: RegisteredModel) -> bool:
        """Bring versions and aliases; whether any alias was not there."""
        for version in model.latest_versions:
            if self._version(version):
                self._set_stage(version)
        held = {version.version for version in model.latest_versions if self._has(version)}
        lacking = {key: number for key, number in model.aliases.items() if key not in there.aliases and number in held}
        for alias, number in lacking.items() if not self._report.dry_run else ():
            self._registry.move_alias(model.name, alias, number, expected=None, user_id=_BY)
        return bool(lacking)

    def _known(self, model: RegisteredModel) -> RegisteredModel | None:
        try:
            return self._registry.get_registered_model(model.name)
        except NotFound:
            return None

    def _found(self, name: str, number: int) -> ModelVersion | None:
        try:
            return self._registry.get_model_version(name, number)
        except NotFound:
            return None

    def _has(self, version: ModelVersion) -> bool:
        there = self._found(version.name, version.version)
        return there is not None and _same(there, version)

    def _version(self, version: ModelVersion) -> bool:
        """Bring a version; whether the registry has it now."""
        there = self._found(version.name, version.version)
        if there is None:
            self._report.versions_created += self._report.dry_run
            return not self._report.dry_run and self._create(version)
        if not _same(there, version):
            self._refuse(version, "The registry has another version of that number.")
            return False
        self._complete_version(version, there)
        return not self._report.dry_run

    def _create(self, version: ModelVersion) -> bool:
        """Register a version under its number; whether that could be.

        Numbers before it that are gone are used up: it is made and removed until its own comes.
        """
        tags = tuple(checked(self._report, "tag", f"{version.name}/{version.version}", version.tags, RegistryTag))
        new = NewModelVersion(
            name=version.name,
            source=self._placed(version.source) or "unknown",
            run_id=version.run_id,
            model_id=version.model_id or _logged_model(version.source),
            run_link=version.run_link,
            description=version.description,
            user_id=version.user_id,
            creation_timestamp=version.creation_timestamp,
            tags=tags,
        )
        made = self._registry.create_model_version(new)
        while made.version < version.version:
            self._registry.delete_model_version(version.name, made.version, user_id=_BY)
            made = self._registry.create_model_version(new)
        if made.version > version.version:
            self._registry.delete_model_version(version.name, made.version, user_id=_BY)
            self._refuse(version, "The registry gave that number to a version that was deleted since.")
            return False
        self._report.versions_created += 1
        return True

    def _complete(self, model: RegisteredModel, there: RegisteredModel) -> bool:
        """Add what was said about a model since it was brought; whether that was anything."""
        tags = self._lacking(model.name, model.tags, there.tags)
        described = bool(model.description) and not there.description
        if tags and not self._report.dry_run:
            self._registry.set_registered_model_tags(model.name, tags)
        if described and not self._report.dry_run:
            self._registry.update_registered_model(model.name, description=model.description)
        return bool(tags) or described

    def _complete_version(self, version: ModelVersion, there: ModelVersion) -> None:
        tags = self._lacking(f"{version.name}/{version.version}", version.tags, there.tags)
        described = bool(version.description) and not there.description
        staged = there.current_stage == "None" != version.current_stage
        self._report.versions_updated += bool(tags) or described or staged
        if tags and not self._report.dry_run:
            self._registry.set_model_version_tags(version.name, version.version, tags)
        if described and not self._report.dry_run:
            self._registry.update_model_version(version.name, version.version, version.description or "")

    def _lacking(self, owner: str, ours: dict[str, str], theirs: dict[str, str]) -> tuple[RegistryTag, ...]:
        """The tags that are not there, in any value."""
        self._report.kept += sum(theirs.get(key, value) != value for key, value in ours.items())
        lacking = {key: value for key, value in ours.items() if key not in theirs}
        return tuple(checked(self._report, "tag", owner, lacking, RegistryTag))

    def _set_stage(self, version: ModelVersion) -> None:
        there = self._registry.get_model_version(version.name, version.version)
        if there.current_stage == "None" != version.current_stage:
            self._registry.transition_stage(version.name, version.version, version.current_stage, user_id=_BY)

    def _drop_misplaced(self, model: RegisteredModel) -> None:
        """Remove what an import that was broken off made only to use up a number."""
        ours = {version.version: version for version in model.latest_versions}
        for number in set(range(1, max(ours, default=0))) - set(ours):
            there = self._found(model.name, number)
            if there is not None and any(_same(there, version) for version in ours.values()):
                self._registry.delete_model_version(model.name, number, user_id=_BY)

    def _refuse(self, version: ModelVersion, reason: str) -> None:
        self._report.refuse("model_version", f"{version.name}/{version.version}", reason)


def _same(there: ModelVersion, version: ModelVersion) -> bool:
    return (there.creation_timestamp, there.run_id) == (version.creation_timestamp, version.run_id)


def _logged_model(source: str) -> str | None:
    """The logged model that a source names."""
    named = source.removeprefix("models:/")
    try:
        return check_model_id(named) if named != source else None
    except DovetailError:
        return None  # a version of a registered model
