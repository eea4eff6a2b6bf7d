"""Runs with their children: deleted, restored and moved together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail import Client
from dovetail.errors import InvalidInput, InvalidState, NotFound, RunEnded
from dovetail.tracking.families import descendants

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore

PARENT = "mlflow.parentRunId"


def run(parent: str | None = None, experiment_id: str = "0") -> str:
    tags = {} if parent is None else {PARENT: parent}
    return Client().create_run(experiment_id, tags=tags).info.run_id


def stages(*run_ids: str) -> list[str]:
    return [dovetail.get_run(each).info.lifecycle_stage for each in run_ids]


def places(*run_ids: str) -> list[str]:
    return [dovetail.get_run(each).info.experiment_id for each in run_ids]


@pytest.fixture
def family(store: TrackingStore) -> tuple[str, str, str, str]:
    """A run with two children, one with a child of its own in another experiment."""
    elsewhere = dovetail.create_experiment("elsewhere")
    top = run()
    first, second = run(top), run(top)
    return top, first, second, run(first, elsewhere)


class TestDescendants:
    def test_of_any_depth_wherever_they_lie(self, store: TrackingStore, family: tuple[str, ...]) -> None:
        top, first, second, grandchild = family
        dovetail.delete_run(first)
        assert set(descendants(store, [top])) == {first, second, grandchild}
        assert descendants(store, [top])[-1] == grandchild
        assert descendants(store, [grandchild]) == []

    def test_in_a_circle(self, store: TrackingStore) -> None:
        top = run()
        child = run(top)
        Client().set_tag(top, PARENT, child)
        alone = run()
        Client().set_tag(alone, PARENT, alone)
        assert descendants(store, [top]) == [child]
        assert descendants(store, [alone]) == []

    def test_of_very_many(self, store: TrackingStore) -> None:
        top = run()
        children = [run(top) for _ in range(250)]
        grandchildren = [run(child) for child in children]
        assert set(descendants(store, [top])) == {*children, *grandchildren}

    def test_of_several_that_belong_together(self, store: TrackingStore, family: tuple[str, ...]) -> None:
        top, first, second, grandchild = family
        assert set(descendants(store, [top, first])) == {second, grandchild}


class TestDeleting:
    def test_children_stay_unless_asked_for(self, family: tuple[str, ...]) -> None:
        dovetail.delete_run(family[0])
        assert stages(*family) == ["deleted", "active", "active", "active"]

    def test_all_below_go_along_and_come_back(self, family: tuple[str, ...]) -> None:
        dovetail.delete_run(family[0], cascade=True)
        assert stages(*family) == ["deleted"] * 4
        dovetail.restore_run(family[0], cascade=True)
        assert stages(*family) == ["active"] * 4

    def test_below_a_child_that_is_deleted_already(self, family: tuple[str, ...]) -> None:
        Client().delete_run(family[1])
        Client().delete_run(family[0], cascade=True)
        assert stages(*family) == ["deleted"] * 4

    def test_a_run_that_is_not_there(self, store: TrackingStore) -> None:
        with pytest.raises(NotFound):
            dovetail.delete_run("nobody", cascade=True)
        with pytest.raises(NotFound):
            dovetail.restore_run("nobody", cascade=True)

    def test_a_child_in_a_deleted_experiment_does_not_come_back_alone(self, family: tuple[str, ...]) -> None:
        dovetail.delete_run(family[0], cascade=True)
        elsewhere = dovetail.get_run(family[3]).info.experiment_id
        dovetail.delete_experiment(elsewhere)
        with pytest.raises(InvalidState):
            dovetail.restore_run(family[0], cascade=True)
        dovetail.restore_experiment(elsewhere)
        dovetail.restore_run(family[0], cascade=True)
        assert stages(*family) == ["active"] * 4


class TestMoving:
    def test_by_the_experiments_id_or_name(self, store: TrackingStore) -> None:
        there = dovetail.create_experiment("there")
        runs = [run(), run()]
        assert dovetail.move_runs(runs[0], "there") == [runs[0]]
        assert dovetail.move_runs(runs, there) == runs
        assert places(*runs) == [there, there]
        Client().move_run(runs[0], "0")
        assert places(*runs) == ["0", there]

    def test_children_go_along_if_asked_for(self, family: tuple[str, ...]) -> None:
        there = dovetail.create_experiment("there")
        dovetail.delete_run(family[2])
        before = places(*family)
        dovetail.move_runs([family[0]], "there")
        assert places(*family) == [there, *before[1:]]
        assert set(dovetail.move_runs([family[0]], "there", children=True)) == {family[0], family[1], family[3]}
        assert places(*family) == [there, there, "0", there]

    def test_nothing_moves_if_something_is_wrong(self, store: TrackingStore) -> None:
        dovetail.create_experiment("there")
        deleted = dovetail.create_experiment("deleted")
        dovetail.delete_experiment(deleted)
        active, gone = run(), run()
        dovetail.delete_run(gone)
        with pytest.raises(RunEnded, match="no run was moved"):
            dovetail.move_runs([active, gone], "there")
        with pytest.raises(NotFound):
            dovetail.move_runs([active, "nobody"], "there")
        with pytest.raises(NotFound, match="id or name 'nowhere'"):
            dovetail.move_runs([active], "nowhere")
        with pytest.raises(InvalidInput, match="deleted"):
            dovetail.move_runs([active], "deleted")
        assert places(active, gone) == ["0", "0"]

    def test_a_name_that_is_the_id_of_another(self, store: TrackingStore) -> None:
        other = dovetail.create_experiment("other")
        named = dovetail.create_experiment(other)
        with pytest.raises(InvalidInput, match="the id of one experiment and the name of another"):
            dovetail.move_runs([run()], other)
        one = dovetail.create_experiment("99")
        moved = run()
        dovetail.move_runs([moved], "99")
        assert places(moved) == [one]
        assert named != other
