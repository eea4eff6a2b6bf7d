"""Stories about logged models."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import AlreadyExists, InvalidInput, InvalidState, NotFound, ParamConflict
from dovetail.testing.concurrency import THREADS, attempted, together
from dovetail.testing.tracking_store.base import Stories, batch_of, started
from dovetail.values import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, NewLoggedModel, Param, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dovetail.tracking.store import TrackingStore

__all__ = ["LoggedModelStories", "made"]

UNKNOWN = "m-" + "0" * 32


def made(store: TrackingStore, experiment_id: str = "0", **fields: object) -> str:
    """Create a logged model and return its id."""
    return store.create_logged_model(NewLoggedModel(experiment_id, **fields)).model_id  # type: ignore[arg-type]


def told(model: LoggedModel) -> tuple[object, ...]:
    """Everything about a model in a form that compares, NaN included."""
    fields = model.to_dictionary()
    points = fields.pop("metrics")
    return fields, [{**point, "value": repr(point["value"])} for point in points]


def measured(model_id: str, value: float, step: int = 0, key: str = "acc") -> Metric:
    """A point of a metric of a logged model."""
    return Metric(key, value, timestamp=1000 + step, step=step, model_id=model_id)


def found(store: TrackingStore, experiment_ids: Sequence[str]) -> list[str]:
    """The ids of the models that a search of these experiments finds."""
    return [model.model_id for model in store.search_logged_models(experiment_ids)]


class LoggedModelStories(Stories):
    """Models as things of their own."""

    def test_a_model_is_there_when_the_call_returns(self, store: TrackingStore) -> None:
        """What a model was created with is read back, and its files have a place of its own."""
        experiment_id = store.create_experiment("wine", "mem://wine")
        run_id = started(store, experiment_id)
        before = now_ms()
        new = NewLoggedModel(
            experiment_id,
            name="tree é",
            source_run_id=run_id,
            model_type="classifier",
            params=(Param("depth", "3"),),
            tags=(Tag("team", "🎉"), Tag("team", "b")),
        )
        created = store.create_logged_model(new)
        assert store.get_logged_model(new.model_id) == created
        assert (created.model_id, created.name, created.experiment_id) == (new.model_id, "tree é", experiment_id)
        assert (created.source_run_id, created.model_type) == (run_id, "classifier")
        assert (created.params, created.tags, created.metrics) == ({"depth": "3"}, {"team": "b"}, ())
        assert (created.status, created.status_message) == (LoggedModelStatus.PENDING, None)
        assert created.artifact_location == f"mem://wine/models/{new.model_id}/artifacts"
        assert before <= created.creation_timestamp == created.last_updated_timestamp <= now_ms()

    def test_a_model_needs_nothing_but_an_experiment(self, store: TrackingStore) -> None:
        """What was not given is absent; several models may have one name."""
        models = [store.get_logged_model(made(store, creation_timestamp=5)) for _ in range(2)]
        assert {model.name for model in models} == {"model"}
        assert {(model.source_run_id, model.model_type, model.creation_timestamp) for model in models} == {
            (None, None, 5)
        }
        root = store.get_experiment("0").artifact_location
        assert models[0].artifact_location == f"{root}/models/{models[0].model_id}/artifacts"

    def test_only_active_experiments_take_models(self, store: TrackingStore) -> None:
        """Creating a model in an unknown experiment is NotFound, in a deleted one InvalidInput."""
        experiment_id = store.create_experiment("wine")
        store.delete_experiment(experiment_id)
        with pytest.raises(InvalidInput):
            made(store, experiment_id)
        with pytest.raises(NotFound):
            made(store, "77777")

    def test_the_id_of_a_model_is_taken_for_good(self, store: TrackingStore) -> None:
        """Creating a model whose id exists raises AlreadyExists, also if that one is deleted, and changes nothing."""
        model_id = made(store, name="a", params=(Param("p", "1"),))
        before = told(store.get_logged_model(model_id))
        with pytest.raises(AlreadyExists):
            made(store, name="b", model_id=model_id, params=(Param("q", "2"),))
        assert told(store.get_logged_model(model_id)) == before
        store.delete_logged_model(model_id)
        with pytest.raises(AlreadyExists):
            made(store, model_id=model_id)

    def test_a_refused_model_leaves_nothing(self, store: TrackingStore) -> None:
        """A model that was to have two values of one param is not created."""
        with pytest.raises(ParamConflict):
            made(store, model_id=UNKNOWN, params=(Param("a", "1"), Param("a", "2")))
        with pytest.raises(NotFound):
            store.get_logged_model(UNKNOWN)

    # --- changes ---------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("status", ["READY", "FAILED", "PENDING", "UNSPECIFIED"])
    def test_a_model_has_the_status_it_was_given(self, store: TrackingStore, status: str) -> None:
        """Updating returns the model as it is then, and when that was."""
        model_id = made(store, creation_timestamp=5, params=(Param("a", "1"),))
        updated = store.update_logged_model(model_id, status=status, status_message="so it is")
        assert updated == store.get_logged_model(model_id)
        assert (updated.status, updated.status_message) == (LoggedModelStatus(status), "so it is")
        assert (updated.params, updated.creation_timestamp) == ({"a": "1"}, 5)
        assert updated.last_updated_timestamp > 5
        kept = store.update_logged_model(model_id, tags=[Tag("a", "b")])
        assert (kept.status, kept.status_message) == (LoggedModelStatus(status), "so it is")

    def test_params_of_a_model_are_written_once(self, store: TrackingStore) -> None:
        """A param may be given again with its value; another value is a ParamConflict and changes nothing at all."""
        model_id = made(store, params=(Param("a", "1"),))
        updated = store.update_logged_model(model_id, params=[Param("b", "2"), Param("a", "1"), Param("b", "2")])
        assert updated.params == {"a": "1", "b": "2"}
        before = told(updated)
        for params in ([Param("c", "3"), Param("a", "1 ")], [Param("c", "3"), Param("c", "4")]):
            with pytest.raises(ParamConflict):
                store.update_logged_model(model_id, status="READY", params=params, tags=[Tag("t", "1")])
        assert told(store.get_logged_model(model_id)) == before

    def test_tags_of_a_model_are_replaced_and_removed(self, store: TrackingStore) -> None:
        """A tag takes its new value, of two the last; others stay, and one can be taken away."""
        model_id = made(store, tags=(Tag("a", "1"), Tag("b", "2"), Tag("A", "3")))
        updated = store.update_logged_model(model_id, tags=[Tag("a", "4"), Tag("c", ""), Tag("a", "5")])
        assert updated.tags == {"a": "5", "b": "2", "A": "3", "c": ""}
        store.delete_logged_model_tag(model_id, "a")
        assert store.get_logged_model(model_id).tags == {"b": "2", "A": "3", "c": ""}
        with pytest.raises(NotFound):
            store.delete_logged_model_tag(model_id, "a")

    def test_what_is_unknown_is_not_found(self, store: TrackingStore) -> None:
        """Reading, changing and deleting a model that is none raises NotFound."""
        for call in (
            lambda: store.get_logged_model(UNKNOWN),
            lambda: store.get_logged_model(UNKNOWN, allow_deleted=True),
            lambda: store.update_logged_model(UNKNOWN, status="READY"),
            lambda: store.delete_logged_model_tag(UNKNOWN, "a"),
            lambda: store.delete_logged_model(UNKNOWN),
            lambda: store.restore_logged_model(UNKNOWN),
        ):
            with pytest.raises(NotFound):
                call()

    def test_a_deleted_model_is_seen_only_on_request(self, store: TrackingStore) -> None:
        """A model in the bin is neither found, read, changed nor measured, but on request it is read as it was."""
        run_id, model_id, other = started(store), made(store, params=(Param("a", "1"),)), made(store)
        store.delete_logged_model(model_id)
        assert found(store, ["0"]) == [other]
        for call in (
            lambda: store.get_logged_model(model_id),
            lambda: store.update_logged_model(model_id, tags=[Tag("a", "b")]),
            lambda: store.delete_logged_model(model_id),
            lambda: store.log_batch(run_id, batch_of(measured(model_id, 0.5))),
        ):
            with pytest.raises(NotFound):
                call()
        assert store.get_logged_model(model_id, allow_deleted=True).params == {"a": "1"}

    def test_a_restored_model_is_as_it_was(self, store: TrackingStore) -> None:
        """It is found, read, changed and measured as before, and lies in the bin no more; it can be deleted again."""
        run_id, model_id = started(store), made(store, params=(Param("a", "1"),), tags=(Tag("t", "1"),))
        store.log_batch(run_id, batch_of(measured(model_id, 0.5)))
        store.log_outputs(run_id, [LoggedModelOutput(model_id, 3)])
        before = store.get_logged_model(model_id)
        store.delete_logged_model(model_id)
        store.restore_logged_model(model_id)
        restored = store.get_logged_model(model_id)
        assert replace(restored, last_updated_timestamp=before.last_updated_timestamp) == before
        assert restored.last_updated_timestamp >= before.last_updated_timestamp
        assert (found(store, ["0"]), list(store.discarded())) == ([model_id], [])
        store.log_batch(run_id, batch_of(measured(model_id, 0.6, 1)))
        assert len(store.update_logged_model(model_id, tags=[Tag("t", "2")]).metrics) == 2
        assert [each.model_id for each in store.get_run(run_id).outputs.model_outputs] == [model_id]
        store.delete_logged_model(model_id)
        assert found(store, ["0"]) == []

    def test_restoring_a_model_that_is_in_use_changes_nothing(self, store: TrackingStore) -> None:
        """A model that was never deleted, or was restored already, stays as it is."""
        model_id = made(store)
        before = told(store.get_logged_model(model_id))
        store.restore_logged_model(model_id)
        assert told(store.get_logged_model(model_id)) == before

    def test_a_model_comes_back_only_into_an_experiment_that_is_there(self, store: TrackingStore) -> None:
        """Restoring a model of a deleted experiment raises InvalidState, and it stays in the bin by itself."""
        experiment_id = store.create_experiment("wine")
        gone, other = made(store, experiment_id), made(store, experiment_id)
        store.delete_logged_model(gone)
        store.delete_experiment(experiment_id)
        for model_id in (gone, other):
            with pytest.raises(InvalidState):
                store.restore_logged_model(model_id)
        store.restore_experiment(experiment_id)
        assert found(store, [experiment_id]) == [other]
        store.restore_logged_model(gone)
        assert set(found(store, [experiment_id])) == {gone, other}

    def test_a_deleted_experiment_takes_its_models_out_of_searches(self, store: TrackingStore) -> None:
        """Models of a deleted experiment are not found until it is restored; by their ids they can be read."""
        experiment_id = store.create_experiment("wine")
        model_id = made(store, experiment_id)
        store.delete_experiment(experiment_id)
        assert found(store, [experiment_id]) == []
        assert store.get_logged_model(model_id).experiment_id == experiment_id
        store.restore_experiment(experiment_id)
        assert found(store, [experiment_id]) == [model_id]

    def test_without_an_order_the_newest_model_comes_first(self, store: TrackingStore) -> None:
        """Models go by creation time, latest first, then by id, page by page, from the experiments asked for."""
        experiment_id = store.create_experiment("wine")
        ids = [f"m-{number}" for number in range(5)]
        for model_id, created in zip(ids, (1, 3, 2, 3, 0), strict=True):
            made(store, experiment_id, model_id=model_id, creation_timestamp=created)
        made(store)
        wanted = [ids[each] for each in (1, 3, 2, 0, 4)]
        assert found(store, [experiment_id, "77777", "no number"]) == wanted
        pages, token = [], None
        for _ in range(3):
            page = store.search_logged_models([experiment_id], max_results=2, page_token=token)
            pages.append([model.model_id for model in page])
            token = page.token
        assert (pages, token) == ([wanted[:2], wanted[2:4], wanted[4:]], None)

    # --- metrics ---------------------------------------------------------------------------------------------

    def test_linked_metrics_are_points_of_model_and_run(self, store: TrackingStore) -> None:
        """A metric that names a model is a point of both, and the model's says which run logged it."""
        one, other, model_id = started(store), started(store), made(store)
        store.log_batch(one, batch_of(measured(model_id, 0.5, 2), measured(model_id, float("nan"), 1)))
        store.log_batch(other, batch_of(measured(model_id, float("-inf"), 3), Metric("acc", 1.0, 5000)))
        points = store.get_logged_model(model_id).metrics
        assert [(repr(each.value), each.step, each.timestamp, each.run_id) for each in points] == [
            ("nan", 1, 1001, one),
            ("0.5", 2, 1002, one),
            ("-inf", 3, 1003, other),
        ]
        assert {(each.key, each.model_id, each.dataset_name, each.dataset_digest) for each in points} == {
            ("acc", model_id, None, None)
        }
        assert store.get_run(one).data.metrics == {"acc": 0.5}
        assert [(each.value, each.model_id) for each in store.get_metric_history(other, "acc")] == [
            (float("-inf"), None),
            (1.0, None),
        ]

    def test_points_of_a_model_go_by_timestamp_then_step_then_key(self, store: TrackingStore) -> None:
        """However they were logged, points come in one order."""
        run_id, model_id = started(store), made(store)
        places = [(1, 2, "a"), (1, 1, "b"), (0, 9, "z"), (1, 1, "a"), (2, -1, "a")]
        store.log_batch(run_id, batch_of(*(Metric(key, 0.5, at, step, model_id) for at, step, key in places)))
        points = store.get_logged_model(model_id).metrics
        assert [(each.timestamp, each.step, each.key) for each in points] == sorted(places)

    def test_identical_points_of_a_model_are_one_point(self, store: TrackingStore) -> None:
        """The same point of the same run is there once, whenever it was logged; another run's is another point."""
        one, other, model_id = started(store), started(store), made(store)
        nan = float("nan")
        for run_id in (one, one, other):
            point = measured(model_id, 0.5)
            store.log_batch(run_id, batch_of(point, point, measured(model_id, nan), measured(model_id, nan)))
        points = store.get_logged_model(model_id).metrics
        assert sorted((each.run_id or "", repr(each.value)) for each in points) == sorted(
            (run_id, value) for run_id in (one, other) for value in ("0.5", "nan")
        )

    def test_an_unknown_model_keeps_the_whole_batch_out(self, store: TrackingStore) -> None:
        """One metric of a model that is none raises NotFound, and nothing of its batch is stored anywhere."""
        run_id, model_id = started(store), made(store)
        refused = batch_of(measured(model_id, 0.5), measured(UNKNOWN, 0.6), params={"a": "1"}, tags={"b": "2"})
        with pytest.raises(NotFound):
            store.log_batch(run_id, refused)
        data = store.get_run(run_id).data
        assert (data.metrics, data.params, data.tags) == ({}, {}, {})
        assert list(store.get_metric_history(run_id, "acc")) == []
        assert store.get_logged_model(model_id).metrics == ()

    def test_a_refused_batch_adds_no_point_to_a_model(self, store: TrackingStore) -> None:
        """A param conflict keeps the points out of the model as well."""
        run_id, model_id = started(store), made(store)
        store.log_batch(run_id, batch_of(params={"a": "1"}))
        with pytest.raises(ParamConflict):
            store.log_batch(run_id, batch_of(measured(model_id, 0.5), params={"a": "2"}))
        assert store.get_logged_model(model_id).metrics == ()

    # --- others ----------------------------------------------------------------------------------------------

    def test_one_of_several_threads_creates_a_model(self, store: TrackingStore) -> None:
        """Of threads that create one model id at once exactly one succeeds."""
        new = NewLoggedModel("0")
        models = together(lambda _: attempted(lambda: store.create_logged_model(new), AlreadyExists))
        assert sum(model is not None for model in models) == 1

    def test_threads_that_write_to_one_model_lose_nothing(self, store: TrackingStore) -> None:
        """All params, tags and points of all threads are there; models they create meanwhile, too."""
        run_id, model_id = started(store), made(store)

        def work(number: int) -> list[str]:
            ids = []
            for step in range(5):
                key = f"{number}-{step}"
                store.update_logged_model(model_id, params=[Param(key, key)], tags=[Tag(key, key)])
                store.log_batch(run_id, batch_of(measured(model_id, float(number), step, key)))
                ids.append(made(store, name=key))
            return ids

        ids = [each for of_thread in together(work) for each in of_thread]
        keys = {f"{number}-{step}" for number in range(THREADS) for step in range(5)}
        model = store.get_logged_model(model_id)
        assert (set(model.params), set(model.tags)) == (keys, keys)
        assert {point.key for point in model.metrics} == keys
        assert set(found(store, ["0"])) == {*ids, model_id}

    def test_one_of_several_values_of_a_models_param_wins(self, store: TrackingStore) -> None:
        """Of threads that give one param different values one succeeds; nothing of the others is stored."""
        for _ in range(3):
            model_id = made(store)

            def work(number: int, model_id: str = model_id) -> LoggedModel | None:
                change = [Param("lr", str(number))], [Tag(f"t{number}", "1")]
                return attempted(
                    lambda: store.update_logged_model(model_id, params=change[0], tags=change[1]), ParamConflict
                )

            (winner,) = [model for model in together(work) if model is not None]
            model = store.get_logged_model(model_id)
            assert model.params == winner.params
            assert model.tags == {f"t{model.params['lr']}": "1"}

    def test_models_are_there_after_opening_again(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """Models with all they hold, deleted ones included, are the same in another instance."""
        run_id, model_id, gone = started(store), made(store, tags=(Tag("a", "1"),)), made(store)
        store.log_batch(run_id, batch_of(measured(model_id, float("nan")), measured(model_id, 0.5, 1)))
        store.update_logged_model(model_id, status="FAILED", status_message="no disk", params=[Param("p", "1")])
        store.delete_logged_model(gone)
        before = [told(store.get_logged_model(each, allow_deleted=True)) for each in (model_id, gone)]
        store.close()
        with closing(reopen(store)) as again:
            assert [told(again.get_logged_model(each, allow_deleted=True)) for each in (model_id, gone)] == before
            assert found(again, ["0"]) == [model_id]
