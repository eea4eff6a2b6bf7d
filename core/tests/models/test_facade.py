from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import InvalidModel, PluginMissing
from dovetail.models.facade import flavor_facade
from dovetail.models.flavors import flavor_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

LINES = """
from dataclasses import dataclass
from dovetail import hookimpl
from dovetail.models.flavor import Flavor

__all__ = ["Line", "greeting"]
greeting = "hello"

class Line:
    slope = 2.0
    def predict(self, data):
        return [self.slope * value for value in data]

class LineFlavor(Flavor):
    packages = ("acme",)
    def save(self, model, path, options):
        (path / self.data).write_text(str(model.slope))
        return {}
    def load(self, path, conf):
        line = Line()
        line.slope = float((path / self.data).read_text())
        return line

@hookimpl
def dovetail_flavors():
    return {"acme": LineFlavor}
"""


@pytest.fixture
def facade(lines: ModuleType) -> Any:
    """``dovetail.lines``, for the flavor registered by hand."""
    return flavor_facade("lines")


@pytest.fixture
def script(installed: Callable[..., Path], site: Path) -> Callable[[str], str]:
    """``script("print(1)")`` runs in a process that has the plugin ``dovetail-acme`` installed."""
    points = {"flavors": {"acme": "dovetail_acme"}, "flavor_packages": {"acme": "dovetail_acme"}}
    installed("dovetail-acme", points, dovetail_acme=LINES, acme="class Machine:\n    slope = 3.0\n")

    def run(source: str) -> str:
        program = f"import sys; sys.path.insert(0, {str(site)!r})\n{source}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


class TestSaving:
    def test_takes_the_model_and_the_place(self, facade: Any, line: Any, tmp_path: Path) -> None:
        facade.save_model(line, tmp_path / "by-position")
        facade.save_model(line=line, path=tmp_path / "by-name")
        facade.save_model(tmp_path / "mixed", line=line)
        for name in ("by-position", "by-name", "mixed"):
            assert facade.load_model(tmp_path / name).slope == line.slope

    def test_options_of_the_flavor_are_arguments(self, facade: Any, lines: ModuleType, tmp_path: Path) -> None:
        facade.save_model(lines.Line(0.123), tmp_path / "model", digits=1)
        assert facade.load_model(tmp_path / "model").slope == 0.1

    @pytest.mark.parametrize(
        ("args", "kwargs", "said"),
        [
            ((), {"path": "x"}, "save_model.. missing a required argument: 'line'"),
            (("model",), {}, "missing a required argument: 'path'"),
            (("model", "path", "more"), {}, "too many positional arguments"),
            (("model", "path"), {"path": "x"}, "multiple values for argument 'path'"),
            (
                ("model", "path"),
                {"foo": 1},
                "unexpected keyword argument 'foo'; it takes line, path, digits, signature",
            ),
            (("model", "path"), {"run_id": "x"}, "unexpected keyword argument 'run_id'"),
            (("model", "path"), {"artifact_path": "x"}, "unexpected keyword argument 'artifact_path'"),
        ],
    )
    def test_other_arguments_are_refused(self, facade: Any, args: Any, kwargs: Any, said: str) -> None:
        with pytest.raises(TypeError, match=said):
            facade.save_model(*args, **kwargs)

    def test_help_shows_the_arguments(self, facade: Any) -> None:
        assert list(inspect.signature(facade.log_model).parameters)[:3] == ["line", "name", "digits"]
        assert inspect.signature(facade.save_model).parameters["digits"].default == 6
        assert "code_paths" in facade.save_model.__doc__


class TestLogging:
    @pytest.fixture(autouse=True)
    def store(self, tmp_path: Path) -> None:
        dovetail.set_tracking_uri("memory://")
        place = str(tmp_path / "artifacts")
        dovetail.set_experiment(experiment_id=dovetail.create_experiment(tmp_path.name, artifact_location=place))

    def test_goes_to_the_active_run(self, facade: Any, line: Any) -> None:
        with dovetail.start_run() as run:
            info = facade.log_model(line, name="best")
        assert info.model_uri == f"runs:/{run.info.run_id}/best"
        assert (info.run_id, info.artifact_path) == (run.info.run_id, "best")
        assert facade.load_model(info.model_uri).slope == 2.0

    def test_starts_a_run_if_there_is_none(self, facade: Any, line: Any) -> None:
        info = facade.log_model(line)
        active = dovetail.active_run()
        assert active is not None
        assert info.model_uri == f"runs:/{active.info.run_id}/model"

    def test_goes_to_the_run_that_is_named(self, facade: Any, line: Any) -> None:
        with dovetail.start_run() as run:
            pass
        assert facade.log_model(line, run_id=run.info.run_id).run_id == run.info.run_id
        assert dovetail.active_run() is None

    @pytest.mark.parametrize(
        "arguments", [{"artifact_path": "old"}, {"name": "old"}, {"name": None, "artifact_path": "old"}]
    )
    def test_the_older_word_for_the_name_holds(self, arguments: dict[str, Any], facade: Any, line: Any) -> None:
        assert facade.log_model(line, **arguments).artifact_path == "old"

    def test_both_words_are_refused(self, facade: Any, line: Any) -> None:
        with pytest.raises(TypeError, match="not both"):
            facade.log_model(line, name="a", artifact_path="b")

    @pytest.mark.parametrize("name", ["", "../x", "/x"])
    def test_a_name_that_leads_elsewhere_is_refused(self, name: str, facade: Any, line: Any) -> None:
        with pytest.raises(dovetail.DovetailError):
            facade.log_model(line, name=name)

    def test_leaves_nothing_behind_on_this_machine(
        self, facade: Any, line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import tempfile

        (tmp_path / "scratch").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
        facade.log_model(line)
        assert list((tmp_path / "scratch").iterdir()) == []


class TestFindingIt:
    def test_is_an_attribute_of_dovetail(self, script: Callable[[str], str]) -> None:
        said = script(
            "import dovetail\nprint(dovetail.acme.greeting, dovetail.acme is dovetail.acme, dir(dovetail.acme))"
        )
        assert said.strip() == "hello True ['Line', 'greeting', 'load_model', 'log_model', 'save_model']"

    def test_costs_nothing_until_it_is_used(self, script: Callable[[str], str]) -> None:
        assert script("import dovetail, sys\ndovetail.acme\nprint('dovetail_acme' in sys.modules)") == "False\n"

    def test_import_statements_find_it(self, script: Callable[[str], str]) -> None:
        said = script(
            "import dovetail.acme, dovetail\nfrom dovetail.acme import Line, save_model\n"
            "import dovetail.acme as again\nprint(Line.slope, again is dovetail.acme)\n"
            "try: import dovetail.nothing\nexcept ModuleNotFoundError as error: print(error)\n"
        )
        assert said.splitlines() == ["2.0 True", "No module named 'dovetail.nothing'"]

    def test_can_be_pickled_by_name(self, script: Callable[[str], str]) -> None:
        cloudpickle = pytest.importorskip("cloudpickle")
        assert cloudpickle
        said = script("import dovetail, cloudpickle\nprint(len(cloudpickle.dumps(dovetail.acme)) < 200)")
        assert said == "True\n"

    def test_a_flavor_that_is_not_installed_is_no_attribute(self) -> None:
        with pytest.raises(AttributeError, match="nothing_like_it"):
            _ = dovetail.nothing_like_it  # type: ignore[attr-defined]
        assert not hasattr(dovetail, "nothing_like_it")

    def test_names_it_has_not_are_no_attributes(self, facade: Any) -> None:
        with pytest.raises(AttributeError, match=r"dovetail\.lines.*autologue"):
            _ = facade.autologue
        assert not hasattr(facade, "__path__")

    def test_is_a_module_like_others(self, facade: Any) -> None:
        assert facade.__name__ == "dovetail.lines"
        assert facade.__spec__.name == "dovetail.lines"
        assert inspect.ismodule(facade)


class TestChoosing:
    """``dovetail.log_model(model)``: the model's own classes decide."""

    def test_the_class_nearest_to_the_model_decides(self, script: Callable[[str], str]) -> None:
        said = script(
            "import acme\nfrom dovetail.models.flavors import flavor_of\n"
            "class Mine(acme.Machine): pass\nprint(flavor_of(acme.Machine()).key, flavor_of(Mine()).key)"
        )
        assert said == "acme acme\n"

    def test_logs_with_that_flavor(self, script: Callable[[str], str], tmp_path: Path) -> None:
        said = script(
            "import acme, dovetail\ndovetail.set_tracking_uri('memory://')\n"
            f"e = dovetail.create_experiment('m', artifact_location={str(tmp_path / 'a')!r})\n"
            "with dovetail.start_run(experiment_id=e):\n"
            "    info = dovetail.log_model(acme.Machine(), 'best', pip_requirements=[])\n"
            "print(sorted(info.flavors), dovetail.acme.load_model(info.model_uri).slope)\n"
            "try: dovetail.log_model(acme.Machine(), foo=1)\nexcept TypeError as error: print('foo' in str(error))"
        )
        assert said == "['acme', 'python_function'] 3.0\nTrue\n"

    def test_a_known_library_without_its_flavor_names_nothing_that_a_stranger_could_publish(self) -> None:
        booster = type("Booster", (), {"__module__": "xgboost.core", "predict": lambda self, data: data})
        mine = type("Mine", (booster,), {"__module__": "__main__"})
        for model in (booster(), mine()):
            with pytest.raises(PluginMissing, match="no plugin of its own for xgboost"):
                flavor_of(model)

    def test_what_nobody_claims_is_an_error(self) -> None:
        with pytest.raises(InvalidModel, match=r"No flavor claims builtins\.int"):
            flavor_of(7)


def test_a_flavor_registered_by_hand_needs_no_installation(facade: Any, lines: ModuleType, tmp_path: Path) -> None:
    facade.save_model(lines.Line(1.0), tmp_path / "model")
    assert pickle.dumps(facade.load_model(tmp_path / "model"))
    assert importlib.import_module("flavor_of_lines") is lines


def test_an_import_of_a_blocked_flavor_says_that_it_is(
    script: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme")
    said = script("try:\n    import dovetail.acme\nexcept ModuleNotFoundError as error:\n    print(error)")
    assert "No module named 'dovetail.acme'" in said
    assert "DOVETAIL_PLUGINS_BLOCK" in said
