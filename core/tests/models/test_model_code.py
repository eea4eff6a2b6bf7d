from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import DovetailError
from dovetail.models import model_code
from dovetail.models.manifest import Manifest
from dovetail.models.model_code import ModelCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What models made importable is forgotten after each test."""
    path = list(sys.path)
    yield
    model_code._leave_all()
    sys.path[:] = path
    for name in ("shared_utils", "shared_package", "shared_package.part"):
        sys.modules.pop(name, None)


@pytest.fixture
def code(tmp_path: Path) -> Callable[..., ModelCode]:
    """``code("a", shared_utils="x = 1")`` is the code of a model, in a folder of its own."""

    def make(name: str, **sources: str) -> ModelCode:
        (tmp_path / name).mkdir()
        for module, source in sources.items():
            (tmp_path / name / f"{module}.py").write_text(source, encoding="utf-8")
        return ModelCode(tmp_path / name)

    return make


def answer() -> object:
    return importlib.import_module("shared_utils").answer


def test_is_importable_once_it_is_in_use(code: Callable[..., ModelCode]) -> None:
    code("a", shared_utils="answer = 1").use()
    assert answer() == 1


def test_of_two_models_with_one_name_does_not_mix(code: Callable[..., ModelCode]) -> None:
    first, second = code("a", shared_utils="answer = 1"), code("b", shared_utils="answer = 2")
    seen = []
    for each in (first, second, first, first, second):
        each.use()
        seen.append(answer())
    assert seen == [1, 2, 1, 1, 2]


def test_of_a_model_is_imported_once(code: Callable[..., ModelCode]) -> None:
    first, second = code("a", shared_utils="answer = object()"), code("b", shared_utils="answer = 2")
    first.use()
    before = answer()
    second.use()
    first.use()
    assert answer() is before


def test_takes_the_place_of_the_users_own_and_gives_it_back(
    code: Callable[..., ModelCode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "shared_utils.py").write_text("answer = 'mine'", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    assert answer() == "mine"
    with code("a", shared_utils="answer = 1").used():
        assert answer() == 1
    assert answer() == "mine"


def test_equal_files_are_one_module(
    code: Callable[..., ModelCode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "shared_utils.py").write_text("answer = object()", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    before = answer()
    code("a", shared_utils="answer = object()").use()
    assert answer() is before


def test_packages_are_told_apart_by_all_their_files(
    code: Callable[..., ModelCode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = code("a")
    for folder, text in ((tmp_path / "a", "x = 1"), (tmp_path / "mine", "x = 2")):
        (folder / "shared_package").mkdir(parents=True)
        (folder / "shared_package" / "part.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    assert importlib.import_module("shared_package.part").x == 2
    model.use()
    assert importlib.import_module("shared_package.part").x == 1


def test_within_a_block_the_code_in_use_before_is_back(code: Callable[..., ModelCode]) -> None:
    first, second = code("a", shared_utils="answer = 1"), code("b", shared_utils="answer = 2")
    first.use()
    with second.used():
        assert answer() == 2
    assert answer() == 1


def test_a_model_without_code_changes_nothing(code: Callable[..., ModelCode]) -> None:
    code("a", shared_utils="answer = 1").use()
    ModelCode().use()
    assert answer() == 1


@pytest.mark.parametrize("place", ["../elsewhere", "/tmp", 7, ["code"]])
def test_lies_below_the_model(place: object, tmp_path: Path) -> None:
    with pytest.raises(DovetailError):
        ModelCode.of(tmp_path, Manifest({"python_function": {"code": place}}))
