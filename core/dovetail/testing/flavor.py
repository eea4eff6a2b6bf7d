"""The suite that every model flavor is held to."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dovetail import plugins
from dovetail.environments import capture
from dovetail.errors import DovetailError, InvalidModel
from dovetail.hookspecs import hookimpl
from dovetail.models import loading, payload, saving, scoring
from dovetail.models.manifest import FUNCTION, Manifest
from dovetail.testing import flavor_process
from dovetail.testing.hostile_models import Trap, content_of, rewrite, tolerating, with_other_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dovetail.models.flavor import Flavor

__all__ = ["FlavorSuite"]

_WORKER = Path(loading.__file__).with_name("worker.py")


class Unsaveable:
    """What no flavor can save: it is no model, and it cannot be pickled."""

    def __reduce__(self) -> str:
        raise TypeError("this object cannot be pickled")


class FlavorSuite:
    """Hold a flavor to the guarantees of ``dovetail.models.flavor.Flavor``.

    Override ``flavor``, ``model`` and ``data``; the model and its predictions must come out the same in every process.
    The flavor need not be installed.

    Attributes:
        options_to_try: Options, by name, that a model is saved with one after the other; by default none.
        same: Predictions that differ by no more than this part of themselves count as the same.
        checked: The data is a table or array, so that a signature inferred from it leaves it as it is; False for lists,
            which become tables where there is a signature.
    """

    options_to_try: ClassVar[Sequence[Mapping[str, Any]]] = ()
    same: ClassVar[float] = 1e-9
    checked: ClassVar[bool] = False

    @pytest.fixture
    def flavor(self) -> Flavor:
        """The flavor under test."""
        raise NotImplementedError("Override the fixture `flavor`.")

    @pytest.fixture
    def model(self) -> Any:
        """A small trained model."""
        raise NotImplementedError("Override the fixture `model`.")

    @pytest.fixture
    def data(self) -> Any:
        """A few rows that the model can predict on; as an input example they must be writable as JSON."""
        raise NotImplementedError("Override the fixture `data`.")

    @pytest.fixture
    def unsaveable(self) -> Any:
        """What the flavor must refuse."""
        return Unsaveable()

    @pytest.fixture
    def save(self, flavor: Flavor, model: Any, tmp_path: Path) -> Callable[..., Path]:
        """``save(**details)`` saves the model with the flavor and answers with its folder."""
        flavor.key = _key(flavor)

        def run(saved: Any = None, name: str = "model", **details: Any) -> Path:
            saving.save_with(flavor, model if saved is None else saved, tmp_path / "saved" / name, **details)
            return tmp_path / "saved" / name

        return run

    @pytest.fixture
    def expected(self, flavor: Flavor, model: Any, data: Any) -> Any:
        """What the model predicts before it is saved, as plain data."""
        return _plain(flavor.predict(model, data, {}))

    def _example(self, data: Any) -> dict[str, Any]:
        return {"input_example": data} if self.checked else {}

    # --- predictions ------------------------------------------------------------------------------------------

    def test_a_loaded_model_predicts_the_same(
        self, flavor: Flavor, data: Any, save: Callable[..., Path], expected: Any
    ) -> None:
        """What ``load`` gives is the model again."""
        folder = save()
        loaded = flavor.load(folder, _conf(flavor, folder))
        assert _plain(flavor.predict(loaded, data, {})) == _about(expected, self.same)

    def test_a_loaded_function_predicts_the_same(self, data: Any, save: Callable[..., Path], expected: Any) -> None:
        """Any model is loaded without a word about its flavor, its input held against its signature if it has one."""
        function = loading.load_function(save(**self._example(data)))
        assert _plain(function.predict(data)) == _about(expected, self.same)

    def test_a_process_of_its_own_predicts_the_same(
        self, flavor: Flavor, model: Any, data: Any, save: Callable[..., Path], expected: Any, tmp_path: Path
    ) -> None:
        """Nothing that only this process knows is needed."""
        folder = save()
        (tmp_path / "data.pkl").write_bytes(pickle.dumps(data))
        job = {
            "flavor": [_home(flavor), type(flavor).__qualname__],
            "folder": str(folder),
            "conf": _conf(flavor, folder),
            "data": str(tmp_path / "data.pkl"),
            "homes": [_home(flavor), _home(model), _home(data)],
        }
        assert _answer(flavor_process.__file__, job, tmp_path) == _about(expected, self.same)

    def test_the_worker_predicts_the_same(
        self, flavor: Flavor, data: Any, save: Callable[..., Path], expected: Any, tmp_path: Path
    ) -> None:
        """The program that runs in models' environments loads it and predicts; with a runtime, without dovetail."""
        if flavor.runtime is None and flavor.key not in plugins.offers("flavors"):
            pytest.skip("without a runtime the worker needs the plugin, and it is not installed")
        folder = save(**self._example(data))
        source, kind = scoring.input_file(data, None, None, tmp_path)
        job = scoring.job_for(folder, Manifest.read(folder), source, kind, tmp_path / "answer")
        _run(_WORKER, job, tmp_path)
        answer = json.loads((tmp_path / "answer").read_text(encoding="utf-8"))
        assert answer["predictions"] == _about(expected, self.same)

    # --- saving -----------------------------------------------------------------------------------------------

    def test_saving_writes_only_below_its_path(
        self, flavor: Flavor, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither the folders around it nor the working folder nor the temporary one get anything that stays."""
        target = tmp_path / "around" / "model"
        for folder in (target, tmp_path / "working", tmp_path / "temporary"):
            folder.mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "working")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        flavor.save(model, target, _default_options(flavor))
        written = {path for path in tmp_path.rglob("*") if path.is_file()}
        assert {path for path in written if not path.is_relative_to(target)} == set()
        assert written != set(), "save() wrote nothing"

    def test_saving_leaves_the_model_as_it_was(
        self, flavor: Flavor, model: Any, data: Any, save: Callable[..., Path], expected: Any
    ) -> None:
        """It predicts the same afterwards, and has the same attributes."""
        before = _state(model)
        save()
        assert _state(model) == before
        assert _plain(flavor.predict(model, data, {})) == _about(expected, self.same)

    def test_every_option_has_a_default(self, flavor: Flavor) -> None:
        """``save_model`` can be called without the flavor's options."""
        assert flavor.options is None or dataclasses.is_dataclass(flavor.options), "options must be a dataclass"
        _default_options(flavor)

    def test_options_come_back_with_the_model(
        self, flavor: Flavor, data: Any, save: Callable[..., Path], expected: Any
    ) -> None:
        """A model saved with any options is loaded again without saying them."""
        for number, given in enumerate(self.options_to_try):
            assert flavor.options is not None, "options_to_try are for a flavor with options"
            function = loading.load_function(save(name=str(number), options=flavor.options(**given)))
            assert _plain(function.predict(data)) == _about(expected, self.same), f"saved with {dict(given)}"

    def test_what_cannot_be_saved_is_refused(self, save: Callable[..., Path], unsaveable: Any, tmp_path: Path) -> None:
        """``InvalidModel`` says so, and nothing of it is left."""
        with pytest.raises(InvalidModel):
            save(unsaveable)
        assert [path for path in (tmp_path / "saved").rglob("*") if path.exists()] == []

    # --- what is written --------------------------------------------------------------------------------------

    def test_mlmodel_says_all(self, flavor: Flavor, data: Any, save: Callable[..., Path]) -> None:
        """How to load it, what it takes and gives, its environment and its files; other tools read that."""
        folder = save(input_example=data)
        manifest = Manifest.read(folder)
        function = manifest.conf(FUNCTION)
        assert re.fullmatch(r"(mlflow|dovetail)\.[a-z0-9_.]+", function["loader_module"])
        assert flavor.key == "pyfunc" or flavor.key in manifest.flavors
        assert manifest.signature is not None
        assert (manifest.model_uuid, manifest.utc_time_created, manifest.model_size_bytes) > ("", "", 0)
        named = [function["env"]["virtualenv"], function["env"]["conda"], "requirements.txt", flavor.data]
        assert [name for name in named if not (folder / name).exists()] == []
        assert [name for name in manifest.digests if name.split("/")[0] == flavor.data.split("/")[0]] != []

    def test_its_library_is_required_as_it_is_here(self, flavor: Flavor, save: Callable[..., Path]) -> None:
        """``requirements.txt`` pins the distributions of the packages that the flavor covers, and what it adds."""
        lines = (save() / "requirements.txt").read_text(encoding="utf-8").splitlines()
        found = capture.distributions_of(flavor.packages)
        assert sorted(found) == sorted(flavor.packages), "install the library that the flavor covers to test it"
        named = {*found.values(), *flavor.requirements(_default_options(flavor))}
        assert [name for name in named if capture.pinned(name) not in lines] == []

    # --- what others may have written ----------------------------------------------------------------------------

    def test_a_changed_file_is_refused(self, flavor: Flavor, save: Callable[..., Path]) -> None:
        """What was not saved is not loaded."""
        folder = save()
        name = next(name for name in Manifest.read(folder).digests if name.startswith(flavor.data.split("/")[0]))
        (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
        with pytest.raises(InvalidModel, match="digest"):
            loading.load_function(folder)

    @pytest.mark.parametrize("loader", ["suite_planted", "os", "subprocess", "mlflow", "mlflow.suite_planted", 7, None])
    def test_a_loader_module_is_never_imported(
        self, save: Callable[..., Path], loader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``MLmodel`` names a module; at most it decides which installed flavor is meant."""
        (tmp_path / "suite_planted.py").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'trace')!r}).touch()")
        monkeypatch.syspath_prepend(str(tmp_path))
        folder = save()
        content = content_of(folder)
        content["flavors"] = {FUNCTION: {**content["flavors"][FUNCTION], "loader_module": loader}}
        rewrite(folder, content)
        with pytest.raises(DovetailError):
            loading.load_function(folder)
        assert not (tmp_path / "trace").exists()

    @pytest.mark.parametrize("place", ["../outside", "{absolute}", "link"])
    def test_paths_do_not_lead_out_of_the_model(
        self, flavor: Flavor, save: Callable[..., Path], place: str, tmp_path: Path
    ) -> None:
        """Wherever ``MLmodel`` names a file of the model, a path to another one is refused or not looked at."""
        folder, trace = save(), tmp_path / "trace"
        outside = folder.parent / "outside"
        outside.write_bytes(pickle.dumps(Trap(trace)))
        (folder / "link").symlink_to(outside)
        content = content_of(folder)
        for changed in with_other_paths(content, folder, place.format(absolute=outside)):
            rewrite(folder, changed)
            for load in (loading.load_function, lambda uri: loading.load_with(flavor, uri)):
                tolerating(load, folder)
                assert not trace.exists(), f"{place} was read: {changed['flavors']}"

    def test_code_does_not_come_from_elsewhere(
        self, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A code folder outside the model is refused."""
        monkeypatch.setattr(sys, "path", list(sys.path))
        folder = save()
        (folder.parent / "code").mkdir()
        content = content_of(folder)
        content["flavors"][FUNCTION]["code"] = "../code"
        rewrite(folder, content)
        with pytest.raises(DovetailError):
            loading.load_function(folder)
        assert str(folder.parent / "code") not in sys.path

    @pytest.mark.parametrize("flavors", [None, [], "sklearn", {}, {"a/b": {}}, {"python_function": "x"}, {1: {}}])
    def test_flavors_of_another_shape_are_refused(self, save: Callable[..., Path], flavors: Any) -> None:
        """An ``MLmodel`` without a mapping of flavors is an error that says so."""
        folder = save()
        rewrite(folder, {**content_of(folder), "flavors": flavors})
        with pytest.raises(InvalidModel, match="flavor"):
            loading.load_function(folder)

    def test_values_of_another_kind_are_refused(self, flavor: Flavor, save: Callable[..., Path]) -> None:
        """Whatever stands in the flavor's own part of ``MLmodel``, loading gives a model or one of our errors."""
        folder = save()
        content = content_of(folder)
        key = FUNCTION if flavor.key == "pyfunc" else flavor.key
        for name in content["flavors"][key]:
            for value in (None, 7, ["x"], {"x": {"y": 1}}, ""):
                flavors = {**content["flavors"], key: {**content["flavors"][key], name: value}}
                rewrite(folder, {**content, "flavors": flavors})
                tolerating(loading.load_function, folder)


# --- the flavor's name -----------------------------------------------------------------------------------------


def _key(flavor: Flavor) -> str:
    """The key it is installed under; one that is not installed is registered under a key of its own."""
    root = type(flavor).__module__.split(".")[0]
    for key, point in plugins.offers("flavors").items():
        if point.value.split(".")[0] == root and isinstance(plugins.find("flavors", key)(), type(flavor)):
            return key
    key = f"suite_{re.sub(r'[^A-Za-z0-9]', '_', type(flavor).__qualname__)}".lower()
    plugins.register(_plugin(key, type(flavor)), "flavors", key)
    return key


def _plugin(key: str, kind: type[Flavor]) -> ModuleType:
    module = ModuleType(f"plugin_of_{key}")

    @hookimpl
    def dovetail_flavors() -> dict[str, type[Flavor]]:
        return {key: kind}

    module.dovetail_flavors = dovetail_flavors  # type: ignore[attr-defined]
    return module


def _default_options(flavor: Flavor) -> Any:
    return flavor.options() if flavor.options else None


def _conf(flavor: Flavor, folder: Path) -> dict[str, Any]:
    flavors = Manifest.read(folder).flavors
    return {**flavors[FUNCTION], **flavors.get(flavor.key, {})}


# --- predictions and states -------------------------------------------------------------------------------------


def _plain(predictions: Any) -> Any:
    return json.loads(payload.dump_predictions(predictions))["predictions"]


def _about(expected: Any, part: float) -> Any:
    """The same, numbers within a part of themselves; what pytest.approx does, for nested data too."""
    if isinstance(expected, list):
        return [_about(each, part) for each in expected]
    if isinstance(expected, dict):
        return {key: _about(each, part) for key, each in expected.items()}
    return pytest.approx(expected, rel=part, nan_ok=True) if isinstance(expected, float) else expected


def _state(model: Any) -> dict[str, str]:
    return {name: repr(value) for name, value in getattr(model, "__dict__", {}).items()}


# --- other processes --------------------------------------------------------------------------------------------


def _home(thing: Any) -> list[str]:
    """The module that a thing's class comes from and its file: modules of tests cannot be imported by name."""
    module = sys.modules[type(thing).__module__]
    return [module.__name__, str(getattr(module, "__file__", None) or "")]


def _answer(program: str, job: Mapping[str, Any], folder: Path) -> Any:
    done = _run(Path(program), job, folder)
    return json.loads(done.splitlines()[-1])["predictions"]


def _run(program: Path, job: Mapping[str, Any], folder: Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(program)],
        input=json.dumps(job, default=str),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
