"""Params, which are written once, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dovetail.errors import ParamConflict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.values import Param
    from dovetail_sql.database import Transaction
    from dovetail_sql.reading import RunRow

__all__ = ["LOGGED_MODEL", "RUN", "Kind", "Owner", "RunParams", "put_params"]


class Kind(NamedTuple):
    """What has params.

    Args:
        word: What messages call one.
        add: The statement that adds a param unless there is one of that key.
        held: The statement that reads the params of some.
        among: The parameter of that statement that lists their numbers.
    """

    word: str
    add: str
    held: str
    among: str


RUN = Kind("run", "add_param", "params_of", "runs")
LOGGED_MODEL = Kind("logged model", "add_model_param", "model_params_of", "models")


class Owner(NamedTuple):
    """Whose params they are.

    Args:
        kind: What it is.
        number: Its number.
        id: Its id, for messages.
    """

    kind: Kind
    number: int
    id: str


class RunParams:
    """The params of several runs, and those that are added to them one batch after the other.

    Args:
        transaction: It has locked the runs.
        runs: The numbers of the runs that get any.
        ids: The numbers of all keys.
    """

    def __init__(self, transaction: Transaction, runs: Sequence[int], ids: Mapping[str, int]) -> None:
        held = transaction.rows(RUN.held, {RUN.among: transaction.listed(runs)}) if runs else []
        self._held = {(run, key): value for run, key, value in held}
        self._added: dict[tuple[int, int], str] = {}
        self._ids = ids

    def new(self, run: RunRow, params: Sequence[Param]) -> dict[tuple[int, int], str]:
        """Those of some params that a run does not have yet, by the numbers of run and key.

        Raises:
            ParamConflict: It has one of the others with another value.
        """
        new: dict[tuple[int, int], str] = {}
        for param in params:
            place = run.id, self._ids[param.key]
            held = self._held[place] if place in self._held else new.setdefault(place, param.value)
            _require_same(Owner(RUN, run.id, run.run_id), param.key, held, param.value)
        return new

    def add(self, new: Mapping[tuple[int, int], str]) -> None:
        """From now on the runs have these, too."""
        self._held.update(new)
        self._added.update(new)

    def write(self, transaction: Transaction) -> None:
        """Store what was added."""
        if self._added:
            transaction.many(RUN.add, [(*place, value) for place, value in self._added.items()])


def put_params(transaction: Transaction, owner: Owner, params: Sequence[Param], ids: Mapping[str, int]) -> None:
    """Add params; the same value again is fine.

    Args:
        transaction: Where to write.
        owner: Whose they are.
        params: The params.
        ids: The numbers of their keys.

    Raises:
        ParamConflict: One of them has another value.
    """
    wanted: dict[str, str] = {}
    for param in params:
        _require_same(owner, param.key, wanted.setdefault(param.key, param.value), param.value)
    rows = [(owner.number, ids[key], value) for key, value in wanted.items()]
    if rows and transaction.many(owner.kind.add, rows) < len(rows):
        _require_held(transaction, owner, {ids[key]: (key, value) for key, value in wanted.items()})


def _require_held(transaction: Transaction, owner: Owner, wanted: Mapping[int, tuple[str, str]]) -> None:
    """Raise unless the params that are there have the wanted values; those are by the numbers of their keys."""
    asked = {owner.kind.among: transaction.listed([owner.number])}
    for _, number, held in transaction.rows(owner.kind.held, asked):
        if number in wanted:
            key, value = wanted[number]
            _require_same(owner, key, held, value)


def _require_same(owner: Owner, key: str, held: str, wanted: str) -> None:
    if held != wanted:
        raise ParamConflict(
            f"Param {key!r} of {owner.kind.word} {owner.id} is {held!r}, not {wanted!r}.",
            hint="Params are written once; use another key, or a tag.",
        )
