"""Models go both ways between dovetail and MLflow, the real one, in an environment of its own.

``DOVETAIL_TEST_MLFLOW_PYTHON`` names an interpreter that has MLflow and scikit-learn.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import dovetail

pytest.importorskip("sklearn")
pytest.importorskip("dovetail_sklearn")
pytest.importorskip("dovetail_pyfunc")

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VARIABLE = "DOVETAIL_TEST_MLFLOW_PYTHON"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def mlflow(tmp_path: Path) -> Callable[[str], Any]:
    """``mlflow("answer = 1")`` runs a script with MLflow and gives back what it left in ``answer``."""
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"{VARIABLE} is not set: let it name an interpreter with MLflow and scikit-learn")

    def run(source: str) -> Any:
        program = (
            "import sys; sys.modules['dovetail'] = None\n"
            "import json, mlflow, mlflow.pyfunc, mlflow.sklearn\n"
            "from sklearn.datasets import load_wine\n"
            "features, target = load_wine(return_X_y=True, as_frame=True)\n"
            f"{source}\n"
            "print('\\n' + json.dumps(answer))\n"
        )
        done = subprocess.run(
            [python, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def wine() -> tuple[Any, Any]:
    features, target = load_wine(return_X_y=True, as_frame=True)
    return features, target


@pytest.fixture
def pipeline(wine: tuple[Any, Any]) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(*wine)


class TestFromHere:
    @pytest.mark.parametrize("form", ["cloudpickle", "pickle"])
    def test_a_pipeline(
        self, form: str, pipeline: Any, wine: tuple[Any, Any], mlflow: Callable[[str], Any], tmp_path: Path
    ) -> None:
        dovetail.sklearn.save_model(
            pipeline, tmp_path / "model", serialization_format=form, input_example=wine[0].head(2)
        )
        answer = mlflow(
            "own = mlflow.sklearn.load_model('model').predict(features)\n"
            "function = mlflow.pyfunc.load_model('model')\n"
            "example = function.metadata.load_input_example('model')\n"
            "answer = [own.tolist(), function.predict(features).tolist(), example.shape]"
        )
        expected = pipeline.predict(wine[0]).tolist()
        assert answer == [expected, expected, [2, 13]]

    def test_a_pipeline_that_answers_probabilities(
        self, pipeline: Any, wine: tuple[Any, Any], mlflow: Callable[[str], Any], tmp_path: Path
    ) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model", pyfunc_predict_fn="predict_proba")
        answer = mlflow("answer = mlflow.pyfunc.load_model('model').predict(features).tolist()")
        assert answer == [pytest.approx(row) for row in pipeline.predict_proba(wine[0]).tolist()]

    def test_an_object_with_artifacts_and_configuration(self, mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        class Greeter(dovetail.pyfunc.PythonModel):
            def __init__(self, mark: str) -> None:
                self.mark = mark

            def load_context(self, context: Any) -> None:
                from pathlib import Path

                self.word = Path(context.artifacts["word"]).read_text(encoding="utf-8")

            def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
                names = model_input["name"].tolist()
                return [f"{self.word} {name}{self.mark * context.model_config['times']}" for name in names]

        pandas = pytest.importorskip("pandas")
        (tmp_path / "word.txt").write_text("hello", encoding="utf-8")
        dovetail.pyfunc.save_model(
            tmp_path / "model",
            python_model=Greeter("!"),
            artifacts={"word": str(tmp_path / "word.txt")},
            model_config={"times": 2},
            input_example=pandas.DataFrame({"name": ["you"]}),
        )
        (tmp_path / "word.txt").unlink()
        answer = mlflow(
            "import pandas\n"
            "function = mlflow.pyfunc.load_model('model')\n"
            "own = function.unwrap_python_model()\n"
            "answer = [function.predict(pandas.DataFrame({'name': ['you']})),"
            " isinstance(own, mlflow.pyfunc.PythonModel)]"
        )
        assert answer == [["hello you!!"], True]

    def test_an_object_without_context(self, mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        class Doubler(dovetail.pyfunc.PythonModel):
            def predict(self, model_input: Any, params: Any = None) -> Any:
                return [2 * value for value in model_input]

        dovetail.pyfunc.save_model(tmp_path / "model", python_model=Doubler())
        assert mlflow("answer = mlflow.pyfunc.load_model('model').predict([1, 2])") == [2, 4]

    def test_a_function(self, mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        dovetail.pyfunc.save_model(tmp_path / "model", python_model=lambda model_input: [3 * x for x in model_input])
        assert mlflow("answer = mlflow.pyfunc.load_model('model').predict([1, 2])") == [3, 6]

    def test_an_object_with_code_of_its_own(self, mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        class Lazy(dovetail.pyfunc.PythonModel):
            def predict(self, model_input: Any) -> Any:
                from kept.helper import factor

                return [factor * value for value in model_input]

        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "helper.py").write_text("factor = 4\n", encoding="utf-8")
        dovetail.pyfunc.save_model(tmp_path / "model", python_model=Lazy(), code_paths=[tmp_path / "kept"])
        (tmp_path / "kept").rename(tmp_path / "gone")
        assert mlflow("answer = mlflow.pyfunc.load_model('model').predict([1, 2])") == [4, 8]


class TestFromThere:
    @pytest.mark.parametrize("form", ["cloudpickle", "pickle", "skops"])
    def test_a_classifier(self, form: str, wine: tuple[Any, Any], mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        if form == "skops":
            pytest.importorskip("skops")
        expected = mlflow(
            "from sklearn.linear_model import LogisticRegression\n"
            "model = LogisticRegression(max_iter=5000).fit(features, target)\n"
            f"mlflow.sklearn.save_model(model, 'model', serialization_format={form!r}, pip_requirements=[],"
            " input_example=features.head(2))\n"
            "answer = model.predict(features).tolist()"
        )
        function = dovetail.pyfunc.load_model(tmp_path / "model")
        assert function.predict(wine[0]).tolist() == expected
        assert dovetail.sklearn.load_model(tmp_path / "model").predict(wine[0]).tolist() == expected
        assert function.metadata.signature.inputs.input_names() == list(wine[0].columns)

    def test_objects_and_functions(self, mlflow: Callable[[str], Any], tmp_path: Path) -> None:
        (tmp_path / "word.txt").write_text("hello", encoding="utf-8")
        mlflow(
            "class Greeter(mlflow.pyfunc.PythonModel):\n"
            "    def load_context(self, context):\n"
            "        with open(context.artifacts['word']) as stream:\n"
            "            self.word = stream.read()\n"
            "    def predict(self, context, model_input, params=None):\n"
            "        return [f'{self.word} {each} {context.model_config}' for each in model_input]\n"
            "class Plain(mlflow.pyfunc.PythonModel):\n"
            "    def predict(self, model_input):\n"
            "        return [1 for _ in model_input]\n"
            "save = mlflow.pyfunc.save_model\n"
            "save('greeter', python_model=Greeter(), artifacts={'word': 'word.txt'}, model_config={'a': 1},"
            " pip_requirements=[])\n"
            "save('plain', python_model=Plain(), pip_requirements=[])\n"
            "save('function', python_model=lambda model_input: [2 for _ in model_input], pip_requirements=[])\n"
            "answer = None"
        )
        loaded = {name: dovetail.pyfunc.load_model(tmp_path / name) for name in ("greeter", "plain", "function")}
        assert loaded["greeter"].predict(["you"]) == ["hello you {'a': 1}"]
        assert isinstance(loaded["greeter"].unwrap_python_model(), dovetail.pyfunc.PythonModel)
        assert loaded["plain"].predict([7]) == [1]
        assert loaded["function"].predict([7]) == [2]
