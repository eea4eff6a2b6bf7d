"""The seam for tracking stores whose data lie in a schema that grows from release to release."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SchemaKeeper", "SchemaReport", "SchemaUpgrade"]


@dataclass(frozen=True)
class SchemaReport:
    """How a store's schema and data are.

    Args:
        version: The schema version it has; 0 if nothing was made there yet.
        newest: The version that the installed plugin works with.
        pending: What an upgrade would do, one line a step.
        faults: What is wrong with the data, one line each.
    """

    version: int
    newest: int
    pending: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class SchemaUpgrade:
    """What an upgrade did.

    Args:
        before: The schema version that was found; 0 if nothing was made there yet.
        after: The version it has now.
        backup: Where the copy lies that was made first; None if nothing was changed, or if the engine leaves backups
            to those who run it.
    """

    before: int
    after: int
    backup: str | None = None


class SchemaKeeper(ABC):
    """What a ``TrackingStore`` is beside that if its schema can be looked at and upgraded.

    A store without a schema of its own, such as one behind a server, is none.

    Guarantees:

    * **Looking changes nothing**, and neither do errors: what belongs to another program is left as it is.
    * **Whole or not at all.** Whoever is killed during an upgrade leaves the schema as it was or as it is to be.
    * **Concurrency.** Any number of processes may upgrade one store at once: one does the work, the others find it
      done. Those that use the store meanwhile wait.
    """

    @abstractmethod
    def check_schema(self, *, quick: bool = False) -> SchemaReport:
        """Look at the schema and at the soundness of the data; nothing is made, upgraded or repaired.

        Args:
            quick: Leave out what takes long on large stores.

        Raises:
            ForeignLayout: It belongs to another program.
            SchemaTooNew: A newer dovetail wrote it.
            StoreError: It cannot be read.
        """

    @abstractmethod
    def upgrade_schema(self, progress: Callable[[str], None]) -> SchemaUpgrade:
        """Bring the schema up to date, after a copy was made where the engine can make one; make it if it is absent.

        Args:
            progress: Told about each step that may take time.

        Raises:
            ForeignLayout: It belongs to another program.
            SchemaTooNew: A newer dovetail wrote it.
            StoreReadOnly: It may not be written to.
            StoreError: It could not be done; the store is as it was before.
        """
