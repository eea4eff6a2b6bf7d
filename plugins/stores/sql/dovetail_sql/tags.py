"""Tags of runs, within one transaction."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dovetail.values import Tag
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.reading import RunRow

__all__ = ["RUN_NAME", "put_first_tags", "put_tags"]

RUN_NAME = "mlflow.runName"


class _Setting(NamedTuple):
    """What becomes of a tag.

    Args:
        value: Its new value.
        set_at: When it was set.
        late: Whether the one that is stored stays if it was set later.
    """

    value: str
    set_at: int
    late: bool


def put_first_tags(transaction: Transaction, run: int, tags: Mapping[str, str]) -> None:
    """Set the tags of a run, by its number, that is new and has its name."""
    now = now_ms()
    _put(transaction, {run: {key: _Setting(value, now, late=False) for key, value in tags.items()}})


def put_tags(transaction: Transaction, logged: Iterable[tuple[RunRow, Sequence[Tag]]]) -> None:
    """Set tags of runs, batch by batch; the one that carries a run's name renames it.

    Of two in one batch the last one holds. One set in the past takes no newer one's place.
    """
    now, runs = now_ms(), {}
    settings: dict[int, dict[str, _Setting]] = {}
    for run, tags in logged:
        runs[run.id] = run
        of_run = settings.setdefault(run.id, {})
        for tag in {tag.key: tag for tag in tags}.values():
            of_run[tag.key] = _following(of_run.get(tag.key), tag, now)
    _put(transaction, settings)
    _rename(transaction, [run for run in runs.values() if RUN_NAME in settings[run.id]], settings)


def _following(before: _Setting | None, tag: Tag, now: int) -> _Setting:
    """What becomes of a tag that is set behind another one of its key."""
    if tag.set_at is None:
        return _Setting(tag.value, now, late=False)
    if before is None:
        return _Setting(tag.value, tag.set_at, late=True)
    # What takes the place of one that holds in any case holds itself.
    return before._replace(value=tag.value, set_at=tag.set_at) if tag.set_at >= before.set_at else before


def _put(transaction: Transaction, settings: dict[int, dict[str, _Setting]]) -> None:
    ids = transaction.keys.ids(transaction, chain.from_iterable(settings.values()))
    rows: dict[str, list[Row]] = {"put_tag": [], "put_late_tag": []}
    for run, of_run in settings.items():
        for key, (value, set_at, late) in of_run.items():
            rows["put_late_tag" if late else "put_tag"].append((run, ids[key], value, set_at))
    for statement, those in rows.items():
        if those:
            transaction.many(statement, those)


def _rename(transaction: Transaction, runs: Sequence[RunRow], settings: dict[int, dict[str, _Setting]]) -> None:
    late = [run.id for run in runs if settings[run.id][RUN_NAME].late]
    held = _names_of(transaction, late) if late else {}
    for run in runs:
        name = held.get(run.id, settings[run.id][RUN_NAME].value)
        if name != run.name:
            transaction.run("rename_run", {"id": run.id, "new_name": name})


def _names_of(transaction: Transaction, runs: Sequence[int]) -> dict[int, str]:
    """What the tags of the name say now, by the numbers of the runs."""
    key = transaction.keys.ids(transaction, [RUN_NAME])[RUN_NAME]
    held = transaction.rows("tags_of", {"runs": transaction.listed(runs)})
    return {run: str(value) for run, found, value in held if found == key}
