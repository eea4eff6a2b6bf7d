from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.environments.manager import Environment, EnvManager
from dovetail.errors import InvalidInput, InvalidModel, NotFound, PluginMissing, Untrusted
from dovetail.models.saving import save_with
from dovetail.models.scoring import predict
from dovetail.models.signature import infer_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

RUNTIME = """
import json
import os


def load(path, conf):
    with open(os.path.join(path, "line.json")) as stream:
        return json.load(stream)


def predict(model, data, params):
    slope, offset = model
    if list(data) == ["variable"]:
        return [os.environ.get("SHOWN")]
    if list(data) == ["utils"]:
        import helper_of_this_model
        return [helper_of_this_model.answer]
    print("a word from the model")
    return [slope * value + params.get("offset", offset) for value in data]
"""


class Here(Environment):
    name, python = "here", sys.executable

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        return [self.python, *argv[1:]], dict(env)


class HereManager(EnvManager):
    """Takes this interpreter for every environment, and remembers what was asked of it."""

    asked: list[EnvSpec] = []  # noqa: RUF012 - shared on purpose: each use makes a manager of its own

    def prepare(self, spec: EnvSpec, progress: Progress) -> Environment:
        progress("nothing to do")
        self.asked.append(spec)
        return Here()


@pytest.fixture(scope="module", autouse=True)
def here() -> None:
    module = ModuleType("plugin_of_here")

    @hookimpl
    def dovetail_env_managers() -> Any:
        return {"here": HereManager}

    module.dovetail_env_managers = dovetail_env_managers  # type: ignore[attr-defined]
    plugins.register(module, "env_managers", "here")


@pytest.fixture
def model(lines: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``model(**details)`` saves a line whose flavor has a runtime."""
    (tmp_path / "runtime.py").write_text(RUNTIME, encoding="utf-8")
    monkeypatch.setattr(lines.LineFlavor, "runtime", tmp_path / "runtime.py")

    def save(**details: Any) -> Path:
        flavor = lines.LineFlavor()
        flavor.key = "lines"
        save_with(flavor, lines.Line(2.0, 1.0), tmp_path / "model", **details)
        return tmp_path / "model"

    return save


def run(folder: Path, *args: Any, **kwargs: Any) -> Any:
    return json.loads(predict(folder, *args, env_manager="here", **kwargs))


def test_a_chosen_python_takes_the_place_of_the_models(model: Callable[..., Path]) -> None:
    folder, said = model(), []
    run(folder, [1.0], python="3.10", progress=said.append)
    run(folder, [1.0], install_python=True)
    chosen, asked = HereManager.asked[-2:]
    assert (chosen.python, chosen.instead_of, asked.instead_of) == ("3.10", asked.python, None)
    assert (chosen.install_python, asked.install_python) == (False, True)
    assert said[0].startswith("taking Python 3.10, where ")
    with pytest.raises(InvalidInput, match="is no version of Python"):
        run(folder, [1.0], python="3.10; ls")


class TestInput:
    def test_is_data(self, model: Callable[..., Path]) -> None:
        assert run(model(), [1.0, 2.0]) == {"predictions": [3.0, 5.0]}

    def test_is_a_request_body(self, model: Callable[..., Path]) -> None:
        assert run(model(), {"inputs": [1.0], "params": {"offset": 5}}) == {"predictions": [7.0]}

    def test_is_json_text(self, model: Callable[..., Path]) -> None:
        assert run(model(), '{"instances": [1.0]}') == {"predictions": [3.0]}

    def test_is_a_file(self, model: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "input.json").write_text("[1.0]", encoding="utf-8")
        assert run(model(), input_path=tmp_path / "input.json") == {"predictions": [3.0]}

    def test_is_a_table(self, model: Callable[..., Path], tmp_path: Path) -> None:
        pandas = pytest.importorskip("pandas")
        folder = model()
        with pytest.raises(InvalidModel, match="did not predict"):
            run(folder, pandas.DataFrame({"x": [1.0]}))  # the columns of a table are texts to this model

    def test_must_be_one_of_them(self, model: Callable[..., Path]) -> None:
        with pytest.raises(InvalidInput, match="either"):
            run(model())

    def test_that_does_not_exist_is_named(self, model: Callable[..., Path]) -> None:
        with pytest.raises(NotFound, match=r"missing\.csv"):
            run(model(), input_path="missing.csv")

    def test_is_held_against_the_signature(self, model: Callable[..., Path]) -> None:
        numpy = pytest.importorskip("numpy")
        folder = model(signature=infer_signature(numpy.array([1.0])))
        assert run(folder, [1, 2]) == {"predictions": [3.0, 5.0]}
        with pytest.raises(InvalidModel, match="float64"):
            run(folder, ["x"])

    def test_is_a_table_for_a_signature_with_a_tensor(self, model: Callable[..., Path], tmp_path: Path) -> None:
        numpy = pytest.importorskip("numpy")
        folder = model(signature=infer_signature(numpy.array([1.0])))
        (tmp_path / "rows.csv").write_text("x\n1\n2\n", encoding="utf-8")
        assert run(folder, input_path=tmp_path / "rows.csv") == {"predictions": [3.0, 5.0]}
        (tmp_path / "rows.csv").write_text("x\nsome\n", encoding="utf-8")
        with pytest.raises(InvalidModel, match="float64"):
            run(folder, input_path=tmp_path / "rows.csv")

    def test_that_cannot_be_read_is_the_callers_error(self, model: Callable[..., Path]) -> None:
        with pytest.raises(InvalidModel, match="no JSON"):
            run(model(), "{")


class TestAnswer:
    def test_goes_to_a_file_too(self, model: Callable[..., Path], tmp_path: Path) -> None:
        run(model(), [1.0], output_path=tmp_path / "answer.json")
        assert (tmp_path / "answer.json").read_text(encoding="utf-8") == '{"predictions": [3.0]}\n'

    def test_is_not_mixed_with_what_the_model_prints(self, model: Callable[..., Path]) -> None:
        assert predict(model(), [1.0], env_manager="here") == '{"predictions": [3.0]}'

    def test_a_failing_model_is_an_error_with_its_words(
        self, model: Callable[..., Path], capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(InvalidModel, match="TypeError"):
            run(model(), ["text"])
        assert "Traceback" in capfd.readouterr().err

    def test_a_missing_module_comes_with_advice(self, model: Callable[..., Path]) -> None:
        with pytest.raises(InvalidModel, match="helper_of_this_model") as caught:
            run(model(), ["utils"])
        assert "pip_requirements_override" in str(caught.value)
        assert "-r/--pip-requirements-override" in str(caught.value)
        assert "code_paths" in str(caught.value)


class TestTheProcess:
    def test_has_the_models_code(self, model: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "helper_of_this_model.py").write_text("answer = 42\n", encoding="utf-8")
        folder = model(code_paths=[tmp_path / "helper_of_this_model.py"])
        assert run(folder, ["utils"]) == {"predictions": [42]}

    def test_has_the_callers_variables(self, model: Callable[..., Path]) -> None:
        assert run(model(), ["variable"], extra_envs={"SHOWN": "yes"}) == {"predictions": ["yes"]}


class TestTheEnvironment:
    @pytest.fixture
    def asked(self, model: Callable[..., Path]) -> Callable[..., EnvSpec]:
        def run_and_see(override: list[str] | None = None, **details: Any) -> EnvSpec:
            run(model(**details), [1.0], pip_requirements_override=override)
            return HereManager.asked[-1]

        return run_and_see

    def test_is_the_models_own(self, asked: Callable[..., EnvSpec]) -> None:
        spec = asked(pip_requirements=["numpy==1.26.4"])
        assert spec.dependencies == ("numpy==1.26.4",)
        assert spec.python == ".".join(map(str, sys.version_info[:3]))

    def test_can_be_changed_for_once(self, asked: Callable[..., EnvSpec]) -> None:
        spec = asked(["opencv-python==4.8.0", "NumPy<2"], pip_requirements=["numpy==1.26.4", "scipy"])
        assert spec.dependencies == ("scipy", "opencv-python==4.8.0", "NumPy<2")

    def test_needs_no_mlflow(self, asked: Callable[..., EnvSpec]) -> None:
        assert asked(pip_requirements=["mlflow==2.9.2", "mlflow-skinny", "scipy"]).dependencies == ("scipy",)

    def test_has_what_mlflow_brought_along(self, asked: Callable[..., EnvSpec]) -> None:
        numpy = pytest.importorskip("numpy")
        spec = asked(pip_requirements=["mlflow==2.9.2"], signature=infer_signature(numpy.array([1.0])))
        assert spec.dependencies == ("numpy",)

    def test_has_what_the_flavor_loads_with(
        self, asked: Callable[..., EnvSpec], lines: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lines.LineFlavor, "requirements", lambda *_: ("cloudpickle",))
        spec = asked(pip_requirements=["scipy"])
        assert spec.dependencies == ("scipy", "cloudpickle")

    def test_is_not_asked_for_more_where_nothing_is_installed(
        self, model: Callable[..., Path], lines: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("dovetail_system")
        monkeypatch.setattr(lines.LineFlavor, "requirements", lambda *_: ("cloudpickle",))
        folder, said = model(pip_requirements=[]), list[str]()
        for name in ("system", "local"):
            predict(folder, [1.0], env_manager=name, progress=said.append)
        assert len([line for line in said if "3 requirements" in line]) == 2

    def test_has_it_in_the_version_that_somebody_names(
        self, asked: Callable[..., EnvSpec], lines: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lines.LineFlavor, "requirements", lambda *_: ("cloudpickle",))
        spec = asked(["CloudPickle>=3"], pip_requirements=["scipy"])
        assert spec.dependencies == ("scipy", "CloudPickle>=3")

    def test_that_the_model_does_not_say_is_an_error(self, model: Callable[..., Path]) -> None:
        folder = model()
        (folder / "python_env.yaml").unlink()
        with pytest.raises(InvalidModel, match="env-manager local"):
            run(folder, [1.0])

    def test_of_an_unknown_manager_is_an_error(self, model: Callable[..., Path]) -> None:
        with pytest.raises(PluginMissing, match="nowhere"):
            predict(model(), [1.0], env_manager="nowhere")

    def test_is_not_made_for_models_that_are_not_trusted(self, model: Callable[..., Path]) -> None:
        before = len(HereManager.asked)
        with pytest.raises(Untrusted):
            run(model(), [1.0], trust="none")
        assert len(HereManager.asked) == before
