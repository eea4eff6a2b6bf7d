"""The file that says what a model requires, for pip or for conda."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import InvalidInput, InvalidModel
from dovetail.models import get_model_dependencies
from dovetail.testing.memory_artifacts import MemoryArtifactStore

STORE = MemoryArtifactStore("cupboard://things")


@pytest.fixture(autouse=True, scope="module")
def cupboard() -> None:
    class Plugin:
        @hookimpl
        def dovetail_artifact_stores(self) -> Any:
            return {"cupboard": lambda _: STORE}

    plugins.register(Plugin(), "artifact_stores", "cupboard")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "MLmodel").write_text("flavors: {a: {}}\n")
    (tmp_path / "requirements.txt").write_text("-c constraints.txt\nnumpy\n")
    (tmp_path / "constraints.txt").write_text("numpy<3\n")
    (tmp_path / "conda.yaml").write_text("dependencies:\n- python=3.11\n- pip:\n  - numpy\n  - rich\n")
    return tmp_path


def test_of_a_folder_is_its_own_file(model: Path) -> None:
    assert get_model_dependencies(model) == str(model / "requirements.txt")
    assert get_model_dependencies(str(model), "conda") == str(model / "conda.yaml")


def test_of_a_model_in_a_store_comes_with_what_it_refers_to(model: Path) -> None:
    for file in model.iterdir():
        STORE.put(f"model/{file.name}", io.BytesIO(file.read_bytes()))
    path = Path(get_model_dependencies("cupboard://things/model"))
    assert path.read_text() == "-c constraints.txt\nnumpy\n"
    assert path.with_name("constraints.txt").read_text() == "numpy<3\n"


def test_is_made_from_the_conda_file_where_there_is_no_other(model: Path) -> None:
    (model / "requirements.txt").unlink()
    assert Path(get_model_dependencies(model)).read_text() == "numpy\nrich\n"


def test_that_is_not_there(model: Path) -> None:
    (model / "conda.yaml").unlink()
    with pytest.raises(InvalidModel, match=r"no conda\.yaml"):
        get_model_dependencies(model, format="conda")
    (model / "requirements.txt").unlink()
    for uri in (str(model), "cupboard://things/gone"):
        with pytest.raises(InvalidModel, match=r"no requirements\.txt"):
            get_model_dependencies(uri)


def test_in_another_format(model: Path) -> None:
    with pytest.raises(InvalidInput, match="poetry"):
        get_model_dependencies(model, format="poetry")
