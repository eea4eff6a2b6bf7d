from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import InvalidModel, NotFound
from dovetail.models.manifest import Manifest
from dovetail.testing import FlavorSuite, PluginSuite
from dovetail_pyfunc import PyfuncFlavor, PythonModel, PythonModelContext, runtime

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def model() -> PythonModel:
    """A model of a class that only this test knows, as one in a script or notebook."""

    class Scaled(PythonModel):
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def predict(self, context: Any, model_input: list[float], params: dict[str, Any] | None = None) -> list[float]:
            return [value * self.factor + (params or {}).get("offset", 0) for value in model_input]

    return Scaled(2.5)


class TestPyfuncFlavor(FlavorSuite):
    options_to_try = ({"model_config": {"depth": 3}}, {"artifacts": {"itself": __file__}})

    @pytest.fixture
    def flavor(self) -> PyfuncFlavor:
        return PyfuncFlavor()

    @pytest.fixture
    def model(self, model: PythonModel) -> Any:
        return model

    @pytest.fixture
    def data(self) -> Any:
        return [1.0, 2.0, 4.5]


class TestFunctions(TestPyfuncFlavor):
    @pytest.fixture
    def model(self) -> Any:
        return lambda model_input: [value + 0.5 for value in model_input]


class TestOnTables(TestPyfuncFlavor):
    checked = True

    @pytest.fixture
    def model(self) -> Any:
        return lambda model_input: model_input["a"] + model_input["b"]

    @pytest.fixture
    def data(self) -> Any:
        pandas = pytest.importorskip("pandas")
        return pandas.DataFrame({"a": [1, 2], "b": [0.5, 0.25]})


class TestPlugin(PluginSuite):
    module, heavy = "dovetail_pyfunc", ["cloudpickle"]


def saved(folder: Path, model: Any, **details: Any) -> Path:
    dovetail.pyfunc.save_model(folder / "model", python_model=model, **details)
    return folder / "model"


class TestWhatItWrites:
    def test_is_what_others_read(self, model: PythonModel, tmp_path: Path) -> None:
        import cloudpickle

        manifest = Manifest.read(saved(tmp_path, model, model_config={"depth": 3}))
        assert list(manifest.flavors) == ["python_function"]
        function = manifest.conf("python_function")
        assert function["loader_module"] == "mlflow.pyfunc.model"
        assert function["python_model"] == "python_model.pkl"
        assert function["cloudpickle_version"] == cloudpickle.__version__
        assert function["config"] == {"depth": 3}

    def test_the_pickle_names_nothing_of_dovetail(self, model: PythonModel, tmp_path: Path) -> None:
        content = (saved(tmp_path, model) / "python_model.pkl").read_bytes()
        assert b"dovetail" not in content
        assert b"mlflow.pyfunc.model" in content

    def test_a_function_too(self, tmp_path: Path) -> None:
        content = (saved(tmp_path, lambda model_input: model_input) / "python_model.pkl").read_bytes()
        assert b"dovetail" not in content

    def test_requires_cloudpickle_and_no_mlflow(self, model: PythonModel, tmp_path: Path) -> None:
        lines = (saved(tmp_path, model) / "requirements.txt").read_text(encoding="utf-8")
        assert lines.startswith("cloudpickle==")
        assert "mlflow" not in lines

    def test_requires_pandas_which_makes_its_input_a_table(self, model: PythonModel, tmp_path: Path) -> None:
        pytest.importorskip("pandas")
        assert "pandas==" in (saved(tmp_path, model) / "requirements.txt").read_text(encoding="utf-8")

    def test_requires_no_pandas_where_its_input_is_an_array(self, model: PythonModel, tmp_path: Path) -> None:
        numpy = pytest.importorskip("numpy")
        signature = dovetail.models.infer_signature(numpy.array([1.0]))
        lines = (saved(tmp_path, model, signature=signature) / "requirements.txt").read_text(encoding="utf-8")
        assert "numpy==" in lines
        assert "pandas" not in lines

    def test_requires_what_predict_imports(self, tmp_path: Path) -> None:
        class Table(PythonModel):
            def predict(self, context: Any, model_input: Any) -> Any:
                import pandas as pd

                return pd.DataFrame(model_input)

        lines = (saved(tmp_path, Table()) / "requirements.txt").read_text(encoding="utf-8")
        assert "pandas==" in lines

    @pytest.mark.parametrize("thing", [PythonModel, "model.py", Path("model.py"), 7])
    def test_what_does_not_predict_is_refused(self, thing: Any, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel):
            saved(tmp_path, thing)
        assert not list(tmp_path.iterdir())

    def test_what_cannot_be_pickled_is_refused(self, model: PythonModel, tmp_path: Path) -> None:
        model.lock = threading.Lock()  # type: ignore[attr-defined]
        with pytest.raises(InvalidModel, match="load_context"):
            saved(tmp_path, model)


class TestSignaturesOfPredict:
    """Whether ``predict`` takes the context and params is the author's choice."""

    @pytest.mark.parametrize(
        ("source", "answer"),
        [
            ("def predict(self, context, model_input, params=None): return [type(context).__name__, params]", True),
            ("def predict(self, context, model_input): return [type(context).__name__, None]", True),
            ("def predict(self, ctx, data): return [type(ctx).__name__, None]", True),
            ("def predict(self, model_input, params=None): return ['', params]", False),
            ("def predict(self, model_input): return ['', None]", False),
        ],
    )
    def test_is_respected(self, source: str, answer: bool, tmp_path: Path) -> None:
        space: dict[str, Any] = {}
        exec(source, space)
        kind = type("Model", (PythonModel,), {"predict": space["predict"]})
        name, params = dovetail.pyfunc.load_model(saved(tmp_path, kind())).predict(["x"])
        assert name == ("PythonModelContext" if answer else "")
        assert params is None

    def test_params_arrive(self, model: PythonModel, tmp_path: Path) -> None:
        assert dovetail.pyfunc.load_model(saved(tmp_path, model)).predict([1.0], params={"offset": 1}) == [3.5]

    def test_params_for_a_model_without_are_warned_about(self, tmp_path: Path) -> None:
        function = dovetail.pyfunc.load_model(saved(tmp_path, lambda model_input: model_input))
        with pytest.warns(UserWarning, match="offset"):
            assert function.predict([1.0], params={"offset": 1}) == [1.0]

    def test_a_function_may_take_params(self, tmp_path: Path) -> None:
        def scaled(model_input: list[float], params: Any = None) -> list[float]:
            return [value * (params or {}).get("factor", 1) for value in model_input]

        assert dovetail.pyfunc.load_model(saved(tmp_path, scaled)).predict([2.0], params={"factor": 3}) == [6.0]

    def test_an_object_of_any_class_with_predict_will_do(self, tmp_path: Path) -> None:
        class Plain:
            def predict(self, rows: list[int]) -> list[int]:
                return [row + 1 for row in rows]

        assert dovetail.pyfunc.load_model(saved(tmp_path, Plain())).predict([1]) == [2]


class TestArtifacts:
    @pytest.fixture
    def reader(self) -> PythonModel:
        class Reader(PythonModel):
            def load_context(self, context: PythonModelContext) -> None:
                from pathlib import Path

                self.texts = {name: Path(place).read_text() for name, place in context.artifacts.items()}

            def predict(self, model_input: Any) -> Any:
                return [self.texts[name] for name in model_input]

        return Reader()

    def test_are_kept_with_the_model(self, reader: PythonModel, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_text("hello", encoding="utf-8")
        folder = saved(tmp_path, reader, artifacts={"words": str(tmp_path / "words.txt")})
        (tmp_path / "words.txt").unlink()
        assert (folder / "artifacts" / "words.txt").read_text(encoding="utf-8") == "hello"
        assert dovetail.pyfunc.load_model(folder).predict(["words"]) == ["hello"]

    def test_of_one_file_name_are_kept_apart(self, reader: PythonModel, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "words.txt").write_text(name, encoding="utf-8")
        artifacts = {name: (tmp_path / name / "words.txt").as_uri() for name in ("a", "b")}
        folder = saved(tmp_path, reader, artifacts=artifacts)
        assert dovetail.pyfunc.load_model(folder).predict(["b", "a"]) == ["b", "a"]

    def test_that_do_not_exist_are_an_error(self, reader: PythonModel, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match=r"words\.txt"):
            saved(tmp_path, reader, artifacts={"words": str(tmp_path / "words.txt")})
        assert not list(tmp_path.iterdir())

    def test_belong_to_the_digests(self, reader: PythonModel, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_text("hello", encoding="utf-8")
        folder = saved(tmp_path, reader, artifacts={"words": str(tmp_path / "words.txt")})
        (folder / "artifacts" / "words.txt").write_text("other", encoding="utf-8")
        with pytest.raises(InvalidModel, match="digest"):
            dovetail.pyfunc.load_model(folder)

    def test_outside_the_model_are_refused(self, reader: PythonModel, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_text("hello", encoding="utf-8")
        folder = saved(tmp_path, reader, artifacts={"words": str(tmp_path / "words.txt")})
        text = (
            (folder / "MLmodel").read_text(encoding="utf-8").replace("path: artifacts/words.txt", "path: ../words.txt")
        )
        (folder / "MLmodel").write_text(text, encoding="utf-8")
        with pytest.raises(InvalidModel, match=r"\.\./words\.txt"):
            dovetail.pyfunc.load_model(folder)


class TestModelConfig:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        class Told(PythonModel):
            def predict(self, context: Any, model_input: Any) -> Any:
                return context.model_config

        return saved(tmp_path, Told(), model_config={"a": 1, "b": 2})

    def test_is_what_was_saved(self, folder: Path) -> None:
        assert dovetail.pyfunc.load_model(folder).predict([1]) == {"a": 1, "b": 2}

    def test_can_be_changed_when_loading(self, folder: Path, tmp_path: Path) -> None:
        assert dovetail.pyfunc.load_model(folder, model_config={"b": 3}).predict([1]) == {"a": 1, "b": 3}
        (tmp_path / "config.yaml").write_text("b: 4\n", encoding="utf-8")
        loaded = dovetail.pyfunc.load_model(folder, model_config=tmp_path / "config.yaml")
        assert loaded.predict([1]) == {"a": 1, "b": 4}

    def test_is_only_for_models_that_can_see_it(self, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text(
            "flavors:\n  python_function: {loader_module: mlflow.sklearn}\n", encoding="utf-8"
        )
        with pytest.raises(InvalidModel, match="model_config"):
            dovetail.pyfunc.load_model(tmp_path, model_config={"a": 1})


class TestLoading:
    def test_gives_the_object_back(self, model: Any, tmp_path: Path) -> None:
        function = dovetail.pyfunc.load_model(saved(tmp_path, model))
        assert function.unwrap_python_model().factor == model.factor
        assert isinstance(function.unwrap_python_model(), PythonModel)

    def test_warnings_can_be_kept_quiet(self, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
        class Warned(PythonModel):
            def load_context(self, context: Any) -> None:
                import warnings

                warnings.warn("about something", stacklevel=1)

            def predict(self, model_input: Any) -> Any:
                return model_input

        folder = saved(tmp_path, Warned())
        dovetail.pyfunc.load_model(folder, suppress_warnings=True)
        assert not recwarn.list
        with pytest.warns(UserWarning, match="about something"):
            dovetail.pyfunc.load_model(folder)

    def test_a_script_as_a_model_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text(
            "flavors:\n  python_function: {loader_module: mlflow.pyfunc.model, model_code_path: model.py}\n"
        )
        with pytest.raises(InvalidModel, match="script"):
            dovetail.pyfunc.load_model(tmp_path)

    def test_what_is_no_pickle_is_refused(self, model: PythonModel, tmp_path: Path) -> None:
        folder = saved(tmp_path, model)
        (folder / "python_model.pkl").write_bytes(b"no pickle")
        text = (folder / "MLmodel").read_text(encoding="utf-8")
        (folder / "MLmodel").write_text(text[text.index("flavors:") :], encoding="utf-8")
        with pytest.raises(InvalidModel, match="no pickle"):
            dovetail.pyfunc.load_model(folder)


class TestMlflowsNames:
    """A model's own modules may say ``import mlflow`` though MLflow is not installed."""

    def test_stand_in_while_a_model_is_loaded_and_no_longer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if importlib.util.find_spec("mlflow"):
            pytest.skip("MLflow is installed, and nothing has to stand in for it")
        (tmp_path / "their_model.py").write_text(
            "import mlflow\n"
            "import mlflow.pyfunc\n"
            "from mlflow.pyfunc import PythonModel\n\n\n"
            "class Theirs(mlflow.pyfunc.PythonModel):\n"
            "    def predict(self, model_input):\n"
            "        return [isinstance(self, PythonModel)]\n",
            encoding="utf-8",
        )
        folder = tmp_path / "model"
        (folder / "code").mkdir(parents=True)
        (tmp_path / "their_model.py").rename(folder / "code" / "their_model.py")
        # Protocol 0 by hand: an object of their_model.Theirs.
        (folder / "python_model.pkl").write_bytes(b"ccopyreg\n__newobj__\n(ctheir_model\nTheirs\ntR.")
        (folder / "MLmodel").write_text(
            "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n"
            "    python_model: python_model.pkl\n    code: code\n"
        )
        monkeypatch.setattr(sys, "path", list(sys.path))
        assert dovetail.pyfunc.load_model(folder).predict([1]) == [True]
        assert not [name for name in sys.modules if name.split(".")[0] == "mlflow"]

    def test_parts_of_mlflow_itself_are_missed_in_plain_words(self, model: PythonModel, tmp_path: Path) -> None:
        folder = saved(tmp_path, model)
        (folder / "python_model.pkl").write_bytes(b"cmlflow.tracking\nMlflowClient\n.")
        text = (folder / "MLmodel").read_text(encoding="utf-8")
        (folder / "MLmodel").write_text(text[text.index("flavors:") :], encoding="utf-8")
        with pytest.raises(InvalidModel, match=r"mlflow\.tracking\.MlflowClient"):
            dovetail.pyfunc.load_model(folder)


class TestTheRuntime:
    def test_stands_alone(self, model: PythonModel, tmp_path: Path) -> None:
        """A model loads where this plugin is not installed: by the file, without its package."""
        folder = saved(tmp_path, model)
        program = (
            "import importlib.util, sys\n"
            "sys.modules['dovetail'] = sys.modules['dovetail_pyfunc'] = None\n"
            f"spec = importlib.util.spec_from_file_location('runtime', {runtime.__file__!r})\n"
            "runtime = importlib.util.module_from_spec(spec)\n"
            "spec.loader.exec_module(runtime)\n"
            f"model = runtime.load({str(folder)!r}, {{'python_model': 'python_model.pkl'}})\n"
            "print(runtime.predict(model, [2.0], {'offset': 1}))\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "[6.0]", done.stderr

    def test_its_own_classes_survive_plain_pickle(self) -> None:
        context = PythonModelContext({"a": "b"}, {"c": 1})
        assert pickle.loads(pickle.dumps(context)).artifacts == {"a": "b"}


class TestTheModelsCode:
    @pytest.fixture
    def with_utils(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
        """``with_utils(name, answer)`` saves a model that imports ``my_utils`` when it predicts."""
        monkeypatch.setattr(sys, "path", list(sys.path))

        class Lazy(PythonModel):
            def predict(self, model_input: Any) -> Any:
                from my_utils import answer

                return [answer for _ in model_input]

        def run(name: str, answer: str) -> Path:
            (tmp_path / name).mkdir()
            (tmp_path / name / "my_utils.py").write_text(f"answer = {answer!r}\n", encoding="utf-8")
            code = [tmp_path / name / "my_utils.py"]
            return saved(tmp_path / name, Lazy(), code_paths=code, input_example=[1])

        return run

    def test_is_importable_when_it_predicts(self, with_utils: Callable[[str, str], Path]) -> None:
        assert dovetail.pyfunc.load_model(with_utils("a", "one")).predict([1]) == ["one"]

    def test_of_two_models_does_not_mix(self, with_utils: Callable[[str, str], Path]) -> None:
        first, second = (dovetail.pyfunc.load_model(with_utils(name, name * 2)) for name in ("a", "b"))
        assert (first.predict([1]), second.predict([1]), first.predict([1])) == (["aa"], ["bb"], ["aa"])
