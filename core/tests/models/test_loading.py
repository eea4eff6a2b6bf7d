from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import InvalidInput, InvalidModel, NotFound, PluginMissing, Untrusted
from dovetail.models.loading import fetch_model, get_model_info, load_function, load_model
from dovetail.models.saving import log_with, save_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.models.flavor import Flavor
    from dovetail.models.info import ModelInfo


@pytest.fixture
def folder(flavor: Flavor, line: Any, tmp_path: Path) -> Path:
    save_with(flavor, line, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def logged(flavor: Flavor, line: Any, tmp_path: Path) -> Iterator[ModelInfo]:
    """A line logged to a run whose artifacts lie on this machine."""
    dovetail.set_tracking_uri("memory://")
    experiment = dovetail.create_experiment(tmp_path.name, artifact_location=str(tmp_path / "artifacts"))
    with dovetail.start_run(experiment_id=experiment):
        yield log_with(flavor, line, name="deep/model", input_example=[1.0])


class TestFromAFolder:
    def test_gives_the_object(self, folder: Path) -> None:
        assert load_model("lines", folder).slope == 2.0

    def test_gives_a_function(self, folder: Path) -> None:
        function = load_function(str(folder))
        assert function.predict([1.0]) == [3.0]
        assert function.get_raw_model().slope == function.unwrap_python_model().slope == 2.0
        assert repr(function) == "<dovetail model: lines>"

    def test_as_a_uri_too(self, folder: Path) -> None:
        assert load_function(folder.as_uri()).predict([1.0]) == [3.0]

    def test_through_a_link(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "latest").symlink_to(folder)
        assert load_function(tmp_path / "latest").predict([1.0]) == [3.0]

    def test_a_copy_can_be_asked_for(self, folder: Path, tmp_path: Path) -> None:
        copy = fetch_model(folder, tmp_path / "copies")
        assert copy.is_relative_to(tmp_path / "copies")
        assert load_function(copy).predict([1.0]) == [3.0]

    def test_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="nothing"):
            load_function(tmp_path / "nothing")

    def test_that_is_no_model_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="MLmodel"):
            load_function(tmp_path)

    def test_its_input_is_held_against_its_signature(self, flavor: Flavor, line: Any, tmp_path: Path) -> None:
        save_with(flavor, line, tmp_path / "model", input_example=[1.0])
        with pytest.raises(InvalidModel, match="model input"):
            load_function(tmp_path / "model").predict(["text"])

    def test_params_are_refused_by_a_flavor_without(self, folder: Path) -> None:
        with pytest.raises(InvalidModel, match="no inference parameters, got a, b"):
            load_function(folder).predict([1.0], params={"b": 1, "a": 2})


class TestFromARun:
    def test_gives_the_object(self, logged: ModelInfo) -> None:
        assert logged.model_uri == f"runs:/{logged.run_id}/deep/model"
        assert load_model("lines", logged.model_uri).slope == 2.0

    def test_says_where_it_is_from(self, logged: ModelInfo) -> None:
        function = load_function(logged.model_uri)
        assert function.metadata.run_id == logged.run_id
        assert function.metadata.artifact_path == "deep/model"
        assert str(logged.run_id) in repr(function)

    def test_information_is_read_without_loading(self, logged: ModelInfo) -> None:
        info = get_model_info(logged.model_uri)
        assert info == logged
        assert set(info.flavors) == {"python_function", "lines"}
        assert info.signature is not None

    def test_that_is_not_there_is_an_error(self, logged: ModelInfo) -> None:
        with pytest.raises(NotFound):
            load_function(f"runs:/{logged.run_id}/other")


class TestFromElsewhere:
    @pytest.fixture
    def far(self, folder: Path) -> str:
        """A model in an artifact store that is not on this machine's disk."""
        from dovetail import locations
        from dovetail.artifacts import transfer

        transfer.upload(locations.artifact_store("memory://models-test"), folder, "model")
        return "memory://models-test/model"

    def test_is_loaded_when_it_is_trusted(self, far: str) -> None:
        assert load_function(far, trust="all").predict([1.0]) == [3.0]
        assert load_model("lines", far, trust="all").slope == 2.0

    def test_is_not_loaded_otherwise(self, far: str) -> None:
        with pytest.raises(Untrusted, match="outside your own stores") as caught:
            load_function(far)
        assert "trust='all'" in str(caught.value)
        assert "--trust all" in str(caught.value)

    def test_information_needs_no_trust(self, far: str) -> None:
        assert "lines" in get_model_info(far).flavors

    def test_is_brought_to_a_private_folder(self, far: str) -> None:
        folder = fetch_model(far, trust="all")
        private = next(parent for parent in folder.parents if parent.name.startswith("dovetail-models-"))
        assert private.stat().st_mode & 0o077 == 0

    def test_and_is_gone_when_the_process_ends(self, folder: Path) -> None:
        program = (
            "from dovetail import locations\n"
            "from dovetail.artifacts import transfer\n"
            "from pathlib import Path\n"
            "from dovetail.models.loading import fetch_model\n"
            f"transfer.upload(locations.artifact_store('memory://m'), Path({str(folder)!r}), 'model')\n"
            "print(fetch_model('memory://m/model', trust='all'))\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not folder.parent.joinpath(done.stdout.strip()).exists()


class TestTrust:
    def test_in_nothing_loads_nothing(self, folder: Path) -> None:
        with pytest.raises(Untrusted, match="may run code"):
            load_function(folder, trust="none")

    def test_is_one_of_three_words(self, folder: Path) -> None:
        with pytest.raises(InvalidInput, match="'all'"):
            load_function(folder, trust="yes")

    @pytest.mark.parametrize("uri", ["s3://bucket/model", "https://example.com/model", "ftp://x/model"])
    def test_is_asked_for_before_anything_is_fetched(self, uri: str) -> None:
        with pytest.raises(Untrusted):
            fetch_model(uri)

    def test_a_password_is_not_shown(self) -> None:
        with pytest.raises(Untrusted) as caught:
            fetch_model("https://me:secret@example.com/model")
        assert "secret" not in str(caught.value)


class TestDigests:
    def test_a_changed_file_is_refused(self, folder: Path) -> None:
        (folder / "line.json").write_text("[9.0, 9.0]", encoding="utf-8")
        with pytest.raises(InvalidModel, match=r"line\.json is not the file that was saved"):
            load_function(folder)

    def test_a_missing_file_is_named(self, folder: Path) -> None:
        (folder / "line.json").unlink()
        with pytest.raises(InvalidModel, match=r"line\.json is missing"):
            load_function(folder)

    def test_of_files_elsewhere_are_refused(self, folder: Path) -> None:
        text = (folder / "MLmodel").read_text(encoding="utf-8").replace("line.json:", "../outside:")
        (folder / "MLmodel").write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput, match=r"\.\./outside"):
            load_function(folder)

    def test_requirements_may_be_edited(self, folder: Path) -> None:
        (folder / "requirements.txt").write_text("pandas\n", encoding="utf-8")
        assert load_function(folder).predict([1.0]) == [3.0]


class TestFlavorsOfAModel:
    def test_the_loader_module_means_an_installed_flavor(self, folder: Path) -> None:
        (folder / "MLmodel").write_text("flavors: {python_function: {loader_module: dovetail.lines}}\n")
        assert load_function(folder).predict([1.0]) == [3.0]

    def test_a_flavor_that_is_not_installed_says_what_to_install(self, folder: Path) -> None:
        (folder / "MLmodel").write_text("flavors: {python_function: {loader_module: mlflow.xgboost}, xgboost: {}}\n")
        with pytest.raises(PluginMissing, match="xgboost"):
            load_function(folder)

    def test_a_loader_module_of_nobody_is_an_error(self, folder: Path) -> None:
        (folder / "MLmodel").write_text("flavors: {python_function: {loader_module: my.own.loader}}\n")
        with pytest.raises(InvalidModel, match=r"my\.own\.loader"):
            load_function(folder)

    def test_a_model_is_not_loaded_by_a_flavor_it_has_not(self, folder: Path) -> None:
        (folder / "MLmodel").write_text("flavors: {python_function: {}, xgboost: {}}\n")
        with pytest.raises(InvalidModel, match="no flavor 'lines'"):
            load_model("lines", folder)
