from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.documents import read_yaml
from dovetail.errors import AlreadyExists, InvalidInput, InvalidModel, InvalidProject, NotFound
from dovetail.models.manifest import Manifest
from dovetail.models.saving import save_with
from dovetail.models.signature import infer_signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from dovetail.models.flavor import Flavor


@pytest.fixture
def save(flavor: Flavor, line: Any, tmp_path: Path) -> Callable[..., Path]:
    """``save(**details)`` saves a line below ``tmp_path`` and answers with its folder."""

    def run(model: Any = line, **details: Any) -> Path:
        save_with(flavor, model, tmp_path / "out" / "model", **details)
        return tmp_path / "out" / "model"

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def lines_of(folder: Path) -> list[str]:
    return (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()


class TestTheFolder:
    def test_holds_what_a_model_needs(self, save: Callable[..., Path]) -> None:
        assert sorted(path.name for path in save().iterdir()) == [
            "MLmodel",
            "conda.yaml",
            "line.json",
            "python_env.yaml",
            "requirements.txt",
        ]

    def test_says_what_it_is(self, save: Callable[..., Path]) -> None:
        manifest = Manifest.read(save(metadata={"team": "a"}))
        assert manifest.conf("lines") == {"digits": 6}
        function = manifest.conf("python_function")
        assert function["loader_module"] == "dovetail.lines"
        assert function["model_path"] == "line.json"
        assert function["python_version"] == ".".join(map(str, sys.version_info[:3]))
        assert manifest.metadata == {"team": "a"}
        assert len(manifest.model_uuid) == 32
        assert list(manifest.digests) == ["line.json"]

    def test_appears_in_an_empty_folder_too(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "out" / "model").mkdir(parents=True)
        assert (save() / "MLmodel").is_file()

    def test_does_not_take_the_place_of_something(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "out" / "model").mkdir(parents=True)
        (tmp_path / "out" / "model" / "mine.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(AlreadyExists, match="not an empty folder"):
            save()
        assert names(tmp_path / "out" / "model") == ["mine.txt"]

    def test_does_not_take_the_place_of_a_file(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "model").write_text("mine", encoding="utf-8")
        with pytest.raises(AlreadyExists):
            save()

    def test_is_not_there_when_the_flavor_refuses(self, save: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="no line"):
            save(model=7)
        assert names(tmp_path / "out") == []

    def test_is_not_there_when_something_fails_later(self, save: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            save(code_paths=[tmp_path / "missing.py"])
        with pytest.raises(InvalidModel, match="plain data"):
            save(metadata={"x": object()})
        assert names(tmp_path / "out") == []

    def test_is_whole_or_absent_when_the_process_is_killed(self, tmp_path: Path) -> None:
        program = (
            "import sys, time\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "import flavor_of_lines as lines\n"
            "class Slow(lines.LineFlavor):\n"
            "    def save(self, model, path, options):\n"
            "        (path / 'line.json').write_text('[1')\n"
            "        print('saving', flush=True)\n"
            "        time.sleep(60)\n"
            "from dovetail.models.saving import save_with\n"
            f"save_with(Slow(), lines.Line(1.0), {str(tmp_path / 'model')!r})\n"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "saving\n"
            process.send_signal(signal.SIGKILL)
        assert not (tmp_path / "model").exists()

    def test_can_be_entered_by_others(self, save: Callable[..., Path]) -> None:
        assert save().stat().st_mode & 0o777 == 0o755


class TestSignatures:
    def test_are_inferred_from_the_example(self, save: Callable[..., Path]) -> None:
        signature = Manifest.read(save(input_example=[1.0, 2.0])).signature
        assert signature is not None
        assert str(signature.inputs) == "[double (required)]"
        assert str(signature.outputs) == "[double (required)]"

    def test_that_are_given_hold(self, save: Callable[..., Path]) -> None:
        given = infer_signature([1], [2])
        assert Manifest.read(save(input_example=[1.0], signature=given)).signature == given

    def test_of_another_kind_are_refused(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="infer_signature"):
            save(signature={"inputs": []})

    def test_an_example_is_kept_in_two_forms(self, save: Callable[..., Path]) -> None:
        folder = save(input_example=[1.0, 2.0])
        assert (folder / "input_example.json").read_text(encoding="utf-8") == "[1.0, 2.0]"
        assert '"inputs"' in (folder / "serving_input_example.json").read_text(encoding="utf-8")
        info = Manifest.read(folder).saved_input_example_info
        assert info is not None
        assert info["type"] == "json_object"

    def test_an_example_the_model_fails_on_is_refused(self, save: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="TypeError") as caught:
            save(input_example=["a"])
        assert "signature=" in str(caught.value)
        assert names(tmp_path / "out") == []

    def test_with_a_signature_it_is_a_warning(self, save: Callable[..., Path]) -> None:
        given = infer_signature([1.0], [2.0])
        with pytest.warns(UserWarning, match="cannot predict on its input example"):
            folder = save(input_example=["a"], signature=given)
        assert Manifest.read(folder).signature == given

    def test_an_example_that_is_no_data_is_refused(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidModel, match="JSON"):
            save(input_example=[object()], signature=infer_signature([1.0]))


class TestCode:
    def test_is_copied_by_name(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "src" / "deep" / "__pycache__").mkdir(parents=True)
        (tmp_path / "src" / "deep" / "__pycache__" / "x.pyc").write_bytes(b"")
        (tmp_path / "src" / "deep" / "a.py").write_text("x = 1\n", encoding="utf-8")
        (tmp_path / "utils.py").write_text("y = 1\n", encoding="utf-8")
        folder = save(code_paths=[tmp_path / "src", str(tmp_path / "utils.py")])
        kept = sorted(path.relative_to(folder / "code").as_posix() for path in (folder / "code").rglob("*.*"))
        assert kept == ["src/deep/a.py", "utils.py"]
        assert Manifest.read(folder).conf("python_function")["code"] == "code"
        assert Manifest.read(folder).conf("lines")["code"] == "code"

    def test_is_held_against_digests(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "utils.py").write_text("y = 1\n", encoding="utf-8")
        assert "code/utils.py" in Manifest.read(save(code_paths=[tmp_path / "utils.py"])).digests

    def test_may_lie_around_the_model(
        self, save: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "train.py").write_text("x = 1\n", encoding="utf-8")
        monkeypatch.chdir(tmp_path / "out")
        assert names(save(code_paths=["."]) / "code" / "out") == ["train.py"]

    def test_that_does_not_exist_is_named(self, save: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(NotFound, match=r"missing\.py"):
            save(code_paths=[tmp_path / "missing.py"])

    def test_of_one_name_twice_is_refused(self, save: Callable[..., Path], tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "utils.py").touch()
        with pytest.raises(InvalidInput, match=r"utils\.py"):
            save(code_paths=[tmp_path / "a" / "utils.py", tmp_path / "b" / "utils.py"])

    def test_as_a_single_path_is_refused(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="list"):
            save(code_paths="utils.py")

    def test_what_it_imports_is_required(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "helper.py").write_text("import other_helper, json\nimport pluggy.hooks\n", encoding="utf-8")
        (tmp_path / "other_helper.py").write_text("from yaml import dump\n", encoding="utf-8")
        folder = save(code_paths=[tmp_path / "helper.py", tmp_path / "other_helper.py"])
        assert [line.split("==")[0] for line in lines_of(folder) if "dovetail" not in line] == ["pluggy", "pyyaml"]

    def test_what_it_imports_from_nowhere_is_warned_about(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "helper.py").write_text("import module_of_my_own\n", encoding="utf-8")
        with pytest.warns(UserWarning, match="module_of_my_own") as caught:
            save(code_paths=[tmp_path / "helper.py"])
        assert caught[0].filename == __file__


class TestRequirements:
    def test_name_what_loads_the_model(self, save: Callable[..., Path]) -> None:
        import dovetail

        assert f"dovetail-core=={dovetail.__version__}" in lines_of(save())

    def test_can_be_said_instead(self, save: Callable[..., Path]) -> None:
        assert lines_of(save(pip_requirements=["scikit-learn==1.3.1", "cloudpickle"])) == [
            "scikit-learn==1.3.1",
            "cloudpickle",
        ]

    def test_can_be_none_at_all(self, save: Callable[..., Path]) -> None:
        assert lines_of(save(pip_requirements=[])) == []

    def test_can_be_added_to(self, save: Callable[..., Path]) -> None:
        lines = lines_of(save(extra_pip_requirements=["pandas==2.0.3"]))
        assert lines[-1] == "pandas==2.0.3"
        assert len(lines) > 1

    def test_an_added_line_replaces_the_inferred_one(self, save: Callable[..., Path]) -> None:
        lines = lines_of(save(extra_pip_requirements=["Dovetail_Core @ https://example.com/x.whl"]))
        assert [line for line in lines if line.lower().startswith("dovetail") and "core" in line.lower()] == [
            "Dovetail_Core @ https://example.com/x.whl"
        ]

    def test_can_stand_in_a_file(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "base.txt").write_text("numpy>=1\n", encoding="utf-8")
        (tmp_path / "req.txt").write_text("# mine\n-r base.txt\npandas\n-c limits.txt\n", encoding="utf-8")
        (tmp_path / "limits.txt").write_text("numpy<3\n", encoding="utf-8")
        folder = save(pip_requirements=str(tmp_path / "req.txt"))
        assert lines_of(folder) == ["-c constraints.txt", "numpy>=1", "pandas"]
        assert (folder / "constraints.txt").read_text(encoding="utf-8") == "numpy<3\n"

    def test_a_line_may_name_a_file(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "req.txt").write_text("pandas\n", encoding="utf-8")
        (tmp_path / "limits.txt").write_text("pandas<3\n", encoding="utf-8")
        given = [f"-r {tmp_path / 'req.txt'}", f"--constraint={tmp_path / 'limits.txt'}", "scipy"]
        folder = save(pip_requirements=given)
        assert lines_of(folder) == ["-c constraints.txt", "pandas", "scipy"]
        assert (folder / "constraints.txt").read_text(encoding="utf-8") == "pandas<3\n"

    def test_a_file_that_is_missing_is_named(self, save: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(InvalidProject, match=r"req\.txt"):
            save(extra_pip_requirements=str(tmp_path / "req.txt"))

    def test_what_is_no_text_is_refused(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="pip_requirements holds 7"):
            save(pip_requirements=[7])

    def test_stand_in_all_three_files(self, save: Callable[..., Path]) -> None:
        folder = save(pip_requirements=["pandas==2.0.3"])
        python = ".".join(map(str, sys.version_info[:3]))
        env = read_yaml(folder / "python_env.yaml", error=InvalidModel)
        assert (env["python"], env["dependencies"]) == (python, ["-r requirements.txt"])
        conda = read_yaml(folder / "conda.yaml", error=InvalidModel)
        assert (conda["name"], conda["channels"]) == ("mlflow-env", ["conda-forge"])
        assert conda["dependencies"][0] == f"python={python}"
        assert conda["dependencies"][-1] == {"pip": ["pandas==2.0.3"]}

    def test_conda_can_say_the_whole_environment(self, save: Callable[..., Path]) -> None:
        conda = {"name": "mine", "channels": ["defaults"], "dependencies": ["python=3.9.8", "pip", {"pip": ["x==1"]}]}
        folder = save(conda_env=conda)
        assert read_yaml(folder / "conda.yaml", error=InvalidModel) == conda
        assert lines_of(folder) == ["x==1"]
        assert read_yaml(folder / "python_env.yaml", error=InvalidModel)["python"] == "3.9.8"

    def test_conda_can_stand_in_a_file(self, save: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "conda.yaml").write_text("dependencies: [pip, {pip: [pandas]}]\n", encoding="utf-8")
        assert lines_of(save(conda_env=tmp_path / "conda.yaml")) == ["pandas"]

    def test_conda_and_pip_do_not_go_together(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="conda_env"):
            save(conda_env={"dependencies": []}, extra_pip_requirements=["pandas"])

    def test_a_conda_environment_without_dependencies_is_refused(self, save: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="dependencies"):
            save(conda_env={"name": "x"})

    def test_packages_of_its_input_are_left_aside_where_they_are_not_installed(
        self, save: Callable[..., Path], lines: Any, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
    ) -> None:
        monkeypatch.setattr(lines.LineFlavor, "input_packages", lambda *_: ("pytest", "not_installed_anywhere"))
        text = (save() / "requirements.txt").read_text(encoding="utf-8")
        assert f"pytest=={pytest.__version__}" in text
        assert "anywhere" not in text
        assert [each for each in recwarn if "not_installed_anywhere" in str(each.message)] == []

    def test_what_predicting_imports_is_added(self, lines: Any, flavor: Flavor, tmp_path: Path) -> None:
        class Curious(lines.Line):  # type: ignore[misc]
            def predict(self, data: Any) -> Any:
                return data

        class CuriousFlavor(type(flavor)):  # type: ignore[misc]
            key = "lines"

            def predict(self, model: Any, data: Any, params: Any) -> Any:
                import hypothesis
                import iniconfig

                return [len(hypothesis.__name__) + len(iniconfig.__name__) for _ in data]

        save_with(CuriousFlavor(), Curious(1.0), tmp_path / "model", input_example=[1.0])
        required = {line.split("==")[0] for line in lines_of(tmp_path / "model")}
        assert {"hypothesis", "iniconfig"} <= required
