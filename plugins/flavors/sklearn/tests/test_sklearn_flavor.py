from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import dovetail
from dovetail.documents import dump_yaml, read_yaml
from dovetail.errors import InvalidModel, Untrusted
from dovetail.models import scoring
from dovetail.models.loading import load_function
from dovetail.models.manifest import Manifest
from dovetail.testing import FlavorSuite, PluginSuite
from dovetail_sklearn import SklearnFlavor, runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.pipeline import Pipeline


@pytest.fixture
def wine() -> tuple[Any, Any]:
    features, target = load_wine(return_X_y=True)
    return features, target


@pytest.fixture
def pipeline(wine: tuple[Any, Any]) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(*wine)


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., Path]:
    """``change(folder, key=value)`` writes other values into the sklearn part of a saved model's MLmodel."""

    def run(folder: Path, **values: Any) -> Path:
        content = read_yaml(folder / "MLmodel", error=InvalidModel)
        content.pop("digests", None)
        content["flavors"]["sklearn"].update(values)
        (folder / "MLmodel").write_text(dump_yaml(content), encoding="utf-8")
        return folder

    return run


class TestSklearnFlavor(FlavorSuite):
    checked = True
    options_to_try = (
        {"serialization_format": "pickle"},
        {"serialization_format": "cloudpickle"},
        {"pyfunc_predict_fn": "predict"},
    )

    @pytest.fixture
    def flavor(self) -> SklearnFlavor:
        return SklearnFlavor()

    @pytest.fixture
    def model(self, pipeline: Pipeline) -> Any:
        return pipeline

    @pytest.fixture
    def data(self, wine: tuple[Any, Any]) -> Any:
        return wine[0][::40]


class TestSklearnFlavorOnTables(TestSklearnFlavor):
    @pytest.fixture
    def model(self) -> Any:
        pytest.importorskip("pandas")
        features, target = load_wine(return_X_y=True, as_frame=True)
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(features, target)

    @pytest.fixture
    def data(self) -> Any:
        pytest.importorskip("pandas")
        return load_wine(as_frame=True).data[::40].reset_index(drop=True)


class TestPlugin(PluginSuite):
    module, heavy = "dovetail_sklearn", ["sklearn", "cloudpickle", "joblib"]


class TestWhatItWrites:
    def test_is_what_others_read(self, pipeline: Pipeline, tmp_path: Path) -> None:
        import sklearn

        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        manifest = Manifest.read(tmp_path / "model")
        assert manifest.conf("sklearn") == {
            "pickled_model": "model.pkl",
            "sklearn_version": sklearn.__version__,
            "serialization_format": "cloudpickle",
        }
        function = manifest.conf("python_function")
        assert function["loader_module"] == "mlflow.sklearn"
        assert function["model_path"] == "model.pkl"
        assert function["predict_fn"] == "predict"

    def test_requires_what_its_pickle_holds(self, pipeline: Pipeline, tmp_path: Path) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model", serialization_format="pickle")
        lines = (tmp_path / "model" / "requirements.txt").read_text(encoding="utf-8").splitlines()
        assert [line.split("==")[0] for line in lines] == ["numpy", "scikit-learn"]

    def test_an_unknown_format_is_an_error(self, pipeline: Pipeline, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="onnx"):
            dovetail.sklearn.save_model(pipeline, tmp_path / "model", serialization_format="onnx")

    def test_what_is_no_estimator_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidModel, match="no method fit"):
            dovetail.sklearn.save_model({"a": 1}, tmp_path / "model")

    def test_plain_pickle_says_how_a_function_can_be_kept(self, wine: tuple[Any, Any], tmp_path: Path) -> None:
        model = make_pipeline(FunctionTransformer(lambda table: table), LogisticRegression(max_iter=5000)).fit(*wine)
        with pytest.raises(InvalidModel, match="cloudpickle"):
            dovetail.sklearn.save_model(model, tmp_path / "model", serialization_format="pickle")
        dovetail.sklearn.save_model(model, tmp_path / "model")
        assert dovetail.sklearn.load_model(tmp_path / "model").predict(wine[0]).shape == (178,)


class TestPredicting:
    def test_by_another_method(self, pipeline: Pipeline, wine: tuple[Any, Any], tmp_path: Path) -> None:
        dovetail.sklearn.save_model(
            pipeline, tmp_path / "model", pyfunc_predict_fn="predict_proba", input_example=wine[0][:2]
        )
        function = load_function(tmp_path / "model")
        assert np.allclose(function.predict(wine[0]), pipeline.predict_proba(wine[0]))
        assert function.metadata.signature.outputs.inputs[0].shape == (-1, 3)
        assert isinstance(function.get_raw_model(), type(pipeline))

    def test_params_reach_the_method(self, wine: tuple[Any, Any], tmp_path: Path) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor

        features, target = wine[0][:20], wine[1][:20]
        model = GaussianProcessRegressor(optimizer=None).fit(features, target)
        dovetail.sklearn.save_model(model, tmp_path / "model")
        mean, deviation = load_function(tmp_path / "model").predict(features, params={"return_std": True})
        assert mean.shape == deviation.shape == (20,)

    def test_a_method_of_the_machinery_is_refused(
        self, pipeline: Pipeline, tmp_path: Path, change: Callable[..., Path]
    ) -> None:
        with pytest.raises(InvalidModel, match="__reduce__"):
            dovetail.sklearn.save_model(pipeline, tmp_path / "model", pyfunc_predict_fn="__reduce__")
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        with pytest.raises(InvalidModel, match="__reduce__"):
            load_function(change(tmp_path / "model", predict_fn="__reduce__"))

    def test_lists_of_mappings_stand_for_tables_where_there_is_no_pandas(
        self, pipeline: Pipeline, wine: tuple[Any, Any]
    ) -> None:
        rows = [{f"c{place}": value for place, value in enumerate(row)} for row in wine[0].tolist()]
        assert (runtime.predict(pipeline, rows, {}) == pipeline.predict(wine[0])).all()


class TestRowsOfMappings:
    """What a CSV file is where there is no pandas, and JSON lists of records are everywhere."""

    @pytest.fixture
    def named(self) -> Any:
        pd = pytest.importorskip("pandas")
        table = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [9.0, 3.0, 1.0, 0.0]})
        return LinearRegression().fit(table, table["a"] * 10 + table["b"])

    def test_are_matched_by_name(self, named: Any) -> None:
        assert runtime.predict(named, [{"b": 1.0, "a": 2.0}], {}) == pytest.approx([21.0])
        assert runtime.predict(named, [{"a": 2.0, "b": 1.0}, {"b": 1.0, "a": 2.0}], {}) == pytest.approx([21.0, 21.0])

    def test_others_columns_are_ignored(self, named: Any) -> None:
        assert runtime.predict(named, [{"id": "x", "b": 1.0, "a": 2.0}], {}) == pytest.approx([21.0])

    @pytest.mark.parametrize("rows", [[{"b": 1.0, "c": 2.0}], [{"b": 1.0, "a": 0.0, "c": 1.0}, {"b": 1.0, "c": 2.0}]])
    def test_missing_columns_are_named(self, named: Any, rows: list[Any], tmp_path: Path) -> None:
        dovetail.sklearn.save_model(named, tmp_path / "model")
        with pytest.raises(InvalidModel, match="lacks the columns 'a', which the model was fitted on; it has 'b'"):
            load_function(tmp_path / "model").predict(rows)

    def test_are_matched_by_name_in_an_environment_without_pandas(self, named: Any, tmp_path: Path) -> None:
        dovetail.sklearn.save_model(named, tmp_path / "model")
        (tmp_path / "rows.csv").write_text("b,a\n1,2\n", encoding="utf-8")
        job = scoring.job_for(
            tmp_path / "model", Manifest.read(tmp_path / "model"), tmp_path / "rows.csv", "csv", tmp_path / "answer"
        )
        worker = Path(scoring.__file__).with_name("worker.py")
        program = (
            f"import runpy, sys; sys.modules['pandas'] = None; runpy.run_path({str(worker)!r}, run_name='__main__')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(job), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads((tmp_path / "answer").read_text(encoding="utf-8"))
        assert answer["predictions"] == pytest.approx([21.0])

    def test_texts_among_them_leave_numbers_as_they_are(self) -> None:
        class Typed:
            def predict(self, table: Any) -> list[list[str]]:
                return [[type(cell).__name__ for cell in row] for row in table]

        assert runtime.predict(Typed(), [{"a": 1.5, "b": "x"}], {}) == [["float", "str"]]

    def test_a_model_that_was_fitted_on_a_table_requires_pandas(
        self, named: Any, pipeline: Pipeline, tmp_path: Path
    ) -> None:
        for model, name, expected in ((named, "named", True), (pipeline, "unnamed", False)):
            dovetail.sklearn.save_model(model, tmp_path / name)
            assert ("pandas==" in (tmp_path / name / "requirements.txt").read_text(encoding="utf-8")) is expected


class TestVersions:
    def test_another_version_of_scikit_learn_is_warned_about(
        self, pipeline: Pipeline, tmp_path: Path, change: Callable[..., Path]
    ) -> None:
        import sklearn

        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        change(tmp_path / "model", sklearn_version="0.22.1")
        with pytest.warns(UserWarning, match="0.22.1") as caught:
            dovetail.sklearn.load_model(tmp_path / "model")
        assert sklearn.__version__ in str(caught[0].message)

    def test_the_same_version_is_not(self, pipeline: Pipeline, tmp_path: Path) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dovetail.sklearn.load_model(tmp_path / "model")


class TestSkops:
    """Models that MLflow writes by default; dovetail reads them."""

    @pytest.fixture
    def in_skops(self, tmp_path: Path, change: Callable[..., Path]) -> Callable[[Any], Path]:
        skops = pytest.importorskip("skops.io")

        def run(model: Any) -> Path:
            dovetail.sklearn.save_model(model, tmp_path / "model")
            skops.dump(model, tmp_path / "model" / "model.skops")
            (tmp_path / "model" / "model.pkl").unlink()
            return change(tmp_path / "model", pickled_model="model.skops", serialization_format="skops")

        return run

    def test_is_read(self, pipeline: Pipeline, wine: tuple[Any, Any], in_skops: Callable[[Any], Path]) -> None:
        loaded = dovetail.sklearn.load_model(in_skops(pipeline))
        assert (loaded.predict(wine[0]) == pipeline.predict(wine[0])).all()

    def test_the_model_does_not_say_what_is_trusted(
        self, in_skops: Callable[[Any], Path], change: Callable[..., Path]
    ) -> None:
        folder = change(in_skops(FunctionTransformer(np.save)), skops_trusted_types=["numpy.save"])
        with pytest.raises(Untrusted, match=r"numpy\.save"):
            dovetail.sklearn.load_model(folder)
        with pytest.raises(Untrusted, match=r"numpy\.save"):
            load_function(folder)

    def test_the_caller_does(self, in_skops: Callable[[Any], Path]) -> None:
        folder = in_skops(FunctionTransformer(np.save))
        loaded = dovetail.sklearn.load_model(folder, skops_trusted_types=["numpy.save"])
        assert loaded.func is np.save

    def test_without_skops_the_error_says_what_to_install(self, pipeline: Pipeline, tmp_path: Path) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        (tmp_path / "model" / "model.skops").write_bytes(b"")
        program = (
            "import sys; sys.modules['skops'] = sys.modules['skops.io'] = None\n"
            "from dovetail_sklearn import runtime\n"
            f"runtime.load({str(tmp_path / 'model')!r}, {{'pickled_model': 'model.skops'}})\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert "skops is not installed" in done.stderr


class TestFiles:
    def test_one_that_is_missing_is_named(
        self, pipeline: Pipeline, tmp_path: Path, change: Callable[..., Path]
    ) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        with pytest.raises(InvalidModel, match=r"other\.pkl is missing"):
            dovetail.sklearn.load_model(change(tmp_path / "model", pickled_model="other.pkl"))

    def test_one_that_is_no_pickle_is_refused(
        self, pipeline: Pipeline, tmp_path: Path, change: Callable[..., Path]
    ) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        (tmp_path / "model" / "other.pkl").write_bytes(b"no pickle")
        with pytest.raises(InvalidModel, match="no pickle"):
            dovetail.sklearn.load_model(change(tmp_path / "model", pickled_model="other.pkl"))

    def test_one_in_an_unknown_format_is_refused(
        self, pipeline: Pipeline, tmp_path: Path, change: Callable[..., Path]
    ) -> None:
        dovetail.sklearn.save_model(pipeline, tmp_path / "model")
        with pytest.raises(InvalidModel, match="joblib"):
            dovetail.sklearn.load_model(change(tmp_path / "model", serialization_format="joblib"))

    def test_a_model_of_another_library_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text("flavors:\n  xgboost: {}\n", encoding="utf-8")
        with pytest.raises(InvalidModel, match="no flavor 'sklearn'; it has xgboost"):
            dovetail.sklearn.load_model(tmp_path)
