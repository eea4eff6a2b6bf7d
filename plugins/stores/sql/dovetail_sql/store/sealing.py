"""When the store seals histories, and what happens if it cannot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dovetail.errors import DovetailError
from dovetail_sql.store.finding import Finding

if TYPE_CHECKING:
    from dovetail_sql.growth import Growth
    from dovetail_sql.sealing import Outcome

__all__ = ["Sealing"]

_BREATH = 0.001
"""Seconds between two steps: whoever let go of a lock takes it again sooner than one who is woken for it."""


class Sealing(Finding):
    """The part of the store that seals histories as they grow and as runs end.

    Points that were logged are stored, sealed or not, and whoever logged them is not to hear about anything else: a
    failure is logged as a warning, and the tail is looked at again when it has grown, or when the run ends.

    Attributes:
        growth: What this process knows of the tails.
        put_off: Runs that are due while nobody may be waited for, and whether they ended.
    """

    growth: Growth
    put_off: list[tuple[str, bool]]

    def _seal_if_due(self, run_id: str, added: int) -> None:
        """Seal the tail of a run that goes on if this process has added to it enough."""
        if added and self.growth.add(run_id, added):
            self.growth.settle(run_id)
            self._try_to_seal(run_id, ended=False)

    def _seal_ended(self, run_id: str) -> None:
        """Seal the tail of a run that has ended."""
        self._try_to_seal(run_id, ended=True)
        self.growth.forget(run_id)

    def catch_up(self) -> None:
        """Seal what was put off, and let the database do what it puts off."""
        put_off, self.put_off = self.put_off, []
        for run_id, ended in dict.fromkeys(put_off):
            self._seal_or_say(run_id, ended=ended)
        self.database.catch_up()

    def _try_to_seal(self, run_id: str, *, ended: bool) -> None:
        if self.database.in_a_hurry:
            self.put_off.append((run_id, ended))
        else:
            self._seal_or_say(run_id, ended=ended)

    def _seal_or_say(self, run_id: str, *, ended: bool) -> None:
        try:
            self._seal(run_id, ended=ended)
        except DovetailError as failure:
            import logging

            message = "The history of run %s stays in rows for now, which takes more room and time than blocks: %s"
            logging.getLogger(__name__).warning(message, run_id, failure)

    def _seal(self, run_id: str, *, ended: bool) -> None:
        more = True
        while more:
            left, more = self._seal_some(run_id, ended=ended)
            self.growth.settle(run_id, left)
            if more:
                time.sleep(_BREATH)

    def _seal_some(self, run_id: str, *, ended: bool) -> Outcome:
        """Seal as much as one transaction should: those who log to the run get their turn behind it."""
        from dovetail_sql.sealing import step

        with self.database.write() as transaction:
            return step(transaction, self._run(transaction, run_id).id, ended=ended)
