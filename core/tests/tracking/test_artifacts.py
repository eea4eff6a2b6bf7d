"""Logging artifacts: files, folders, text, documents and figures."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import dovetail as mlflow
from dovetail import locations
from dovetail.errors import InvalidInput, InvalidUri, NotFound, RunEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOSTILE = [
    "../x.txt", "a/../../x.txt", "/etc/passwd", "~/x.txt", "C:\\x.txt", "C:x.txt", "a\\b.txt", "file:x", "a\0b", "a\nb",
    "%2e%2e/x.txt", "%252e%252e/x.txt", "..", ".. /x", "\ud800.txt", "x" * 5000,
]  # fmt: skip


@pytest.fixture
def kept(artifacts: Callable[[str], dict[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The artifacts of the active run, by path."""
    with mlflow.start_run() as run:
        yield artifacts(run.info.run_id)


def folder() -> Path:
    made = Path("data")
    (made / "sub").mkdir(parents=True)
    (made / "a.csv").write_text("a", encoding="utf-8")
    (made / "sub" / "b.csv").write_text("b", encoding="utf-8")
    return made


class TestFiles:
    def test_a_file_goes_to_the_root_or_into_a_folder(self, kept: dict[str, bytes]) -> None:
        Path("model.pkl").write_bytes(b"\x00")
        mlflow.log_artifact("model.pkl")
        mlflow.log_artifact(Path("model.pkl").absolute(), "models/best")
        assert kept == {"model.pkl": b"\x00", "models/best/model.pkl": b"\x00"}

    def test_a_folder_goes_under_its_own_name(self, kept: dict[str, bytes]) -> None:
        mlflow.log_artifact(folder())
        assert set(kept) == {"data/a.csv", "data/sub/b.csv"}

    @pytest.mark.parametrize("here", [".", "", "sub/.."])
    def test_also_when_it_is_the_working_folder(
        self, here: str, kept: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder())
        mlflow.log_artifact(here)
        assert set(kept) == {"data/a.csv", "data/sub/b.csv"}

    def test_what_is_in_a_folder_goes_to_the_root_or_into_another(self, kept: dict[str, bytes]) -> None:
        mlflow.log_artifacts("data" if folder() else "", "inputs")
        mlflow.log_artifacts("data")
        assert set(kept) == {"inputs/a.csv", "inputs/sub/b.csv", "a.csv", "sub/b.csv"}

    def test_what_is_not_there_is_not_found(self, kept: dict[str, bytes]) -> None:
        for verb in (mlflow.log_artifact, mlflow.log_artifacts):
            with pytest.raises(NotFound, match=r"missing\.csv"):
                verb("missing.csv")

    def test_a_file_is_no_folder(self, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="log_artifact for a single file"):
            mlflow.log_artifacts(folder() / "a.csv")

    @pytest.mark.parametrize("path", HOSTILE, ids=ascii)
    def test_a_path_that_leads_elsewhere_is_refused(self, path: str, kept: dict[str, bytes]) -> None:
        Path("a.txt").write_text("a", encoding="utf-8")
        for log in (
            lambda: mlflow.log_artifact("a.txt", path),
            lambda: mlflow.log_artifacts(".", path),
            lambda: mlflow.log_text("a", path),
            lambda: mlflow.log_dict({}, path),
            lambda: mlflow.get_artifact_uri(path),
            lambda: mlflow.Client().list_artifacts(mlflow.active_run().info.run_id, path),  # type: ignore[union-attr]
        ):
            with pytest.raises(InvalidUri, match="artifact path"):
                log()
        assert kept == {}


class TestTextAndDocuments:
    def test_text_is_kept_in_utf_8(self, kept: dict[str, bytes]) -> None:
        mlflow.log_text("Grüße\n", "notes/hello.txt")
        assert kept == {"notes/hello.txt": "Grüße\n".encode()}

    @pytest.mark.parametrize("text", [b"bytes", None, 5], ids=repr)
    def test_what_is_no_text_is_refused(self, text: Any, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="takes text"):
            mlflow.log_text(text, "hello.txt")

    def test_half_a_character_is_refused(self, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="half a character"):
            mlflow.log_text("\ud800", "hello.txt")

    @pytest.mark.parametrize("path", ["", ".", "folder/", None])
    def test_a_file_needs_a_name(self, path: Any, kept: dict[str, bytes]) -> None:
        for log in (lambda: mlflow.log_text("a", path), lambda: mlflow.log_dict({}, path)):
            with pytest.raises(InvalidInput, match="file name"):
                log()

    def test_paths_may_be_path_objects(self, kept: dict[str, bytes]) -> None:
        mlflow.log_text("a", Path("notes") / "a.txt")  # type: ignore[arg-type]
        mlflow.log_dict({}, Path("b.json"))  # type: ignore[arg-type]
        assert set(kept) == {"notes/a.txt", "b.json"}

    def test_a_document_is_json_or_yaml_by_its_ending(self, kept: dict[str, bytes]) -> None:
        document = {"z": [1, 2.5, None, True], "ä": {"nested": "text"}}
        for name in ("a.json", "a.yaml", "a.yml", "A.YML", "a.txt"):
            mlflow.log_dict(document, name)
        assert json.loads(kept["a.json"]) == document == json.loads(kept["a.txt"])
        assert all(yaml.safe_load(kept[name]) == document for name in ("a.yaml", "a.yml", "A.YML"))
        assert kept["A.YML"] == kept["a.yml"] != kept["a.json"]
        assert "ä" in kept["a.json"].decode()
        assert list(yaml.safe_load(kept["a.yaml"])) == ["z", "ä"]

    def test_a_list_is_a_document_too(self, kept: dict[str, bytes]) -> None:
        mlflow.log_dict([1, {"a": 2}], "list.json")
        assert json.loads(kept["list.json"]) == [1, {"a": 2}]

    @pytest.mark.parametrize("name", ["config.json", "config.yaml"])
    def test_what_configurations_hold_is_written_plainly(self, name: str, kept: dict[str, bytes]) -> None:
        np = pytest.importorskip("numpy")
        config = {"path": Path("data"), "n": np.int64(3), "grid": np.arange(2), "names": {"b", "a"}}
        mlflow.log_dict(config, name)
        assert yaml.safe_load(kept[name]) == {"path": "data", "n": 3, "grid": [0, 1], "names": ["a", "b"]}

    def test_yaml_keeps_what_it_has_words_for(self, kept: dict[str, bytes]) -> None:
        document = {1: "a number as a key", "day": dt.date(2026, 1, 2)}
        mlflow.log_dict(document, "a.yaml")
        assert yaml.safe_load(kept["a.yaml"]) == document

    def test_what_cannot_be_written_is_an_error(self, kept: dict[str, bytes]) -> None:
        circle: dict[str, Any] = {}
        circle["self"] = circle
        for document in (circle, {("a", "tuple"): 1}):
            with pytest.raises(InvalidInput, match=r"'a\.json' cannot be written"):
                mlflow.log_dict(document, "a.json")
        assert kept == {}


class TestFigures:
    @pytest.fixture
    def figure(self) -> Any:
        figures = pytest.importorskip("matplotlib.figure")
        figure = figures.Figure(figsize=(1, 1))
        figure.subplots().plot([1, 2])
        return figure

    def test_the_ending_decides_the_format(self, figure: Any, kept: dict[str, bytes]) -> None:
        for name in ("loss.png", "loss.svg", "loss.PDF", "plots/loss"):
            mlflow.log_figure(figure, name)
        assert kept["loss.png"].startswith(b"\x89PNG")
        assert b"<svg" in kept["loss.svg"]
        assert kept["loss.PDF"].startswith(b"%PDF")
        assert kept["plots/loss"].startswith(b"\x89PNG")

    def test_options_go_to_the_library(self, figure: Any, kept: dict[str, bytes]) -> None:
        mlflow.log_figure(figure, "small.png", save_kwargs={"dpi": 20})
        mlflow.log_figure(figure, "large.png", save_kwargs={"dpi": 200})
        assert len(kept["small.png"]) < len(kept["large.png"])

    def test_an_unknown_format_is_an_error_with_the_known_ones(self, figure: Any, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match="png"):
            mlflow.log_figure(figure, "loss.docx")
        assert kept == {}

    def test_figures_of_plotly_are_pages_or_images(self, kept: dict[str, bytes]) -> None:
        class Figure:
            """What plotly's figures can do."""

            def to_html(self, **options: Any) -> str:
                return f"<html>{options}</html>"

            def to_image(self, format: str) -> bytes:  # noqa: A002 - plotly's name for it
                return format.encode()

        mlflow.log_figure(Figure(), "loss.html")
        mlflow.log_figure(Figure(), "loss.png")
        assert kept["loss.html"].startswith(b"<html>")
        assert kept["loss.png"] == b"png"

    def test_other_things_are_no_figures(self, kept: dict[str, bytes]) -> None:
        with pytest.raises(InvalidInput, match=r"builtins\.dict"):
            mlflow.log_figure({}, "loss.png")


class TestPlaces:
    def test_the_uri_of_a_runs_artifacts(self, kept: dict[str, bytes]) -> None:
        run = mlflow.active_run()
        assert run is not None
        root = mlflow.get_artifact_uri()
        assert root == run.info.artifact_uri
        assert mlflow.get_artifact_uri("models/best") == f"{root}/models/best"

    @pytest.mark.usefixtures("store")
    def test_it_needs_no_plugin_for_the_place(self) -> None:
        with mlflow.start_run(experiment_id=mlflow.create_experiment("x", artifact_location="kept://x")):
            assert mlflow.get_artifact_uri("a b").endswith("/a b")

    def test_another_run_may_be_named_also_one_that_ended(self, artifacts: Callable[[str], dict[str, bytes]]) -> None:
        with mlflow.start_run() as run:
            pass
        mlflow.log_text("late", "late.txt", run_id=run.info.run_id)
        assert artifacts(run.info.run_id) == {"late.txt": b"late"}
        assert mlflow.active_run() is None

    def test_the_clients_verbs_do_the_same(self, artifacts: Callable[[str], dict[str, bytes]]) -> None:
        client = mlflow.Client()
        run_id = client.create_run(mlflow.get_experiment_by_name("with artifacts").experiment_id).info.run_id
        client.log_text(run_id, "a", "a.txt")
        client.log_dict(run_id, {"b": 1}, "docs/b.json")
        client.log_artifact(run_id, folder())
        client.log_artifacts(run_id, "data", "inputs")
        assert len(artifacts(run_id)) == 6
        assert [(each.path, each.is_dir, each.file_size) for each in client.list_artifacts(run_id)] == [
            ("a.txt", False, 1), ("data", True, None), ("docs", True, None), ("inputs", True, None)
        ]  # fmt: skip
        assert [each.path for each in client.list_artifacts(run_id, "docs")] == ["docs/b.json"]
        local = Path(client.download_artifacts(run_id, "docs", "here"))
        assert (local / "b.json").read_text(encoding="utf-8") == '{\n  "b": 1\n}'
        with pytest.raises(NotFound):
            client.download_artifacts(run_id, "nothing")

    def test_artifacts_are_located_by_their_run(self, artifacts: Callable[[str], dict[str, bytes]]) -> None:
        with mlflow.start_run() as run:
            mlflow.log_text("a", "sub/a.txt")
        store, path = locations.locate(f"runs:/{run.info.run_id}/sub/a.txt")
        assert store.open(path).read() == b"a"

    @pytest.mark.parametrize("uri", ["runs:/", "runs:", "runs://host/x"])
    @pytest.mark.usefixtures("store")
    def test_a_location_without_a_run_is_refused(self, uri: str) -> None:
        with pytest.raises(InvalidUri, match="names no run"):
            locations.locate(uri)

    @pytest.mark.usefixtures("store")
    def test_a_location_that_climbs_is_refused_and_an_unknown_run_not_found(self) -> None:
        with pytest.raises(InvalidUri):
            locations.locate("runs:/abc/../../etc")
        with pytest.raises(NotFound):
            locations.locate("runs:/abc/model")

    def test_other_locations_are_a_store_and_a_path_in_it(self) -> None:
        store, path = locations.locate("kept://bucket/a/b.txt")
        assert (store.uri, path) == ("kept://bucket/a", "b.txt")
        store, path = locations.locate("kept://bucket/a/")
        assert (store.uri, path) == ("kept://bucket", "a")
        store, path = locations.locate("kept://bucket")
        assert (store.uri, path) == ("kept://bucket", "")


def test_a_deleted_run_still_has_its_artifacts(artifacts: Callable[[str], dict[str, bytes]]) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("a", "a.txt")
    mlflow.delete_run(run.info.run_id)
    assert [each.path for each in mlflow.Client().list_artifacts(run.info.run_id)] == ["a.txt"]
    with pytest.raises(RunEnded):
        mlflow.set_tag("a", "b", run_id=run.info.run_id)
