"""``log_artifacts("<run id>", path)``, as scripts have it that name the run first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail as mlflow
from dovetail.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable


class TestTheRunNamedFirst:
    @pytest.fixture
    def ended(self, artifacts: Callable[[str], dict[str, bytes]]) -> tuple[str, dict[str, bytes]]:
        with mlflow.start_run() as run:
            pass
        return run.info.run_id, artifacts(run.info.run_id)

    def folder(self, name: str = "data") -> Path:
        (Path(name) / "sub").mkdir(parents=True)
        (Path(name) / "sub" / "a.csv").write_text("a", encoding="utf-8")
        return Path(name)

    def test_what_is_in_a_folder_goes_into_that_run(self, ended: tuple[str, dict[str, bytes]]) -> None:
        run_id, kept = ended
        mlflow.log_artifacts(run_id, str(self.folder().absolute()))
        assert kept == {"sub/a.csv": b"a"}
        assert mlflow.active_run() is None

    def test_a_file_goes_under_its_name(self, ended: tuple[str, dict[str, bytes]]) -> None:
        run_id, kept = ended
        mlflow.log_artifacts(run_id, self.folder() / "sub" / "a.csv")  # type: ignore[arg-type]
        assert kept == {"a.csv": b"a"}

    def test_the_active_run_is_left_alone(
        self, ended: tuple[str, dict[str, bytes]], artifacts: Callable[[str], dict[str, bytes]]
    ) -> None:
        with mlflow.start_run() as active:
            mlflow.log_artifacts(ended[0], str(self.folder()))
        assert artifacts(active.info.run_id) == {}
        assert ended[1]

    def test_a_folder_of_that_name_wins(
        self, ended: tuple[str, dict[str, bytes]], artifacts: Callable[[str], dict[str, bytes]]
    ) -> None:
        self.folder(ended[0])
        self.folder()
        with mlflow.start_run() as active:
            mlflow.log_artifacts(ended[0], "data")
        assert artifacts(active.info.run_id) == {"data/sub/a.csv": b"a"}
        assert ended[1] == {}

    def test_so_does_a_run_that_is_named_as_one(
        self, ended: tuple[str, dict[str, bytes]], artifacts: Callable[[str], dict[str, bytes]]
    ) -> None:
        self.folder()
        with mlflow.start_run() as active, pytest.raises(NotFound, match=ended[0]):
            mlflow.log_artifacts(ended[0], "data", run_id=active.info.run_id)
        assert ended[1] == artifacts(active.info.run_id) == {}

    @pytest.mark.parametrize("name", ["0" * 32, "missing", "not/a/run", "a" * 200])
    def test_what_is_neither_folder_nor_run_is_not_found(self, name: str, ended: tuple[str, dict[str, bytes]]) -> None:
        self.folder()
        with mlflow.start_run(), pytest.raises(NotFound, match=name):
            mlflow.log_artifacts(name, "data")

    def test_a_run_with_nothing_behind_it_is_no_folder(self, ended: tuple[str, dict[str, bytes]]) -> None:
        with mlflow.start_run(), pytest.raises(NotFound, match=ended[0]):
            mlflow.log_artifacts(ended[0])

    def test_what_is_to_be_uploaded_must_be_there(self, ended: tuple[str, dict[str, bytes]]) -> None:
        with pytest.raises(NotFound, match="missing"):
            mlflow.log_artifacts(ended[0], "missing")
        assert mlflow.active_run() is None
        assert ended[1] == {}

    def test_a_path_object_is_never_a_run(self, ended: tuple[str, dict[str, bytes]]) -> None:
        self.folder()
        with mlflow.start_run(), pytest.raises(NotFound, match=ended[0]):
            mlflow.log_artifacts(Path(ended[0]), "data")
