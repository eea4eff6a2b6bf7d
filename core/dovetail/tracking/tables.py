"""Tables as runs log them: columns and rows in a JSON or Parquet file that grows with each call."""

from __future__ import annotations

import io
import json
import posixpath
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.errors import InvalidInput, PluginMissing
from dovetail.tracking import frames
from dovetail.tracking.images import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ImagePaths", "Table", "image_paths", "parse", "table_of", "written"]


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Args:
        columns: The names.
        rows: A list of values for each row, in the order of the columns.

    Raises:
        InvalidInput: Two columns have one name.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        """Refuse columns that could not be told apart when rows are added."""
        twice = [name for name in dict.fromkeys(self.columns) if self.columns.count(name) > 1]
        if twice:
            raise InvalidInput(f"The table has several columns named {twice[0]!r}.", hint="Rename them.")

    def extended(self, other: Table) -> Table:
        """This table with the other's rows below its own; what one lacks of the other's columns is None."""
        columns = tuple(dict.fromkeys([*self.columns, *other.columns]))
        return Table(columns, (*self._arranged(columns), *other._arranged(columns)))

    def frame(self) -> Any:
        """The table as a pandas DataFrame. Raises ``PluginMissing``."""
        pd = frames.pandas("A table is read as a pandas DataFrame")
        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.columns))

    def with_images(self, keep: Callable[[Image], dict[str, str]]) -> Table:
        """The table with what ``keep`` answers in the place of each image."""
        kept = (tuple(keep(Image(cell)) if _is_image(cell) else cell for cell in row) for row in self.rows)
        return Table(self.columns, tuple(kept))

    def _arranged(self, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
        if columns == self.columns:
            yield from self.rows
            return
        for row in self.rows:
            cells = dict(zip(self.columns, row, strict=True))
            yield tuple(cells.get(name) for name in columns)


def table_of(data: Any) -> Table:
    """The table that somebody logs.

    Args:
        data: A DataFrame; or a dict of a list for each column, all of one length. A single value in the place of a list
            stands in every row; where there is no list at all, there is one row.

    Raises:
        InvalidInput: It is neither, its lists are not of one length, or two columns have one name.
    """
    if isinstance(data, Mapping):
        return _from_dict(data)
    if hasattr(data, "columns") and hasattr(data, "itertuples"):
        return Table(tuple(map(str, data.columns)), tuple(data.itertuples(index=False, name=None)))
    raise InvalidInput(
        f"log_table got {type(data).__name__}.", hint="Give a pandas DataFrame, or a dict of a list for each column."
    )


def _from_dict(data: Mapping[Any, Any]) -> Table:
    lists = {name: list(value) for name, value in data.items() if not _is_single(value)}
    lengths = {len(cells) for cells in lists.values()}
    if len(lengths) > 1:
        told = ", ".join(f"{name!r} has {len(cells)}" for name, cells in lists.items())
        raise InvalidInput(
            f"The columns of the table are of different lengths: {told}.",
            hint="If the lists are values of one row, put each into a list of its own: [[1, 2]].",
        )
    height = lengths.pop() if lengths else 1
    columns = [lists[name] if name in lists else [value] * height for name, value in data.items()]
    return Table(tuple(map(str, data)), tuple(zip(*columns, strict=True)))


def _is_single(value: Any) -> bool:
    if isinstance(value, (str, bytes, Mapping)) or _is_image(value) or not hasattr(value, "__iter__"):
        return True
    return getattr(value, "ndim", 1) == 0  # an array without dimensions has the method and cannot be walked through


def _is_image(cell: Any) -> bool:
    return isinstance(cell, Image) or (type(cell).__module__.startswith("PIL.") and hasattr(cell, "getbands"))


# --- files ----------------------------------------------------------------------------------------------------


class ImagePaths(NamedTuple):
    """Where an image of a table goes, and its preview."""

    whole: str
    small: str


def image_paths(table_file: str) -> ImagePaths:
    """Places for an image of a table: in a folder named after the table, as MLflow has it."""
    place = f"table_images/{posixpath.splitext(table_file)[0]}/{uuid.uuid4()}"
    return ImagePaths(f"{place}.png", f"{place}.webp")


def written(table: Table, path: str) -> bytes:
    """The bytes of a table's file.

    Raises:
        InvalidInput: The name ends neither in ``.json`` nor in ``.parquet``, or a cell cannot be written.
        PluginMissing: It ends in ``.parquet``, and pandas or pyarrow are not installed.
    """
    return _FORMATS[_ending(path)][0](table, path)


def parse(content: bytes, path: str) -> Table:
    """The table in a file. Raises as ``written`` does."""
    return _FORMATS[_ending(path)][1](content, path)


def _ending(path: str) -> str:
    ending = posixpath.splitext(path)[1].lower()
    if ending not in _FORMATS:
        raise InvalidInput(f"A table is kept in a .json or .parquet file, not in {path!r}.")
    return ending


def _to_json(table: Table, path: str) -> bytes:
    try:
        content = {"columns": table.columns, "data": [[_plain(cell) for cell in row] for row in table.rows]}
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path!r} cannot be written: {error}.", hint="Log text, numbers, lists, dicts.") from error


def _from_json(content: bytes, path: str) -> Table:
    try:
        document = json.loads(content)
        columns = tuple(map(str, document["columns"]))
        # Joined with the columns only to see that no row has too few or too many cells.
        return Table(columns, tuple(tuple(dict(zip(columns, row, strict=True)).values()) for row in document["data"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _no_table(path, error) from error


def _to_parquet(table: Table, path: str) -> bytes:
    buffer = io.BytesIO()
    frame = table.frame()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError as error:
        raise _no_parquet(error) from error
    except _ARROW as error:
        raise InvalidInput(f"{path!r} cannot be written: {error}.", hint="Log columns of one kind of value.") from error
    return buffer.getvalue()


def _from_parquet(content: bytes, path: str) -> Table:
    pd = frames.pandas("A .parquet file is read with pandas")
    try:
        return table_of(pd.read_parquet(io.BytesIO(content)))
    except ImportError as error:
        raise _no_parquet(error) from error
    except InvalidInput:
        raise
    except _ARROW as error:
        raise _no_table(path, error) from error


# What pyarrow's own errors are of, and what pandas trips over in a broken file.
_ARROW = (ArithmeticError, AttributeError, LookupError, NotImplementedError, OSError, TypeError, ValueError)
_FORMATS = {".json": (_to_json, _from_json), ".parquet": (_to_parquet, _from_parquet)}


def _no_table(path: str, error: Exception) -> InvalidInput:
    return InvalidInput(f"{path!r} holds no table that can be read: {error}.", hint="Give the table another name.")


def _no_parquet(error: ImportError) -> PluginMissing:
    hint = "Install it with `pip install pyarrow`, or keep the table in a .json file."
    return PluginMissing(f"Tables in .parquet files need pyarrow: {error}.", hint=hint)


def _plain(cell: Any) -> Any:
    """A cell as JSON has it: what is missing is null, as pandas writes it; times are ISO 8601."""
    if isinstance(cell, Mapping):
        return {str(key): _plain(value) for key, value in cell.items()}
    if isinstance(cell, (list, tuple)):
        return [_plain(value) for value in cell]
    if isinstance(cell, (set, frozenset)):
        return [_plain(value) for value in sorted(cell, key=str)]
    if hasattr(cell, "tolist") and not hasattr(cell, "isoformat"):
        return _from_array(cell)
    return _single(cell)


def _from_array(cell: Any) -> Any:
    """An array, or a scalar of one."""
    if getattr(cell, "dtype", None) is None or cell.dtype.kind not in "mM":
        return _plain(cell.tolist())
    if getattr(cell, "ndim", 0):
        return [_plain(value) for value in cell]
    # Of nanoseconds, tolist() would give a bare number.
    text = str(cell) if cell.dtype.kind == "M" else cell.astype("timedelta64[us]").tolist()
    return None if cell != cell else _plain(text)  # noqa: PLR0124 - NaT is not itself


def _single(cell: Any) -> Any:
    if cell is None or isinstance(cell, (str, bool, int)):
        return cell
    if isinstance(cell, (float, Decimal)):
        number = cell if isinstance(cell, float) else str(cell)  # a Decimal's digits, of which a float would lose some
        return number if isfinite(cell) else None
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(cell, bytes):
        return cell.decode("utf-8")
    if isinstance(cell, timedelta) and not hasattr(cell, "isoformat"):  # pandas' own has it
        return _duration(cell)
    return cell.isoformat() if hasattr(cell, "isoformat") else cell


def _duration(time: timedelta) -> str:
    """ISO 8601, as pandas writes durations."""
    minutes, seconds = divmod(time.seconds, 60)
    fraction = f".{time.microseconds:06d}" if time.microseconds else ""
    return f"P{time.days}DT{minutes // 60}H{minutes % 60}M{seconds}{fraction}S"
