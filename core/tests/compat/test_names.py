"""Names that are loaded when they are used, errors by the names that scripts catch, and the vocabulary of tags."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pickle
import subprocess
import sys

import pytest

import dovetail as mlflow
from dovetail import lazy
from dovetail.errors import AlreadyExists, NotFound, RunFailed
from dovetail.exceptions import ExecutionException, MlflowException, RestException
from dovetail.utils import mlflow_tags


class TestLoading:
    def test_a_module_of_a_package_is_an_attribute(self) -> None:
        assert mlflow.models.signature is importlib.import_module("dovetail.models.signature")

    @pytest.mark.parametrize("package", ["data", "entities", "models", "projects", "tracking", "types", "utils"])
    @pytest.mark.parametrize("name", ["nonsense", "not-a-name", "a.b", "", "__wrapped__", "_private"])
    def test_what_is_not_there_is_an_attribute_error_that_names_it(self, package: str, name: str) -> None:
        module = getattr(mlflow, package)
        with pytest.raises(AttributeError) as caught:
            getattr(module, name)
        assert str(caught.value) == f"module 'dovetail.{package}' has no attribute {name!r}"

    def test_importing_what_is_not_there_says_from_where(self) -> None:
        with pytest.raises(ImportError, match=r"cannot import name 'from_nowhere' from 'dovetail\.data'"):
            exec("from dovetail.data import from_nowhere")
        with pytest.raises(ModuleNotFoundError, match=r"dovetail\.entities\.nonsense"):
            importlib.import_module("dovetail.entities.nonsense")

    def test_a_module_that_fails_to_import_says_why(self, site: object) -> None:
        folder = site / "acme_lazy"  # type: ignore[operator]
        folder.mkdir()
        (folder / "__init__.py").write_text(
            "from dovetail import lazy\n__getattr__ = lazy.attributes(__name__, {'word': 'broken'})\n", encoding="utf-8"
        )
        (folder / "broken.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
        package = importlib.import_module("acme_lazy")
        for name in ("word", "broken"):
            with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
                getattr(package, name)

    def test_tools_that_probe_modules_do_no_harm(self) -> None:
        for module in (mlflow.entities, mlflow.models, mlflow.types):
            assert inspect.unwrap(module) is module
            assert not hasattr(module, "__deepcopy__")
            assert inspect.getmembers(module)

    @pytest.mark.parametrize("package", ["data", "models", "projects", "tracking"])
    def test_what_is_not_loaded_yet_is_listed(self, package: str) -> None:
        program = f"import dovetail.{package} as it; print(set(it.__all__) - set(dir(it)), 'os' in dir(it))"
        shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        assert shown == "set() False\n"

    def test_a_name_is_loaded_once(self) -> None:
        load = lazy.attributes("dovetail.projects", {"Project": "project"})
        assert load("Project") is load("Project") is vars(mlflow.projects)["Project"]


class TestErrors:
    def test_scripts_catch_ours_by_mlflows_names(self) -> None:
        for name in (MlflowException, RestException, mlflow.MlflowException, mlflow.exceptions.MlflowException):
            with pytest.raises(name):
                raise AlreadyExists("The experiment 'wine' exists.")
        with pytest.raises(ExecutionException):
            raise RunFailed("The command failed.")

    def test_scripts_tell_them_apart_by_code(self) -> None:
        with pytest.raises(MlflowException) as caught:
            mlflow.MlflowClient("memory://names").get_run("nowhere")
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
        assert caught.value.get_http_status_code() == 404

    def test_json_holds_code_and_all_that_is_said(self) -> None:
        error = NotFound("There is no run 'ü'.", hint="See `dovetail runs list`.")
        assert json.loads(error.serialize_as_json()) == {
            "error_code": "RESOURCE_DOES_NOT_EXIST",
            "message": "There is no run 'ü'.\nSee `dovetail runs list`.",
        }

    def test_they_survive_copying(self) -> None:
        error = RunFailed("x", hint="y")
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin)) == (ExecutionException, "x\ny")


class TestTags:
    def test_they_are_text_and_the_keys_are_distinct(self) -> None:
        found = {name: getattr(mlflow_tags, name) for name in mlflow_tags.__all__}
        assert all(isinstance(value, str) and value for value in found.values())
        assert len(set(found.values())) == len(found)

    def test_runs_get_the_tags_that_are_called_so(self) -> None:
        run = mlflow.MlflowClient("memory://tags").create_run("0", run_name="forest")
        assert run.data.tags[mlflow_tags.MLFLOW_RUN_NAME] == "forest"
        mlflow.set_tracking_uri("memory://tags")
        with mlflow.start_run(description="first") as parent, mlflow.start_run(nested=True) as child:
            assert child.data.tags[mlflow_tags.MLFLOW_PARENT_RUN_ID] == parent.info.run_id
            assert parent.data.tags[mlflow_tags.MLFLOW_RUN_NOTE] == "first"
            assert parent.data.tags[mlflow_tags.MLFLOW_SOURCE_TYPE] == mlflow.entities.SourceType.LOCAL
            assert {mlflow_tags.MLFLOW_USER, mlflow_tags.MLFLOW_SOURCE_NAME} <= set(parent.data.tags)
