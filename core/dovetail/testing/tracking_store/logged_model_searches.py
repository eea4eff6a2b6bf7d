"""Stories about searches of logged models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidFilter
from dovetail.testing.search_corpus import (
    LOGGED_MODEL_ORDERS,
    LOGGED_MODEL_SEARCHES,
    LOGGED_MODELS,
    REFUSED_DATASETS,
    REFUSED_LOGGED_MODEL_FILTERS,
    REFUSED_LOGGED_MODEL_ORDERS,
)
from dovetail.testing.tracking_store.base import Stories, batch_of, started
from dovetail.values import Dataset, DatasetInput, Metric, NewLoggedModel, Page, Param, Tag, ViewType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.testing.search_corpus import ExampleLoggedModel
    from dovetail.tracking.store import TrackingStore
    from dovetail.values import LoggedModel

__all__ = ["LoggedModelSearchStories"]


def create(store: TrackingStore, run_id: str, experiment_id: str, example: ExampleLoggedModel) -> None:
    """Create a model of the search corpus with all it holds."""
    model = NewLoggedModel(
        experiment_id,
        example["name"],
        example["model_id"],
        source_run_id=run_id if example["made_by_run"] else None,
        model_type=example["model_type"],
        status=example["status"],  # type: ignore[arg-type]  # it checks it
        creation_timestamp=example["creation_timestamp"],
        params=tuple(Param(*each) for each in example["params"].items()),
        tags=tuple(Tag(*each) for each in example["tags"].items()),
    )
    store.create_logged_model(model)
    named = {point.dataset for point in example["points"] if point.dataset is not None}
    store.log_inputs(run_id, [DatasetInput(Dataset(*each, "local", "{}")) for each in sorted(named)])
    points = [
        Metric(each.key, each.value, each.timestamp, each.step, example["model_id"], *(each.dataset or ()))
        for each in example["points"]
    ]
    store.log_batch(run_id, batch_of(*points))


def names(models: Sequence[LoggedModel]) -> list[str]:
    """The names of models."""
    return [model.name for model in models]


class LoggedModelSearchStories(Stories):
    """Searches of logged models mean the same in every store."""

    @pytest.fixture
    def models(self, store: TrackingStore) -> str:
        """The logged models of the search corpus; the id of the experiment they lie in."""
        experiment_id = store.create_experiment("models")
        run_id = started(store, experiment_id)
        for example in LOGGED_MODELS:
            create(store, run_id, experiment_id, example)
        store.create_logged_model(NewLoggedModel("0", "elsewhere"))
        return experiment_id

    def test_filters_of_models_mean_the_same_in_every_store(self, store: TrackingStore, models: str) -> None:
        """Every filter, narrowed to every choice of datasets, finds the models worked out by hand."""
        wrong = {}
        for text, datasets, wanted in LOGGED_MODEL_SEARCHES:
            found = names(store.search_logged_models([models], text, datasets))
            if sorted(found) != sorted(wanted):
                wrong[text, str(datasets)] = found
        assert wrong == {}

    def test_orders_of_models_mean_the_same_in_every_store(self, store: TrackingStore, models: str) -> None:
        """Every order sorts the models as worked out by hand, page by page as in one."""
        wrong = {}
        for order, wanted in LOGGED_MODEL_ORDERS:
            pages = walked(store, models, order)
            if [name for page in pages for name in names(page)] != wanted or len(pages) != 3:
                wrong[str(order)] = [names(page) for page in pages]
        assert wrong == {}

    def test_what_cannot_be_read_of_a_model_search_is_refused(self, store: TrackingStore, models: str) -> None:
        """Filters, orders, datasets and tokens that mean nothing raise InvalidFilter, also where nothing is found."""
        refused: list[dict[str, Any]] = [
            *({"filter_string": text} for text in REFUSED_LOGGED_MODEL_FILTERS),
            *({"order_by": order} for order in REFUSED_LOGGED_MODEL_ORDERS),
            *({"datasets": datasets} for datasets in REFUSED_DATASETS),
            {"page_token": "rubbish"},
        ]
        for place in (models, "77777"):
            for search in refused:
                with pytest.raises(InvalidFilter):
                    store.search_logged_models([place], **search)

    def test_a_token_of_a_model_search_is_good_for_that_search_alone(self, store: TrackingStore, models: str) -> None:
        """Another filter, order, choice of datasets or experiment refuses it."""
        token = store.search_logged_models([models], max_results=1).token
        others: list[dict[str, Any]] = [
            {"filter_string": "metrics.acc > 0"},
            {"order_by": [{"field_name": "name"}]},
            {"datasets": [{"dataset_name": "d1"}]},
        ]
        for other in others:
            with pytest.raises(InvalidFilter):
                store.search_logged_models([models], **other, page_token=token)
        with pytest.raises(InvalidFilter):
            store.search_logged_models([models, "0"], page_token=token)

    def test_orders_of_models_are_clauses_as_well(self, store: TrackingStore, models: str) -> None:
        """What a clause says in text is what the dict says."""
        for clause, same in (
            ("metrics.acc DESC", {"field_name": "metrics.acc", "ascending": False}),
            ("name", {"field_name": "name"}),
        ):
            told = store.search_logged_models([models], order_by=[clause])
            assert names(told) == names(store.search_logged_models([models], order_by=[same]))
        with pytest.raises(InvalidFilter):
            store.search_logged_models([models], order_by=["metrics.acc SIDEWAYS"])

    def test_a_view_says_whether_deleted_models_are_found(self, store: TrackingStore) -> None:
        """By default they are not; filters and pages mean the same in every view, and tokens are for one of them."""
        ids = [
            store.create_logged_model(NewLoggedModel("0", name, creation_timestamp=at)).model_id
            for at, name in enumerate(("a", "b", "a", "b"))
        ]
        for each in ids[:2]:
            store.delete_logged_model(each)
        for view, wanted in (
            (ViewType.ACTIVE_ONLY, [3, 2]),
            (ViewType.DELETED_ONLY, [1, 0]),
            (ViewType.ALL, [3, 2, 1, 0]),
        ):
            page = store.search_logged_models(["0"], view_type=view, max_results=1)
            rest = store.search_logged_models(["0"], view_type=view, page_token=page.token)
            assert [each.model_id for each in (*page, *rest)] == [ids[each] for each in wanted]
            named = store.search_logged_models(["0"], "name = 'a'", view_type=view)
            assert [each.model_id for each in named] == [ids[each] for each in wanted if each in (0, 2)]
        with pytest.raises(InvalidFilter):
            store.search_logged_models(["0"], page_token=page.token)

    def test_models_of_a_deleted_experiment_are_found_in_no_view(self, store: TrackingStore) -> None:
        """Neither those that were deleted before it, nor the others."""
        experiment_id = store.create_experiment("wine")
        gone, _ = (store.create_logged_model(NewLoggedModel(experiment_id)).model_id for _ in range(2))
        store.delete_logged_model(gone)
        store.delete_experiment(experiment_id)
        for view in ViewType:
            assert list(store.search_logged_models([experiment_id], view_type=view)) == []


def walked(store: TrackingStore, experiment_id: str, order: Sequence[dict[str, Any]]) -> list[Page[LoggedModel]]:
    """All pages of two models each."""
    pages = [store.search_logged_models([experiment_id], order_by=order, max_results=2)]
    while (token := pages[-1].token) is not None:
        assert len(pages) < 10, "the pages never end"
        pages.append(store.search_logged_models([experiment_id], None, (), order, 2, token))
    return pages
