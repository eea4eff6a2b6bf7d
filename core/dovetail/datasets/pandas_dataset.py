"""Tables of pandas as datasets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dovetail.datasets.dataset import inferred
from dovetail.datasets.digest import Content, digest_of_columns, number_heading
from dovetail.datasets.sources import source_for
from dovetail.datasets.table_dataset import TableDataset
from dovetail.errors import InvalidInput
from dovetail.models.recognition import is_frame

if TYPE_CHECKING:
    import os

    import pandas as pd

    from dovetail.datasets.source import DatasetSource
    from dovetail.models.schema import Schema

__all__ = ["PandasDataset", "frame_digest", "from_pandas"]


class PandasDataset(TableDataset):
    """A table of pandas.

    Args:
        df: The table; it is kept, not copied. The digest is made now.
        source: Where it came from.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: By default made from all cells, names and types.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, no such columns, or cells whose content cannot be told.
    """

    def __init__(
        self,
        df: pd.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        if not is_frame(df):
            raise InvalidInput(f"A {type(df).__name__} is no pandas DataFrame.")
        self._df = df
        super().__init__(df.columns, source, targets=targets, predictions=predictions, name=name, digest=digest)

    def _compute_digest(self) -> str:
        return frame_digest(self._df)

    @property
    def df(self) -> pd.DataFrame:
        """The table."""
        return self._df

    @property
    def profile(self) -> dict[str, Any]:
        """How many rows and cells there are."""
        return {"num_rows": len(self._df), "num_elements": int(self._df.size)}

    @cached_property
    def schema(self) -> Schema | None:
        """The columns with their types; None for a table without columns."""
        return inferred(self._df) if len(self._df.columns) else None


def from_pandas(
    df: pd.DataFrame,
    source: str | os.PathLike[str] | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """A table of pandas as a dataset.

    Args:
        df: The table.
        source: Where it came from: a path, a URI, or a source; by default the code that is running.
        targets: The column to predict.
        name: What people call it; by default ``dataset``.
        digest: What tells it from other data of that name; by default made from all its cells, names and types.
        predictions: The column with what a model predicted.

    Raises:
        InvalidInput: No table, no such columns, no source that is known, or cells whose content cannot be told.
    """
    return PandasDataset(df, source_for(source), targets, name, digest, predictions)


def frame_digest(df: pd.DataFrame) -> str:
    """The digest of a table: names, types and cells of its columns in order, and the labels of its rows.

    Texts are the same however pandas keeps them, and so are missing values. Labels of rows that are integers without a
    name say only where a row once stood and do not count.

    Raises:
        InvalidInput: The content of a cell cannot be told.
    """
    columns = [*_row_labels(df), *((df.columns[place], df.iloc[:, place]) for place in range(df.shape[1]))]
    return digest_of_columns("table", columns, len(df), _heading, _block)


def _row_labels(df: pd.DataFrame) -> list[tuple[Any, Any]]:
    labels = df.index
    if labels.nlevels == 1 and labels.name is None and labels.dtype.kind in "iu":
        return []
    levels = [labels.get_level_values(level) for level in range(labels.nlevels)]
    return [(("row label", level.name), level) for level in levels]


def _heading(column: tuple[Any, Any]) -> Any:
    name, values = column
    return [name, _type_name(values.dtype)]


def _type_name(dtype: Any) -> Any:
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        kinds = Content("categories")
        kinds.word(_type_name(dtype.categories.dtype))
        _add(kinds, dtype.categories.array)
        return ["category", bool(dtype.ordered), kinds.hexdigest()]
    if kind == "StringDtype" or (kind == "ArrowDtype" and dtype.type is str):
        return "object"
    return number_heading(dtype) if _is_numpy(dtype) else str(dtype)


def _block(content: Content, column: tuple[Any, Any], start: int, stop: int) -> None:
    _add(content, column[1].array[start:stop])


def _add(content: Content, values: Any) -> None:
    """Add the block of a column as pandas keeps it, without making a table of it anew."""
    import numpy as np

    dtype = values.dtype
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        content.numbers(values.codes)
    elif kind == "DatetimeTZDtype":
        content.numbers(np.asarray(values, dtype=f"M8[{dtype.unit}]"))
    elif _is_numpy(dtype) and dtype.kind in "biufcmM" and dtype.itemsize <= 16:  # noqa: PLR2004 - complex doubles
        content.numbers(np.asarray(values))
    elif not _is_numpy(dtype) and getattr(getattr(dtype, "numpy_dtype", None), "kind", "") in ("b", "i", "u", "f"):
        content.numbers(np.asarray(values.isna()))
        content.numbers(values.to_numpy(dtype=dtype.numpy_dtype, na_value=0))
    else:
        content.cells(np.asarray(values, dtype=object).tolist())


def _is_numpy(dtype: Any) -> bool:
    return type(dtype).__module__.partition(".")[0] == "numpy"
