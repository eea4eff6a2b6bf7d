"""The aliases and stages of the registry, and the history of their moves."""

from __future__ import annotations

# ruff: noqa: D102 - the docstrings of these methods stand in the interface
from typing import TYPE_CHECKING

from dovetail.registry.refusals import alias_moved, stage_moved
from dovetail.registry.store import ANYWHERE, Anywhere, RegistryStore
from dovetail.values import Page
from dovetail_sql import tokens
from dovetail_sql.registry.finding import RegistryPart, touch
from dovetail_sql.registry.notes import Occasion, note, note_all
from dovetail_sql.registry.rows import model_versions, move_of

if TYPE_CHECKING:
    from dovetail.values import ModelVersion, RegistryMove
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.registry.rows import ModelRow, VersionRow

__all__ = ["Moves"]

_LAST = 2**63 - 1
_ARCHIVED = "Archived"


class Moves(RegistryPart, RegistryStore):
    """Moves."""

    def move_alias(
        self,
        name: str,
        alias: str,
        version: int | None,
        *,
        expected: int | Anywhere | None = ANYWHERE,
        user_id: str = "",
        reason: str = "",
    ) -> RegistryMove | None:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            if version is not None:
                self._version(transaction, model, version)
            here = _place(transaction, model, alias)
            if not isinstance(expected, Anywhere) and here != expected:
                raise alias_moved(name, alias, here, expected)
            if here == version:
                return None
            move = Occasion(user_id, reason).move(model, "alias", alias, here, version)
            _point(transaction, model, alias, version, move)
            return note(transaction, model, move)

    def transition_stage(
        self,
        name: str,
        version: int,
        stage: str,
        *,
        expected: str | Anywhere = ANYWHERE,
        archive_existing: bool = False,
        user_id: str = "",
        reason: str = "",
    ) -> ModelVersion:
        with self.database.write() as transaction:
            model = self._model(transaction, name)
            row, occasion = self._version(transaction, model, version), Occasion(user_id, reason)
            if not isinstance(expected, Anywhere) and row.stage != expected:
                raise stage_moved(name, version, row.stage, expected)
            if archive_existing and stage != _ARCHIVED:
                _archive_others(transaction, model, version, stage, occasion)
            if row.stage != stage:
                row = _stage(transaction, model, row, stage, occasion)
            return model_versions(transaction, [row])[0]

    def get_history(
        self, name: str, what: str | None = None, max_results: int = 100, page_token: str | None = None
    ) -> Page[RegistryMove]:
        question = ("moves", name, what)
        (before,) = [_LAST] if page_token is None else tokens.read(page_token, question, [(int,)])
        with self.database.read() as transaction:
            rows = _history(transaction, name, what, before, max_results + 1)
        more = 0 < max_results < len(rows)
        token = tokens.make(question, [rows[max_results - 1][0]]) if more else None
        return Page([move_of(row) for row in rows[:max_results]], token)


def _place(transaction: Transaction, model: ModelRow, alias: str) -> int | None:
    row = transaction.first("registry_alias", {"model": model.id, "alias": alias})
    return None if row is None else int(row[0])


def _point(transaction: Transaction, model: ModelRow, alias: str, version: int | None, move: RegistryMove) -> None:
    mine = {"model": model.id, "alias": alias}
    if version is None:
        transaction.run("delete_registry_alias", mine)
    else:
        transaction.run("put_registry_alias", {**mine, "version": version})
    here = None if move.before is None else int(move.before)
    transaction.run("touch_aliased", {"model": model.id, "before": here, "after": version, "now": move.timestamp})
    touch(transaction, model, move.timestamp)


def _archive_others(transaction: Transaction, model: ModelRow, version: int, stage: str, occasion: Occasion) -> None:
    staged = {"model": model.id, "version": version, "stage": stage}
    others = [number for (number,) in transaction.rows("others_in_stage", staged)]
    if others:
        transaction.run("stage_others", {**staged, "to_stage": _ARCHIVED, "now": occasion.timestamp})
        note_all(transaction, model, [occasion.move(model, "stage", each, stage, _ARCHIVED) for each in others])
        touch(transaction, model, occasion.timestamp)


def _stage(transaction: Transaction, model: ModelRow, row: VersionRow, stage: str, occasion: Occasion) -> VersionRow:
    now = occasion.timestamp
    transaction.run("stage_model_version", {"id": row.id, "to_stage": stage, "now": now})
    touch(transaction, model, now)
    note(transaction, model, occasion.move(model, "stage", row.version, row.stage, stage))
    return row._replace(stage=stage, last_update_time=now)


def _history(transaction: Transaction, name: str, what: str | None, before: int, most: int) -> list[Row]:
    row = transaction.first("history_of", {"name": name})
    if row is None or row[0] is None:
        return []
    asked = {"model": row[0], "before": before, "limit": most}
    return transaction.rows("moves", asked) if what is None else transaction.rows("moves_of", {**asked, "what": what})
