"""Searches of every entity: from filter and order to the rows of a page.

Pages are cut by key: a page's token holds what its last row is sorted by, and the next statement asks for what
comes behind. So the last page costs no more than the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dovetail.tracking.filters import DatasetChoice, OrderKey, parse_datasets, parse_filter, parse_order
from dovetail_sql import shapes, tokens
from dovetail_sql.conditions import CHOSEN, about_leader, parameters, shape_of
from dovetail_sql.shapes import Shape
from dovetail_sql.simplifying import simplified
from dovetail_sql.walks import Pace, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.values import ViewType
    from dovetail_sql.database import Row, Transaction
    from dovetail_sql.vocabulary import Chosen

__all__ = [
    "Search",
    "experiment_search",
    "logged_model_search",
    "model_version_search",
    "registered_model_search",
    "run_search",
]


@dataclass(frozen=True)
class Search:
    """A search and all it is asked with.

    Args:
        shape: The statement it is, for the first page.
        asked: Parameters of the statement; tuples are lists.
        question: What tells this search from others, for its page tokens.
        pace: What is much to search through, and what is little.
    """

    shape: Shape
    asked: dict[str, Any]
    question: tuple[Any, ...]
    pace: Pace = field(default_factory=Pace)

    def page(self, transaction: Transaction, most: int, token: str | None) -> tuple[list[Row], str | None]:
        """The rows of a page, and the token of the page behind it.

        Raises:
            InvalidFilter: The token is not one of this search.
        """
        kinds = [part.kinds for part in shapes.parts(self.shape)]
        place = None if token is None else tokens.read(token, self.question, kinds)
        rows = Walk(transaction, self.shape, self._passed(transaction), place, self.pace).rows(most + 1)
        width = len(self.shape.vocabulary.columns)
        behind = tokens.make(self.question, rows[most - 1][width:]) if 0 < most < len(rows) else None
        return [row[:width] for row in rows[:most]], behind

    def among(self, experiments: set[int]) -> Search:
        """The same search, whose tokens stay good, but only in these of its experiments."""
        within: Any = tuple(sorted(experiments))
        shape = replace(self.shape, within="one" if len(within) == 1 else "many")
        return replace(
            self, shape=shape, asked={**self.asked, "experiments": within[0] if len(within) == 1 else within}
        )

    def count(self, transaction: Transaction) -> int:
        """How many there are on all pages together."""
        return Walk(transaction, self.shape, self._passed(transaction), pace=self.pace).count()

    def _passed(self, transaction: Transaction) -> dict[str, Any]:
        return {name: transaction.listed(v) if isinstance(v, tuple) else v for name, v in self.asked.items()}


def experiment_search(text: str | None, order_by: Sequence[str], view: ViewType) -> Search:
    """A search of experiments.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    return _search("experiments", text, order_by, view.stages)


def run_search(experiments: set[int], text: str | None, order_by: Sequence[str], view: ViewType, root: str) -> Search:
    """A search of the runs of some experiments.

    Args:
        experiments: Their numbers.
        text: The filter.
        order_by: The order.
        view: Whether to look into the bin.
        root: The artifact root of runs that have stored none.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    return _search("runs", text, order_by, view.stages, experiments=experiments, root=root)


def registered_model_search(text: str | None, order_by: Sequence[str]) -> Search:
    """A search of registered models.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    return _search("registered_models", text, order_by)


def model_version_search(text: str | None, order_by: Sequence[str]) -> Search:
    """A search of versions of all registered models.

    Raises:
        InvalidFilter: The filter or order cannot be parsed.
    """
    return _search("model_versions", text, order_by)


def logged_model_search(
    experiments: set[int],
    text: str | None,
    datasets: Sequence[Mapping[str, Any]],
    order_by: Sequence[Mapping[str, Any] | str],
    view: ViewType,
    root: str,
) -> Search:
    """A search of the logged models of some experiments.

    Args:
        experiments: Their numbers.
        text: The filter.
        datasets: What metrics have to be measured on, as ``parse_datasets`` reads it.
        order_by: The order, as dicts or clauses.
        view: Whether to look into the bin.
        root: The artifact root of models that have stored none.

    Raises:
        InvalidFilter: Filter, datasets or order cannot be read.
    """
    choices = parse_datasets(datasets)
    return _search("logged_models", text, order_by, view.stages, experiments=experiments, root=root, choices=choices)


def _search(
    entity: str,
    text: str | None,
    order_by: Sequence[str | Mapping[str, Any]],
    stages: tuple[str, ...] = (),
    *,
    experiments: set[int] | None = None,
    root: str = "",
    choices: tuple[DatasetChoice, ...] = (),
) -> Search:
    read, order = parse_filter(text, entity), parse_order(order_by, entity)
    tree = None if read is None else simplified(read)
    within: Any = None if experiments is None else tuple(sorted(experiments))
    if within is not None and len(within) == 1:
        within = within[0]
    shape = Shape(
        entity=entity,
        tree=None if tree is None else shape_of(tree),
        order=tuple(map(_blank, order)),
        stages=len(stages),
        within="" if within is None else "many" if isinstance(within, tuple) else "one",
        chosen=_chosen(choices),
        leading=about_leader(tree, order) if entity == "runs" else (),
    )
    asked = {**parameters(tree), **_ordered(order), **_named(choices, CHOSEN)}
    asked |= {"experiments": within, "root": root.rstrip("/"), "stages": stages if len(stages) != 1 else stages[0]}
    question = (entity, within, str(read), list(map(str, order)), stages, [str(choice) for choice in choices])
    return Search(shape, asked, question)


def _blank(key: OrderKey) -> OrderKey:
    """What of an order key is no parameter."""
    if key.kind == "attribute":
        return key
    says = None if key.dataset is None else DatasetChoice(*("" if part else None for part in _texts(key.dataset)))
    return replace(key, key="", dataset=says)


def _ordered(order: Sequence[OrderKey]) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for number, key in enumerate(order):
        asked[f"o{number}"] = key.key
        asked |= _named(() if key.dataset is None else (key.dataset,), f"o{number}")
    return asked


def _chosen(choices: Sequence[DatasetChoice]) -> Chosen:
    return tuple((choice.name is not None, choice.digest is not None) for choice in choices)


def _named(choices: Sequence[DatasetChoice], prefix: str) -> dict[str, Any]:
    """Names and digests of datasets as parameters."""
    names = {f"{prefix}n{number}": choice.name for number, choice in enumerate(choices)}
    return names | {f"{prefix}d{number}": choice.digest for number, choice in enumerate(choices)}


def _texts(choice: DatasetChoice) -> tuple[str | None, str | None]:
    return choice.name, choice.digest
