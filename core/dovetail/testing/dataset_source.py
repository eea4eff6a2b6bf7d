"""The suite that every source of datasets is held to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dovetail.errors import DovetailError, InvalidInput
from dovetail.values import Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.datasets.source import DatasetSource

__all__ = ["DatasetSourceSuite"]

_OTHERS: tuple[Any, ...] = (None, 5, 1.5, b"bytes", [], ["a"], {}, object(), "", " ", "nobodys-own://a/b")
_HOSTILE = (
    "", " ", "no json", "null", "[]", "5", '"text"', "[" * 20_000, '{"a":', '{"a": NaN', "{" * 20_000,
    '{"unheard of": 1}', "{}", " " * (1 << 17),
)  # fmt: skip
_STRANGE: tuple[Any, ...] = (None, 5, True, [], {}, [None], "")


class DatasetSourceSuite:
    """Override the fixtures ``source`` and ``content``; all tests must pass.

    ::

        class TestWarehouseSource(DatasetSourceSuite):
            raw = "warehouse://sales"

            @pytest.fixture
            def source(self, warehouse):
                return WarehouseSource("sales")

            @pytest.fixture
            def content(self):
                return b"month,sum"

    Attributes:
        raw: What ``resolve`` makes the source of; None where it is made by its constructor only. Override the fixture
            ``raw_source`` where it is known only when the test runs.
        others: Locations that are not this source's, beside those that are nobody's.
        loads: Whether the data can be fetched at all.
        files: Whether ``load`` gives the path of a file; otherwise override ``content_of``.
        copies_here: Whether ``load`` puts the file below the folder it is given.
    """

    raw: ClassVar[Any] = None
    others: ClassVar[Sequence[Any]] = ()
    loads: ClassVar[bool] = True
    files: ClassVar[bool] = True
    copies_here: ClassVar[bool] = True

    @pytest.fixture
    def source(self) -> DatasetSource:
        """A source of data that is there."""
        raise NotImplementedError("override the fixture `source`")

    @pytest.fixture
    def content(self) -> Any:
        """What ``content_of`` gives for its data."""
        raise NotImplementedError("override the fixture `content`")

    @pytest.fixture
    def raw_source(self) -> Any:
        """What ``resolve`` makes the source of."""
        return self.raw

    def content_of(self, loaded: Any) -> Any:
        """What was loaded, in a form that can be compared."""
        assert self.files, "override content_of"
        assert Path(loaded).is_file(), f"load() gave {loaded!r}, which is no file"
        return Path(loaded).read_bytes()

    # --- writing ---------------------------------------------------------------------------------------------

    def test_a_store_takes_what_it_writes(self, source: DatasetSource) -> None:
        """Type and text are what stores can keep; the text is JSON of the dictionary."""
        stored = Dataset("data", "digest", source.source_type, source.to_json())
        assert json.loads(stored.source) == source.to_dict()

    def test_it_comes_back(self, source: DatasetSource) -> None:
        """As the same class, of the same type, writing the same."""
        for again in (type(source).from_json(source.to_json()), type(source).from_dict(source.to_dict())):
            assert type(again) is type(source)
            assert again.source_type == source.source_type
            assert again.to_dict() == source.to_dict()
            assert again.to_json() == source.to_json()

    def test_what_it_gave_away_is_not_its_own(self, source: DatasetSource) -> None:
        """Who changes the dictionary does not change the source."""
        before = source.to_json()
        source.to_dict().clear()
        assert source.to_json() == before

    # --- loading ---------------------------------------------------------------------------------------------

    def test_it_loads_its_data(self, source: DatasetSource, content: Any) -> None:
        """Also the second time."""
        if self.loads:
            assert self.content_of(source.load()) == content
            assert self.content_of(source.load()) == content

    def test_it_loads_the_same_after_coming_back(self, source: DatasetSource, content: Any) -> None:
        """What is written is all that is needed."""
        if self.loads:
            assert self.content_of(type(source).from_json(source.to_json()).load()) == content

    def test_it_loads_into_a_folder(self, source: DatasetSource, content: Any, tmp_path: Path) -> None:
        """Which is made, and which nothing is put beside."""
        if not (self.loads and self.files and self.copies_here):
            return
        place = tmp_path / "around"
        place.mkdir()
        loaded = Path(source.load(place / "new" / "folder"))
        assert self.content_of(loaded) == content
        assert (place / "new" / "folder").resolve() in loaded.resolve().parents, f"it was put into {loaded}"
        assert [each for each in place.rglob("*") if each.is_file()] == [loaded]

    def test_what_cannot_be_loaded_is_said(self, source: DatasetSource) -> None:
        """Where there is no data, ``load`` raises one of dovetail's errors."""
        if not self.loads:
            with pytest.raises(DovetailError):
                source.load()

    # --- resolving -------------------------------------------------------------------------------------------

    def test_it_knows_its_own_locations(self, source: DatasetSource, raw_source: Any) -> None:
        """And makes a source of them that writes the same as the one at hand."""
        if raw_source is not None:
            assert type(source).can_resolve(raw_source) is True
            made = type(source).resolve(raw_source)
            assert made.source_type == source.source_type
            assert made.to_dict() == source.to_dict()

    def test_it_leaves_others_locations_alone(self, source: DatasetSource) -> None:
        """Without raising, whatever it is asked about."""
        for other in (*_OTHERS, *self.others):
            assert type(source).can_resolve(other) is False, f"it claims {other!r}"

    # --- hostile texts ---------------------------------------------------------------------------------------

    @pytest.mark.parametrize("text", _HOSTILE, ids=lambda text: ascii(text[:20]))
    def test_it_refuses_what_it_has_not_written(self, source: DatasetSource, text: str) -> None:
        """Stores hold what others wrote; what describes no source of this kind is invalid input and nothing worse."""
        with pytest.raises(InvalidInput):
            type(source).from_json(text)

    @pytest.mark.parametrize("value", _STRANGE, ids=repr)
    def test_it_survives_strange_values(self, source: DatasetSource, value: Any) -> None:
        """Whatever stands under its keys, it is refused or makes a source that can be written."""
        written = source.to_dict()
        for key in written:
            try:
                made = type(source).from_dict({**written, key: value})
            except InvalidInput:
                continue
            assert json.loads(made.to_json()) == made.to_dict()

    def test_it_needs_what_it_wrote(self, source: DatasetSource) -> None:
        """Nothing but its own keys makes a source."""
        for text in ('{"another": "key"}', '{"tag": {}}'):
            with pytest.raises(InvalidInput):
                type(source).from_json(text)
