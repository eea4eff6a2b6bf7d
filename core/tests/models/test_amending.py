"""Requirements are added and removed in every file of a model that says them, and nothing else changes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dovetail import hookimpl, plugins
from dovetail.environments.spec import requirement_name
from dovetail.errors import InvalidInput, InvalidModel, NotFound, StoreError, StoreFull, StoreReadOnly
from dovetail.models import update_model_requirements
from dovetail.models.amendment import Amendment
from dovetail.models.requirement import Requirement
from dovetail.testing.memory_artifacts import MemoryArtifactStore

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

REQUIREMENTS = """\
# what the model was trained with
-c constraints.txt
numpy==1.26.4  # the last one before 2

pandas>=2
scikit_learn[x]==1.5; python_version > "3"
"""
CONDA = """\
# made by hand
name: wine
channels: [conda-forge]   # and no other
dependencies:
- python=3.11
- pip
- pip:
  - numpy==1.26.4  # the last one before 2
  - 'pandas>=2'
  # for the pipeline
  - scikit_learn[x]==1.5; python_version > "3"
variables: {A: b}
"""
PYTHON_ENV = "python: '3.11'\nbuild_dependencies: [pip]\ndependencies:\n- -r requirements.txt\n"
FILES = {"requirements.txt": REQUIREMENTS, "conda.yaml": CONDA, "python_env.yaml": PYTHON_ENV}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors:\n  python_function: {}\n", encoding="utf-8")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def text(model: Path, name: str) -> str:
    return (model / name).read_bytes().decode("utf-8")


def pip_lines(model: Path) -> list[str]:
    found: list[str] = yaml.safe_load(text(model, "conda.yaml"))["dependencies"][-1]["pip"]
    return found


class TestAdding:
    def test_takes_the_place_of_the_same_distribution_however_it_is_spelt(self, model: Path) -> None:
        change = update_model_requirements(model, "add", ["NumPy>=2,<3", "scikit-learn"])
        assert text(model, "requirements.txt") == REQUIREMENTS.replace("numpy==1.26.4", "NumPy>=2,<3").replace(
            'scikit_learn[x]==1.5; python_version > "3"', "scikit-learn"
        )
        assert text(model, "conda.yaml") == CONDA.replace("numpy==1.26.4", "NumPy>=2,<3").replace(
            'scikit_learn[x]==1.5; python_version > "3"', "scikit-learn"
        )
        assert text(model, "python_env.yaml") == PYTHON_ENV
        assert change.files == ("requirements.txt", "conda.yaml")
        assert change.before == (
            "-c constraints.txt", "numpy==1.26.4", "pandas>=2", 'scikit_learn[x]==1.5; python_version > "3"'
        )  # fmt: skip
        assert change.after == ("-c constraints.txt", "NumPy>=2,<3", "pandas>=2", "scikit-learn")

    def test_new_ones_come_last(self, model: Path) -> None:
        update_model_requirements(model, "add", ["torch==2.1", "rich; sys_platform == 'linux'"])
        assert text(model, "requirements.txt") == REQUIREMENTS + "torch==2.1\nrich; sys_platform == 'linux'\n"
        assert pip_lines(model)[-2:] == ["torch==2.1", "rich; sys_platform == 'linux'"]
        assert text(model, "conda.yaml").startswith(CONDA.partition("variables")[0])

    def test_one_for_each_system(self, model: Path) -> None:
        lines = ["numpy==1; sys_platform == 'win32'", "numpy==2; sys_platform != 'win32'"]
        update_model_requirements(model, "add", lines)
        assert pip_lines(model)[:3] == [*lines, "pandas>=2"]
        assert text(model, "requirements.txt").splitlines()[2:4] == [f"{lines[0]}  # the last one before 2", lines[1]]

    def test_what_is_there_already_changes_nothing(self, model: Path) -> None:
        assert update_model_requirements(model, "add", ["pandas>=2"]).files == ()
        assert {name: text(model, name) for name in FILES} == FILES

    def test_a_file_without_a_last_line_end_gets_one(self, model: Path) -> None:
        (model / "requirements.txt").write_text("numpy", encoding="utf-8")
        (model / "conda.yaml").write_text("dependencies:\n- pip:\n  - numpy", encoding="utf-8")
        update_model_requirements(model, "add", ["rich"])
        assert text(model, "requirements.txt") == "numpy\nrich\n"
        assert text(model, "conda.yaml") == "dependencies:\n- pip:\n  - numpy\n  - rich\n"

    def test_line_ends_stay_as_they_are(self, model: Path) -> None:
        (model / "requirements.txt").write_bytes(b"numpy==1\r\npandas\r\n")
        (model / "conda.yaml").write_bytes(b"dependencies:\r\n- pip:\r\n  - numpy==1\r\n  - pandas\r\n")
        update_model_requirements(model, "add", ["numpy==2", "rich"])
        assert text(model, "requirements.txt") == "numpy==2\r\npandas\r\nrich\r\n"
        assert text(model, "conda.yaml") == ("dependencies:\r\n- pip:\r\n  - numpy==2\r\n  - pandas\r\n  - rich\r\n")

    def test_a_requirement_over_several_lines_is_replaced_as_a_whole(self, model: Path) -> None:
        (model / "requirements.txt").write_text("numpy==1 \\\n  --hash=sha256:ab\npandas\n", encoding="utf-8")
        update_model_requirements(model, "add", ["numpy==2"])
        assert text(model, "requirements.txt") == "numpy==2\npandas\n"

    @pytest.mark.parametrize(
        "conda",
        [
            "dependencies: [python=3.11, {pip: [numpy==1, pandas]}]\n",
            "dependencies:\n- pip: [numpy==1, pandas]\n",
            "dependencies:\n- pip:\n  - >-\n    numpy==1\n  - pandas\n",
            '{"dependencies": [{"pip": ["numpy==1", "pandas"]}]}',
        ],
    )
    def test_a_list_that_is_written_in_another_way(self, model: Path, conda: str) -> None:
        (model / "conda.yaml").write_text(conda, encoding="utf-8")
        update_model_requirements(model, "add", ["numpy==2", "rich"])
        assert pip_lines(model) == ["numpy==2", "pandas", "rich"]

    def test_a_conda_file_without_a_list_for_pip_gets_one(self, model: Path) -> None:
        (model / "conda.yaml").write_text("dependencies:\n- python=3.11\n- numpy=1\n", encoding="utf-8")
        update_model_requirements(model, "add", ["rich"])
        assert yaml.safe_load(text(model, "conda.yaml"))["dependencies"] == [
            "python=3.11", "numpy=1", {"pip": ["rich"]}
        ]  # fmt: skip

    def test_a_line_of_the_python_env_that_would_contradict_goes(self, model: Path) -> None:
        (model / "python_env.yaml").write_text(PYTHON_ENV + "- numpy==1.0\n", encoding="utf-8")
        change = update_model_requirements(model, "add", ["numpy==2"])
        assert text(model, "python_env.yaml") == PYTHON_ENV
        assert change.files[-1] == "python_env.yaml"

    def test_a_python_env_that_says_all_itself_is_changed_like_the_others(self, model: Path) -> None:
        (model / "python_env.yaml").write_text("dependencies:\n- numpy==1.0\n", encoding="utf-8")
        update_model_requirements(model, "add", ["numpy==2", "rich"])
        assert text(model, "python_env.yaml") == "dependencies:\n- numpy==2\n- rich\n"

    def test_leaves_nothing_else_behind(self, model: Path) -> None:
        (model / "requirements.txt").chmod(0o640)
        update_model_requirements(model, "add", ["rich"])
        assert sorted(each.name for each in model.iterdir()) == sorted(["MLmodel", *FILES])
        assert (model / "requirements.txt").stat().st_mode & 0o777 == 0o640


class TestRemoving:
    def test_the_name_is_enough_and_versions_do_not_matter(self, model: Path) -> None:
        change = update_model_requirements(model, "remove", ["NumPy", "pandas==7"])
        assert text(model, "requirements.txt") == (
            '# what the model was trained with\n-c constraints.txt\n\nscikit_learn[x]==1.5; python_version > "3"\n'
        )
        assert text(model, "conda.yaml") == CONDA.replace(
            "  - numpy==1.26.4  # the last one before 2\n  - 'pandas>=2'\n", ""
        )
        assert change.absent == ()

    def test_what_is_not_there_is_told(self, model: Path) -> None:
        (model / "conda.yaml").write_text("dependencies:\n- pip:\n  - rich\n", encoding="utf-8")
        change = update_model_requirements(model, "remove", ["rich", "torch", "numpy"])
        assert change.absent == ("torch",)
        assert change.files == ("requirements.txt", "conda.yaml")

    def test_the_last_one_leaves_an_empty_list(self, model: Path) -> None:
        update_model_requirements(model, "remove", ["numpy", "pandas", "scikit-learn"])
        assert pip_lines(model) == []
        update_model_requirements(model, "add", ["rich"])
        assert pip_lines(model) == ["rich"]

    def test_a_distribution_that_is_named_twice_goes_altogether(self, model: Path) -> None:
        (model / "requirements.txt").write_text("numpy\nrich\nNumPy==1\n", encoding="utf-8")
        update_model_requirements(model, "remove", ["numpy"])
        assert text(model, "requirements.txt") == "rich\n"


class TestRefusals:
    @pytest.mark.parametrize("operation", ["swap", "", "Add"])
    def test_of_an_operation_there_is_not(self, model: Path, operation: str) -> None:
        with pytest.raises(InvalidInput, match="operation"):
            update_model_requirements(model, operation, ["numpy"])

    @pytest.mark.parametrize("lines", ["numpy", [], ["numpy", "./here"], ["--pre"], ["numpy==1", "NumPy==2"], [5]])
    def test_of_what_is_no_list_of_requirements(self, model: Path, lines: Any) -> None:
        with pytest.raises(InvalidInput):
            update_model_requirements(model, "add", lines)
        assert {name: text(model, name) for name in FILES} == FILES

    @pytest.mark.parametrize("uri", ["models:/wine/1", "models:/wine@champion"])
    def test_of_a_model_in_a_registry(self, uri: str) -> None:
        with pytest.raises(InvalidInput, match="registry") as caught:
            update_model_requirements(uri, "add", ["numpy"])
        assert "runs:/" in str(caught.value.hint)

    def test_of_what_is_no_model(self, tmp_path: Path, model: Path) -> None:
        for place in (tmp_path / "gone", tmp_path):
            with pytest.raises(InvalidModel, match="MLmodel"):
                update_model_requirements(place, "add", ["numpy"])

    def test_of_a_model_that_says_nothing(self, model: Path) -> None:
        for name in ("requirements.txt", "conda.yaml"):
            (model / name).unlink()
        with pytest.raises(InvalidModel, match="neither"):
            update_model_requirements(model, "add", ["numpy"])

    @pytest.mark.parametrize("content", [b"dependencies: [", b"- a\n", b"\xff\xfe", b"a: &a [*a]\n"])
    def test_of_a_file_that_cannot_be_read_changes_nothing(self, model: Path, content: bytes) -> None:
        (model / "conda.yaml").write_bytes(content)
        with pytest.raises(InvalidModel, match=str(model / "conda.yaml")):
            update_model_requirements(model, "add", ["numpy==2"])
        assert text(model, "requirements.txt") == REQUIREMENTS

    def test_of_files_that_lie_elsewhere(self, model: Path, tmp_path: Path) -> None:
        (tmp_path / "others.txt").write_text("numpy\n")
        (model / "requirements.txt").unlink()
        (model / "requirements.txt").symlink_to(tmp_path / "others.txt")
        with pytest.raises(InvalidModel, match="leads out"):
            update_model_requirements(model, "remove", ["numpy"])
        assert (tmp_path / "others.txt").read_text() == "numpy\n"

    @pytest.mark.skipif(getattr(os, "getuid", lambda: 0)() == 0, reason="the superuser may write anywhere")
    def test_of_a_folder_that_may_only_be_read(self, model: Path) -> None:
        model.chmod(0o555)
        with pytest.raises(StoreReadOnly, match="cannot be written"):
            update_model_requirements(model, "add", ["rich"])
        model.chmod(0o755)
        assert {name: text(model, name) for name in FILES} == FILES

    def test_of_one_file_leaves_the_others_as_they_were(self, model: Path) -> None:
        (model / "python_env.yaml").write_text("dependencies:\n- numpy==1.0\n", encoding="utf-8")
        store = Awkward("conda.yaml", model)
        with pytest.raises(StoreFull):
            update_model_requirements(store.uri, "add", ["numpy==2"])
        assert {name: store.text(name) for name in ("requirements.txt", "conda.yaml")} == {
            "requirements.txt": REQUIREMENTS, "conda.yaml": CONDA
        }  # fmt: skip

    def test_that_cannot_be_taken_back_say_so(self, model: Path) -> None:
        store = Awkward("conda.yaml", model, for_good=True)
        with pytest.raises(StoreError, match=r"requirements\.txt was changed, the rest could not be") as caught:
            update_model_requirements(store.uri, "add", ["numpy==2"])
        assert "Repeat" in str(caught.value.hint)
        store.full_at = ""
        update_model_requirements(store.uri, "add", ["numpy==2"])
        assert "numpy==2" in store.text("conda.yaml")


class Awkward(MemoryArtifactStore):
    """A store that has room for everything but one file, and ever after for none if that is for good."""

    made: dict[str, Awkward] = {}  # noqa: RUF012 - shared on purpose: the plugin finds them there

    def __init__(self, full_at: str, model: Path, *, for_good: bool = False) -> None:
        super().__init__(f"awkward://{len(self.made)}")
        for file in model.iterdir():
            super().put(f"model/{file.name}", io.BytesIO(file.read_bytes()))
        self.made[self.uri] = self
        self.uri += "/model"
        self.full_at, self.for_good, self.full = full_at, for_good, False

    def put(self, path: str, stream: BinaryIO) -> None:
        self.full = bool(self.full_at) and ((self.full and self.for_good) or path.endswith(self.full_at))
        if self.full:
            raise StoreFull("There is no room.")
        super().put(path, stream)

    def text(self, name: str) -> str:
        with self.open(f"model/{name}") as stream:
            return stream.read().decode("utf-8")


@pytest.fixture(scope="module", autouse=True)
def awkward() -> None:
    class Plugin:
        @hookimpl
        def dovetail_artifact_stores(self) -> Any:
            return {"awkward": lambda uri: Awkward.made[uri]}

    plugins.register(Plugin(), "artifact_stores", "awkward")


def test_a_model_in_a_store_is_changed_there(model: Path) -> None:
    store = Awkward("", model)
    update_model_requirements(store.uri, "remove", ["numpy"])
    assert "numpy" not in store.text("requirements.txt") + store.text("conda.yaml")
    assert text(model, "requirements.txt") == REQUIREMENTS


def test_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_TRACKING_URI", "memory://nothing-here")
    with pytest.raises(NotFound):
        update_model_requirements("runs:/" + "f" * 32 + "/model", "add", ["numpy"])


names = st.sampled_from(["numpy", "NumPy", "pandas", "scikit_learn", "scikit-learn", "rich"])
versions = st.sampled_from(["", "==1", ">=2,<3", "[x]", "; sys_platform == 'linux'"])
written = st.lists(st.one_of(st.builds(str.__add__, names, versions), st.sampled_from(["-c c.txt", "# note", ""])))


@given(written, st.lists(names, min_size=1, unique_by=requirement_name), st.booleans())
def test_texts_and_lists_are_changed_alike(lines: list[str], given_names: list[str], removing: bool) -> None:
    parsed = tuple(map(Requirement.parse, given_names))
    amendment = Amendment(remove=frozenset(each.name for each in parsed)) if removing else Amendment(parsed)
    after = amendment.of_requirements("".join(f"{line}\n" for line in lines)).splitlines()
    assert after == amendment.of_list(lines)
    found = [requirement_name(line) for line in after]
    for each in parsed:
        assert found.count(each.name) == (0 if removing else 1)
    untouched = [line for line in lines if requirement_name(line) not in amendment.names]
    assert [line for line in after if requirement_name(line) not in amendment.names] == untouched
    content = {"dependencies": ["python=3.11", {"pip": [line for line in lines if line]}]}
    dumped = yaml.safe_dump(content)
    changed = yaml.safe_load(amendment.of_yaml(dumped, content, "dependencies", "pip"))
    assert changed["dependencies"][1]["pip"] == amendment.of_list(content["dependencies"][1]["pip"])  # type: ignore[index]


def test_those_who_add_at_once_lose_nothing(model: Path) -> None:
    program = (
        "import sys; from dovetail.models import update_model_requirements as u; u(sys.argv[1], 'add', sys.argv[2:])"
    )
    argv = [sys.executable, "-c", program, str(model)]
    started = [subprocess.Popen([*argv, f"pkg{number}=={number}"]) for number in range(8)]
    assert [process.wait(60) for process in started] == [0] * 8
    assert all(f"pkg{number}=={number}" in text(model, "requirements.txt") for number in range(8))
