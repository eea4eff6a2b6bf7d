"""Stories about what runs used and made."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import NotFound, RunEnded
from dovetail.testing.concurrency import THREADS, together
from dovetail.testing.tracking_store.base import Stories, batch_of, started
from dovetail.testing.tracking_store.logged_models import UNKNOWN, made
from dovetail.values import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    NewRun,
    RunInputs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.tracking.store import TrackingStore
    from dovetail.values import Run

__all__ = ["LinkStories"]

CONTEXT = "mlflow.data.context"


def data(name: str = "wine", digest: str = "1", source: str = "{}", **more: str) -> Dataset:
    """A dataset."""
    return Dataset(name, digest, "local", source, **more)


def used(dataset: Dataset, **tags: str) -> DatasetInput:
    """A dataset as the input of a run, with these tags; ``context`` is the tag that has a meaning."""
    named = {CONTEXT if key == "context" else key: value for key, value in tags.items()}
    return DatasetInput(dataset, tuple(InputTag(key, value) for key, value in named.items()))


def inputs(store: TrackingStore, run_id: str) -> RunInputs:
    """What a run used."""
    return store.get_run(run_id).inputs


def labels(run: Run) -> list[tuple[str, str, dict[str, str]]]:
    """Name, digest and tags of the datasets that a run used."""
    return [
        (each.dataset.name, each.dataset.digest, {tag.key: tag.value for tag in each.tags})
        for each in run.inputs.dataset_inputs
    ]


class LinkStories(Stories):
    """Datasets and logged models as inputs and outputs of runs."""

    def test_a_run_without_links_has_none(self, store: TrackingStore) -> None:
        """Inputs and outputs of a plain run are empty: of one just created, of one read, of one found."""
        created = store.create_run(NewRun("0"))
        for run in (created, store.get_run(created.info.run_id), *store.search_runs(["0"])):
            assert (run.inputs.dataset_inputs, run.inputs.model_inputs, run.outputs.model_outputs) == ((), (), ())

    def test_inputs_come_back_as_they_are(self, store: TrackingStore) -> None:
        """Datasets with every field and tag, and models, are there in the order in which they were logged."""
        run_id, models = started(store), [made(store) for _ in range(3)]
        full = data("wine é", "d" * 36, '{"path": "x"}', schema="🎉" * 9000, profile='{"num_rows": 2}')
        datasets = [used(full, context="training", team="a"), used(data("b")), used(data("a", "2"), z="")]
        store.log_inputs(run_id, datasets, [LoggedModelInput(each) for each in models[1:]])
        store.log_inputs(run_id, [used(data("a", "1"))], [LoggedModelInput(models[0])])
        for run in (store.get_run(run_id), *store.search_runs(["0"])):
            assert [each.dataset for each in run.inputs.dataset_inputs] == [full, data("b"), data("a", "2"), data("a")]
            assert [tags for _, _, tags in labels(run)] == [{CONTEXT: "training", "team": "a"}, {}, {"z": ""}, {}]
            assert [each.model_id for each in run.inputs.model_inputs] == [*models[1:], models[0]]

    def test_outputs_come_back_as_they_are(self, store: TrackingStore) -> None:
        """Models that a run made are there in the order in which they were logged, with their steps."""
        run_id, models = started(store), [made(store) for _ in range(3)]
        steps = dict(zip(models, (7, 0, -(2**63)), strict=True))
        store.log_outputs(run_id, [LoggedModelOutput(*each) for each in list(steps.items())[1:]])
        store.log_outputs(run_id, [LoggedModelOutput(models[0], 7)])
        run = store.get_run(run_id)
        logged = [(each, steps[each]) for each in (*models[1:], models[0])]
        assert [(each.model_id, each.step) for each in run.outputs.model_outputs] == logged
        assert run.inputs.model_inputs == ()

    def test_one_model_may_be_input_and_output(self, store: TrackingStore) -> None:
        """What a run used and what it made are told apart."""
        run_id, model_id = started(store), made(store)
        store.log_outputs(run_id, [LoggedModelOutput(model_id, 3)])
        store.log_inputs(run_id, models=[LoggedModelInput(model_id)])
        run = store.get_run(run_id)
        assert run.inputs.model_inputs == (LoggedModelInput(model_id),)
        assert run.outputs.model_outputs == (LoggedModelOutput(model_id, 3),)

    def test_what_is_noted_already_is_not_noted_twice(self, store: TrackingStore) -> None:
        """The same dataset or model again, in one call or a later one, is one input; a model made gets the new step."""
        run_id, model_id = started(store), made(store)
        for step in (1, 2):
            store.log_inputs(run_id, [used(data()), used(data())], [LoggedModelInput(model_id)] * 2)
            store.log_outputs(run_id, [LoggedModelOutput(model_id, step), LoggedModelOutput(model_id, step + 10)])
        run = store.get_run(run_id)
        assert labels(run) == [("wine", "1", {})]
        assert run.inputs.model_inputs == (LoggedModelInput(model_id),)
        assert run.outputs.model_outputs == (LoggedModelOutput(model_id, 12),)

    def test_the_first_tags_of_an_input_hold(self, store: TrackingStore) -> None:
        """A dataset used a second time, for something else, stays as it was; other runs have tags of their own."""
        one, other = started(store), started(store)
        store.log_inputs(one, [used(data(), context="training", a="1"), used(data(), context="test")])
        store.log_inputs(one, [used(data(), context="eval", b="2"), used(data("b"), b="3")])
        store.log_inputs(one, [used(data())])
        store.log_inputs(other, [used(data(), a="x")])
        assert labels(store.get_run(one)) == [("wine", "1", {CONTEXT: "training", "a": "1"}), ("b", "1", {"b": "3"})]
        assert labels(store.get_run(other)) == [("wine", "1", {"a": "x"})]

    def test_an_input_without_tags_gets_those_of_the_next_call(self, store: TrackingStore) -> None:
        """Whoever noted it first has not said what it is used for: a metric, say."""
        run_id = started(store)
        store.log_inputs(run_id, [used(data())])
        store.log_inputs(run_id, [used(data(), context="training")])
        store.log_inputs(run_id, [used(data(), context="eval")])
        assert labels(store.get_run(run_id)) == [("wine", "1", {CONTEXT: "training"})]

    def test_everything_may_be_as_long_as_it_may_be(self, store: TrackingStore) -> None:
        """In characters that need four bytes, and none of which repeat: indexes have limits of their own."""

        def long(length: int) -> str:
            return "".join(chr(0x20000 + (number * 7919) % 40_000) for number in range(length))

        run_id = started(store)
        given = DatasetInput(Dataset(long(500), long(36), "local", "{}"), (InputTag(long(255), long(500)),))
        store.log_inputs(run_id, [given])
        assert inputs(store, run_id).dataset_inputs == (given,)

    def test_an_experiment_knows_one_dataset_by_name_and_digest(self, store: TrackingStore) -> None:
        """What is noted first of source, schema and profile holds in the experiment; elsewhere it may differ."""
        elsewhere = store.create_experiment("elsewhere")
        one, other, far = started(store), started(store), started(store, elsewhere)
        first, later = data(source="first", schema="s"), data(source="later", profile="p")
        store.log_inputs(one, [used(first), used(later)])
        store.log_inputs(other, [used(later)])
        store.log_inputs(far, [used(later)])
        known = [inputs(store, each).dataset_inputs[0].dataset for each in (one, other, far)]
        assert known == [first, first, later]

    @pytest.mark.parametrize("other", [("Wine", "1"), ("wine ", "1"), ("wïne", "1"), ("wine", "1 "), ("wine", "A")])
    def test_datasets_are_the_same_only_to_the_letter(self, store: TrackingStore, other: tuple[str, str]) -> None:
        """Name and digest are compared character by character."""
        run_id = started(store)
        store.log_inputs(run_id, [used(data()), used(data("wine", "a")), used(data(*other))])
        assert [each[:2] for each in labels(store.get_run(run_id))] == [("wine", "1"), ("wine", "a"), other]

    def test_logging_nothing_changes_nothing(self, store: TrackingStore) -> None:
        """No inputs and no outputs are fine; of an unknown run they are still NotFound."""
        run_id = started(store)
        before = store.get_run(run_id)
        store.log_inputs(run_id)
        store.log_outputs(run_id, [])
        assert store.get_run(run_id) == before
        with pytest.raises(NotFound):
            store.log_inputs("nobody")
        with pytest.raises(NotFound):
            store.log_outputs("nobody", [])

    def test_an_unknown_model_keeps_all_links_out(self, store: TrackingStore) -> None:
        """One model that is none, or is deleted, raises NotFound, and nothing of the call is stored."""
        run_id, model_id, gone = started(store), made(store), made(store)
        store.delete_logged_model(gone)
        for bad in (UNKNOWN, gone):
            with pytest.raises(NotFound):
                store.log_inputs(run_id, [used(data())], [LoggedModelInput(model_id), LoggedModelInput(bad)])
            with pytest.raises(NotFound):
                store.log_outputs(run_id, [LoggedModelOutput(model_id), LoggedModelOutput(bad)])
        run = store.get_run(run_id)
        assert (run.inputs.dataset_inputs, run.inputs.model_inputs, run.outputs.model_outputs) == ((), (), ())

    def test_an_ended_run_takes_links_and_a_deleted_one_none(self, store: TrackingStore) -> None:
        """Inputs and outputs may be noted after the end; of a deleted run they raise RunEnded."""
        run_id, model_id = started(store), made(store)
        store.update_run(run_id, status="FINISHED")
        store.log_inputs(run_id, [used(data())], [LoggedModelInput(model_id)])
        store.log_outputs(run_id, [LoggedModelOutput(model_id)])
        store.delete_run(run_id)
        before = store.get_run(run_id)
        assert len(before.inputs.dataset_inputs) == len(before.outputs.model_outputs) == 1
        with pytest.raises(RunEnded):
            store.log_inputs(run_id, [used(data("other"))])
        with pytest.raises(RunEnded):
            store.log_outputs(run_id, [LoggedModelOutput(model_id, 5)])
        assert store.get_run(run_id) == before

    def test_a_deleted_model_is_still_what_a_run_made(self, store: TrackingStore) -> None:
        """Deleting a model does not change what runs used and made."""
        run_id, model_id = started(store), made(store)
        store.log_outputs(run_id, [LoggedModelOutput(model_id, 3)])
        store.delete_logged_model(model_id)
        assert store.get_run(run_id).outputs.model_outputs == (LoggedModelOutput(model_id, 3),)

    # --- datasets of metrics ---------------------------------------------------------------------------------

    def test_a_point_of_a_model_says_what_it_was_measured_on(self, store: TrackingStore) -> None:
        """Points on different datasets, and on none, are different points."""
        run_id, model_id = started(store), made(store)
        store.log_inputs(run_id, [used(data("a")), used(data("b", "2"))])
        on = [("a", "1"), ("b", "2"), (None, None)]
        store.log_batch(run_id, batch_of(*(Metric("acc", 0.5, 1000, 1, model_id, *each) for each in (*on, *on))))
        points = store.get_logged_model(model_id).metrics
        assert {(each.dataset_name, each.dataset_digest) for each in points} == set(on)
        assert len(points) == len(on)
        assert len(store.get_metric_history(run_id, "acc")) == 1

    def test_a_metric_may_name_a_dataset_that_no_run_has_used_yet(self, store: TrackingStore) -> None:
        """With or without a model it is taken, and does not make the dataset an input of the run."""
        run_id, model_id = started(store), made(store)
        for name, link in (("alone", None), ("wine", model_id), ("wine", model_id)):
            store.log_batch(run_id, batch_of(Metric("acc", 0.5, 1000, 1, link, name, "1")))
        run, (point,) = store.get_run(run_id), store.get_logged_model(model_id).metrics
        assert (point.dataset_name, point.dataset_digest) == ("wine", "1")
        assert (run.data.metrics, run.inputs.dataset_inputs) == ({"acc": 0.5}, ())
        found = store.search_logged_models(["0"], datasets=[{"dataset_name": "wine", "dataset_digest": "1"}])
        assert [each.model_id for each in found] == [model_id]

    def test_what_is_noted_later_of_a_dataset_that_a_metric_named_holds(self, store: TrackingStore) -> None:
        """A metric says no more than name and digest: the first input says the rest, and then that holds."""
        run_id, model_id = started(store), made(store)
        measured = batch_of(Metric("acc", 0.5, 1000, 1, model_id, "wine", "1"))
        store.log_batch(run_id, measured)
        first = data(source="first", schema="s", profile="p")
        store.log_inputs(run_id, [used(first, context="training"), used(data(source="later"))])
        store.log_batch(run_id, measured)
        store.log_inputs(started(store), [used(data(source="later"))])
        assert [each.dataset for run in store.search_runs(["0"]) for each in run.inputs.dataset_inputs] == [first] * 2
        assert labels(store.get_run(run_id)) == [("wine", "1", {CONTEXT: "training"})]

    def test_a_run_takes_what_is_known_of_its_data_to_where_only_metrics_named_it(self, store: TrackingStore) -> None:
        """Where it moves to, a metric may have named the dataset before."""
        there = store.create_experiment("there")
        run_id, full = started(store), data(source="full", schema="s")
        store.log_batch(started(store, there), batch_of(Metric("acc", 0.5, 1000, 1, made(store), "wine", "1")))
        store.log_inputs(run_id, [used(full)])
        store.move_run(run_id, there)
        assert [each.dataset for each in inputs(store, run_id).dataset_inputs] == [full]

    def test_a_dataset_of_another_run_of_the_experiment_will_do(self, store: TrackingStore) -> None:
        """What an experiment knows, all its runs may measure on."""
        one, other, model_id = started(store), started(store), made(store)
        store.log_inputs(one, [used(data())])
        store.log_batch(other, batch_of(Metric("acc", 0.5, 1000, 1, model_id, "wine", "1")))
        (point,) = store.get_logged_model(model_id).metrics
        assert (point.dataset_name, point.run_id) == ("wine", other)

    def test_runs_are_found_by_what_they_used(self, store: TrackingStore) -> None:
        """Name, digest and context of any of a run's datasets find it."""
        one, other, _ = started(store), started(store), started(store)
        store.log_inputs(one, [used(data(), context="training"), used(data("b", "2"), context="eval")])
        store.log_inputs(other, [used(data("b", "2"))])
        asked = {
            "datasets.name = 'wine'": {one},
            "datasets.name = 'b'": {one, other},
            "dataset.digest LIKE '1%'": {one},
            "datasets.context = 'eval' AND datasets.name = 'wine'": {one},
            "datasets.context = 'training' AND datasets.digest = '3'": set(),
        }
        found = {text: {run.info.run_id for run in store.search_runs(["0"], text)} for text in asked}
        assert found == asked

    # --- others ----------------------------------------------------------------------------------------------

    def test_threads_that_note_links_of_one_run_lose_nothing(self, store: TrackingStore) -> None:
        """Datasets that all bring and those of each, and all models, are there once."""
        run_id, models = started(store), [made(store) for _ in range(THREADS)]

        def work(number: int) -> None:
            for step in range(5):
                mine = [used(data()), used(data("mine", f"{number}-{step}"))]
                store.log_inputs(run_id, mine if number % 2 else mine[::-1], [LoggedModelInput(models[number])])
                store.log_outputs(run_id, [LoggedModelOutput(models[number], step)])

        together(work)
        run = store.get_run(run_id)
        digests = {f"{number}-{step}" for number in range(THREADS) for step in range(5)}
        assert sorted(digest for _, digest, _ in labels(run)) == sorted({"1", *digests})
        assert {each.model_id for each in run.inputs.model_inputs} == set(models)
        assert {(each.model_id, each.step) for each in run.outputs.model_outputs} == {(each, 4) for each in models}

    def test_of_threads_that_say_what_one_dataset_is_for_one_is_heard(self, store: TrackingStore) -> None:
        """The tags that hold are all of one of them."""
        run_id = started(store)
        together(lambda number: store.log_inputs(run_id, [used(data(), context=str(number), by=str(number))]))
        ((_, _, tags),) = labels(store.get_run(run_id))
        assert len(tags) == 2
        assert tags[CONTEXT] == tags["by"]

    def test_threads_whose_runs_use_the_same_data_agree_on_it(self, store: TrackingStore) -> None:
        """Where the runs of several threads bring one dataset at once, the experiment knows it once."""
        runs = [started(store) for _ in range(THREADS)]
        mine = [[used(data("a", source=str(number))), used(data("b"))] for number in range(THREADS)]
        measured = batch_of(Metric("acc", 0.5, dataset_name="b", dataset_digest="1"))

        def work(number: int) -> None:
            store.log_batch(runs[number], measured)
            store.log_inputs(runs[number], mine[number][:: 1 if number % 2 else -1])

        together(work)
        sources = {each.dataset.source for run in runs for each in inputs(store, run).dataset_inputs}
        assert len(sources) == 2
        assert "{}" in sources

    def test_links_are_there_after_opening_again(
        self, store: TrackingStore, reopen: Callable[[TrackingStore], TrackingStore]
    ) -> None:
        """Inputs, outputs and the datasets of points are the same in another instance."""
        run_id, model_id = started(store), made(store)
        store.log_inputs(run_id, [used(data(), context="training")], [LoggedModelInput(model_id)])
        store.log_outputs(run_id, [LoggedModelOutput(model_id, 5)])
        store.log_batch(run_id, batch_of(Metric("acc", 0.5, 1000, 1, model_id, "wine", "1")))
        run, model = store.get_run(run_id), store.get_logged_model(model_id)
        store.close()
        with closing(reopen(store)) as again:
            assert again.get_run(run_id) == run
            assert again.get_logged_model(model_id) == model
