"""What the reference registry keeps of one registered model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dovetail.values import ModelVersion, NewModelVersion, RegisteredModel, RegistryMove

__all__ = ["Shelf"]


@dataclass
class Shelf:
    """A registered model and all that lies below it.

    Args:
        model: The model, without the versions that it shows.
        versions: Its versions by number, without the aliases that they show.
        moves: Its history, the earliest move first.
        last_version: The highest number that a version ever had.
    """

    model: RegisteredModel
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    moves: list[RegistryMove] = field(default_factory=list)
    last_version: int = 0

    def add(self, new: NewModelVersion) -> int:
        """Add a version and return its number."""
        self.last_version += 1
        self.versions[self.last_version] = ModelVersion(
            name=new.name,
            version=self.last_version,
            creation_timestamp=new.creation_timestamp,
            last_updated_timestamp=new.creation_timestamp,
            description=new.description,
            user_id=new.user_id,
            source=new.source,
            run_id=new.run_id,
            tags={tag.key: tag.value for tag in new.tags},
            run_link=new.run_link,
            model_id=new.model_id,
        )
        return self.last_version

    def rename(self, name: str) -> None:
        """Give the model and its versions another name; the history says what it was called then."""
        self.model = replace(self.model, name=name)
        self.versions = {number: replace(version, name=name) for number, version in self.versions.items()}

    def touch(self, now: int, *versions: int | None) -> None:
        """Note that the model, and these of its versions, were changed."""
        self.model = replace(self.model, last_updated_timestamp=now)
        for number in versions:
            if number in self.versions:
                self.versions[number] = replace(self.versions[number], last_updated_timestamp=now)

    def shown(self) -> RegisteredModel:
        """The model as callers get it."""
        latest: dict[str, int] = {}
        for number in sorted(self.versions):
            latest[self.versions[number].current_stage] = number
        return replace(
            self.model,
            latest_versions=[self.shown_version(number) for number in sorted(latest.values())],
            tags=dict(self.model.tags),
            aliases=dict(sorted(self.model.aliases.items())),
        )

    def shown_version(self, number: int) -> ModelVersion:
        """A version as callers get it."""
        version = self.versions[number]
        aliases = sorted(alias for alias, at in self.model.aliases.items() if at == number)
        return replace(version, tags=dict(version.tags), aliases=aliases)
