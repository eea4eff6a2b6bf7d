"""``dovetail models``: environments prepared ahead of time, and requirements changed in place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client, hookimpl, plugins
from dovetail.environments.manager import Environment, EnvManager
from dovetail.errors import EnvironmentFailed
from dovetail.models import Flavor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.environments.manager import Progress
    from dovetail.environments.spec import EnvSpec

MLMODEL = """\
flavors:
  python_function: {loader_module: dovetail.motto, env: {virtualenv: python_env.yaml}}
  motto: {}
"""


class Motto(Flavor):
    runtime = Path(__file__)

    def save(self, model: Any, path: Path, options: Any) -> dict[str, Any]:
        return {}

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:
        return None


class Tent(Environment):
    name, python = "tent-1", sys.executable

    def wrap(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        return list(argv), dict(env)


class Tents(EnvManager):
    """Remembers what was asked of it, and can do everything but install ``unobtainium``."""

    asked: list[EnvSpec] = []  # noqa: RUF012 - shared on purpose: each use makes a manager of its own

    def prepare(self, spec: EnvSpec, progress: Progress) -> Environment:
        progress("pitching the tent")
        if "unobtainium" in spec.dependencies:
            raise EnvironmentFailed("There is no unobtainium.", hint="Dig.")
        self.asked.append(spec)
        return Tent()


@pytest.fixture(scope="module", autouse=True)
def tents() -> None:
    module = ModuleType("plugin_of_tents")

    @hookimpl
    def dovetail_env_managers() -> Any:
        return {"tent": Tents}

    @hookimpl
    def dovetail_flavors() -> Any:
        return {"motto": Motto}

    module.dovetail_env_managers = dovetail_env_managers  # type: ignore[attr-defined]
    module.dovetail_flavors = dovetail_flavors  # type: ignore[attr-defined]
    plugins.register(module, "env_managers", "tent")
    plugins.register(module, "flavors", "motto")


@pytest.fixture
def model(drawer: None, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "requirements.txt").write_text("numpy==1.26.4\nrich\n")
    (folder / "conda.yaml").write_text("dependencies:\n- pip:\n  - numpy==1.26.4\n  - rich\n")
    (folder / "python_env.yaml").write_text("dependencies: ['-r requirements.txt']\n")
    Tents.asked.clear()
    return folder


class TestPrepareEnv:
    def test_says_what_is_ready(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "prepare-env", "-m", str(model), "--env-manager", "tent")
        assert done.exit_code == 0
        assert "· pitching the tent" in done.err
        assert "tent-1" in done.out
        assert f"models predict -m {model}" in done.out

    def test_prepares_what_predict_uses(self, dovetail: Any, model: Path) -> None:
        override = ["-r", "numpy>=2,<3,torch[cpu,gpu]==2.1", "-r", "rich==13"]
        dovetail("models", "prepare-env", "-m", str(model), "--env-manager", "tent", *override)
        (model / "in.json").write_text('{"inputs": [1]}')
        dovetail(
            "models", "predict", "-m", str(model), "--env-manager", "tent", "-i", str(model / "in.json"), *override
        )
        prepared, used = Tents.asked
        assert prepared.key == used.key
        assert prepared.dependencies == ("numpy>=2,<3", "torch[cpu,gpu]==2.1", "rich==13")

    def test_as_json(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "prepare-env", "-m", str(model), "--env-manager", "tent", "--json")
        assert json.loads(done.out) == {"name": "tent-1", "python": sys.executable}

    def test_that_fails(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "prepare-env", "-m", str(model), "--env-manager", "tent", "-r", "unobtainium")
        assert (done.exit_code, done.out) == (8, "")
        assert done.err.splitlines()[-2:] == ["Error: There is no unobtainium.", "  Dig."]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(["-m", "gone"], 3), (["-m", "model", "--env-manager", "tnt"], 6), (["-m", "model", "--trust", "none"], 9),
         ([], 2)],
    )  # fmt: skip
    def test_of_what_cannot_be_done(
        self, dovetail: Any, model: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
    ) -> None:
        monkeypatch.chdir(model.parent)
        assert dovetail("models", "prepare-env", *arguments).exit_code == code


class TestUpdatePipRequirements:
    def test_shows_what_changed(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "update-pip-requirements", "-m", str(model), "add", "numpy==2.0", "torch")
        assert done.exit_code == 0
        assert done.out.splitlines() == [
            "- numpy==1.26.4",
            "+ numpy==2.0",
            "+ torch",
            "Changed requirements.txt and conda.yaml.",
        ]
        assert (model / "requirements.txt").read_text() == "numpy==2.0\nrich\ntorch\n"

    def test_says_what_was_not_there(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "update-pip-requirements", "-m", str(model), "remove", "torch")
        assert (done.exit_code, done.out.splitlines()) == (
            0,
            ["The model does not require torch; nothing to remove.", "Nothing was changed."],
        )

    def test_as_json(self, dovetail: Any, model: Path) -> None:
        told = json.loads(
            dovetail("models", "update-pip-requirements", "-m", str(model), "remove", "numpy", "torch", "--json").out
        )
        assert told == {
            "model_uri": str(model),
            "before": ["numpy==1.26.4", "rich"],
            "after": ["rich"],
            "files": ["requirements.txt", "conda.yaml"],
            "absent": ["torch"],
        }

    def test_of_a_model_of_a_run(self, dovetail: Any, model: Path) -> None:
        run_id = Client().create_run("0").info.run_id
        Client().log_artifacts(run_id, model, "model")
        uri = f"runs:/{run_id}/model"
        assert dovetail("models", "update-pip-requirements", "-m", uri, "remove", "rich").exit_code == 0
        path = dovetail("artifacts", "download", "-u", f"{uri}/conda.yaml", "-d", "down").out.strip()
        assert Path(path).read_text() == "dependencies:\n- pip:\n  - numpy==1.26.4\n"

    @pytest.mark.parametrize(
        "arguments",
        [["add"], ["swap", "numpy"], ["add", "./here"], ["add", "numpy", "--", "--pre"], ["remove", "a b"]],
    )
    def test_wrong_input_changes_nothing(self, dovetail: Any, model: Path, arguments: list[str]) -> None:
        done = dovetail("models", "update-pip-requirements", "-m", str(model), *arguments)
        assert (done.exit_code, done.out) == (2, "")
        assert (model / "requirements.txt").read_text() == "numpy==1.26.4\nrich\n"

    def test_a_model_of_a_registry_is_refused(self, dovetail: Any, model: Path) -> None:
        done = dovetail("models", "update-pip-requirements", "-m", "models:/wine/1", "add", "numpy")
        assert (done.exit_code, "do not change" in done.err) == (2, True)
