"""What ``log_model`` answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dovetail.models.manifest import Manifest
    from dovetail.models.signature import ModelSignature

__all__ = ["ModelInfo"]


@dataclass(frozen=True, repr=False)
class ModelInfo:
    """Where a model is and what it is.

    Args:
        model_uri: What to load it by, such as ``runs:/<run id>/model``.
        artifact_path: Where it lies below its run.
        run_id: The run that logged it.
        model_uuid: The model's own id.
        utc_time_created: When it was saved.
        flavors: Flavor key -> that flavor's plain data.
        signature: Its inputs and outputs.
        metadata: The author's own data.
        model_id: The id of the logged model that it is; None where it lies among the artifacts of a run.
        registered_model_version: The number of the version that logging it registered; None if it registered none.
    """

    model_uri: str
    artifact_path: str | None
    run_id: str | None
    model_uuid: str
    utc_time_created: str
    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    metadata: Mapping[str, Any] | None = None
    registered_model_version: int | None = None
    model_id: str | None = None

    def __repr__(self) -> str:
        """Where it is, its flavors and what it takes, in one line."""
        from dovetail.values.summary import summary

        return summary(
            type(self).__name__,
            {
                "model_uri": self.model_uri,
                "run_id": self.run_id,
                "model_id": self.model_id,
                "flavors": list(self.flavors),
                "signature": None if self.signature is None else str(self.signature),
                "registered_model_version": self.registered_model_version,
            },
        )

    @classmethod
    def of(cls, manifest: Manifest, model_uri: str) -> ModelInfo:
        """The information a manifest holds, with where it was found."""
        return cls(
            model_uri,
            manifest.artifact_path,
            manifest.run_id,
            manifest.model_uuid,
            manifest.utc_time_created,
            manifest.flavors,
            manifest.signature,
            manifest.metadata,
            model_id=manifest.other.get("model_id"),
        )
