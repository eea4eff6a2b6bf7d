"""Statements about who sees to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, null, select, update

from dovetail.values import LifecycleStage, RunStatus
from dovetail_sql import tables as t
from dovetail_sql.functions import Clock

if TYPE_CHECKING:
    from sqlalchemy.sql.expression import Executable

    from dovetail_sql.statements.parts import Put

__all__ = ["MANY", "fixed"]

MANY: dict[str, tuple[str, ...]] = {}

_r, _l = t.runs, t.leases


def fixed(put: Put) -> dict[str, Executable]:
    """All of them by name."""
    run, holder = _l.c.run == bindparam("run"), _l.c.holder == bindparam("holder")
    held = select(_l.c.run, _r.c.run_id, _l.c.beat).join_from(_l, _r).where(_r.c.stage == LifecycleStage.ACTIVE)
    return {
        "take_lease": _taken(put),
        "end_lease": delete(_l).where(run),
        "end_own_lease": delete(_l).where(run, holder),
        "lease_elsewhere": select(_l.c.run).where(run, _l.c.holder != bindparam("holder"), _l.c.lapse > Clock()),
        "beat": update(_l).where(holder).values(beat=Clock(), lapse=Clock() + bindparam("length")),
        "revive_runs": update(_r)
        .where(_r.c.status == RunStatus.CRASHED, _r.c.id.in_(select(_l.c.run).where(holder)))
        .values(status=RunStatus.RUNNING, end_time=null()),
        "lapsed": held.where(_l.c.lapse <= Clock()),
        "held": held.where(holder, _l.c.lapse.is_not(None)),
        "reap_lapsed": update(_l).where(run, _l.c.lapse <= Clock()).values(lapse=null()),
        "reap_held": update(_l).where(run, holder, _l.c.lapse.is_not(None)).values(lapse=null()),
        "crash_run": update(_r)
        .where(_r.c.id == bindparam("id"))
        .values(status=RunStatus.CRASHED, end_time=bindparam("new_end_time")),
    }


def _taken(put: Put) -> Executable:
    length: Any = bindparam("length")
    new = put(_l).values(run=bindparam("run"), holder=bindparam("holder"), beat=Clock(), lapse=Clock() + length)
    columns = {name: new.excluded[name] for name in ("holder", "beat", "lapse")}
    return new.on_conflict_do_update(index_elements=["run"], set_=columns)
