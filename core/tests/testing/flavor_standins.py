"""Flavors that are wrong on purpose, each in one way, under the suite; the suite must fail where it says so."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidModel
from dovetail.models.flavor import Flavor
from dovetail.models.manifest import inside
from dovetail.testing import FlavorSuite

if TYPE_CHECKING:
    from collections.abc import Mapping


class Line:
    """A small trained model."""

    def __init__(self, slope: float, offset: float) -> None:
        self.slope, self.offset = slope, offset

    def predict(self, data: list[float]) -> list[float]:
        return [self.slope * value + self.offset for value in data]


class Honest(Flavor):
    packages = ("pytest",)  # stands for the library
    data = "model.pkl"

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        try:
            (path / self.data).write_bytes(pickle.dumps(model))
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise InvalidModel(str(error)) from error
        return {"file": self.data}

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        return pickle.loads(inside(path, conf.get("file"), "file").read_bytes())


class Rounds(Honest):
    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        return super().save(
            Line(round(model.slope, 1), model.offset) if isinstance(model, Line) else model, path, options
        )


class Remembers(Honest):
    """Keeps the model in this process and loads it from there."""

    kept: Any = None

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        Remembers.kept = model
        return super().save(model, path, options)

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        super().load(path, conf)
        return Remembers.kept


class WritesAside(Honest):
    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        (path.parent / "notes.txt").write_text("saved", encoding="utf-8")
        return super().save(model, path, options)


class LeavesScratch(Honest):
    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        (Path(tempfile.mkdtemp()) / "scratch").write_text("saved", encoding="utf-8")
        return super().save(model, path, options)


class Marks(Honest):
    """Writes into the model that it was saved."""

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        written = super().save(model, path, options)
        model.saved_to = str(path)
        return written


class Bare(Honest):
    """Lets the library's own errors through."""

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        (path / self.data).write_bytes(pickle.dumps(model))
        return {"file": self.data}


class Follows(Honest):
    """Reads whatever file MLmodel names."""

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        try:
            return pickle.loads((path / str(conf.get("file"))).read_bytes())
        except OSError as error:
            raise InvalidModel(str(error)) from error


class Stumbles(Honest):
    """Takes for granted that MLmodel holds what it wrote."""

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        return pickle.loads((path / conf["file"]).resolve(strict=True).read_bytes())


class Lies(Honest):
    """Says that it wrote another file than it did."""

    data = "model.bin"

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:
        super().save(model, path, options)
        (path / self.data).rename(path / "other.pkl")
        return {"file": "other.pkl"}


class Suite(FlavorSuite):
    @pytest.fixture
    def model(self) -> Line:
        return Line(0.123, 4.0)

    @pytest.fixture
    def data(self) -> list[float]:
        return [1.0, 2.0, 3.5]


class TestHonest(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Honest()


class TestRounds(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Rounds()


class TestRemembers(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Remembers()


class TestWritesAside(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return WritesAside()


class TestLeavesScratch(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return LeavesScratch()


class TestMarks(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Marks()


class TestBare(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Bare()


class TestFollows(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Follows()


class TestStumbles(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Stumbles()


class TestLies(Suite):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return Lies()
