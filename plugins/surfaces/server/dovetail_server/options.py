"""What a server is told: what it serves, and how."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

__all__ = ["VARIABLE", "Options", "Plan"]

VARIABLE = "DOVETAIL_SERVER_OPTIONS"
"""The variable by which other processes are told the options."""


@dataclass(frozen=True)
class Plan:
    """What a server is told to serve.

    Args:
        tracking_uri: Where experiments and runs are kept.
        registry_uri: Where models are registered; by default there, too.
        artifact_root: Where artifacts lie that the server passes on; by default where the store puts them.
        serves_artifacts: Whether it passes on artifacts.
        only_artifacts: Whether it does nothing else.
    """

    tracking_uri: str
    registry_uri: str | None = None
    artifact_root: str | None = None
    serves_artifacts: bool = True
    only_artifacts: bool = False


@dataclass(frozen=True)
class Options:
    """How a server is to be.

    Args:
        plan: What it serves.
        hosts: Names it answers to, see ``Guard``.
        origins: Origins whose pages may change things, see ``Guard``.
        prefix: What all paths begin with.
        access: ``open``: everybody may do everything; ``plugins``: plugins decide; ``token``: whoever has the token.
        token: That token.
        threads: Requests that are answered at the same time, of those that need a store.
    """

    plan: Plan
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    prefix: str = ""
    access: str = "open"
    token: str = field(default="", repr=False)
    threads: int = 16

    def dumped(self) -> str:
        """All of it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Options:
        """The contrary of ``dumped``."""
        found = json.loads(text)
        several = {name: tuple(found[name]) for name in ("hosts", "origins")}
        return cls(**{**found, **several, "plan": Plan(**found["plan"])})
