"""What ``import dovetail`` gives and what it costs."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dovetail

HEAVY = (
    "asyncio", "cloudpickle", "dataclasses", "fsspec", "httpx", "importlib.metadata", "matplotlib", "numpy", "pandas",
    "pluggy", "pydantic", "rich", "sklearn", "sqlalchemy", "sqlite3", "typer", "yaml",
)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The modules a fresh interpreter has after running some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_dovetail_loads_nothing_heavy() -> None:
    assert not loaded_by("import dovetail") & set(HEAVY)


def test_importing_dovetail_loads_only_itself() -> None:
    bare = loaded_by("")
    mine = {name for name in loaded_by("import dovetail") - bare if name.startswith("dovetail")}
    assert mine == {"dovetail"}


def test_a_tracking_script_loads_no_heavy_library(tmp_path: Path) -> None:
    script = f"""
import dovetail as mlflow
mlflow.set_tracking_uri("sqlite:///{(tmp_path / "runs.db").as_posix()}")
with mlflow.start_run():
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 0.5)
"""
    assert not loaded_by(script) & {"sqlalchemy", "fsspec", "pandas", "numpy", "yaml", "typer", "rich", "asyncio"}


def test_help_imports_no_command_and_no_store() -> None:
    loaded = loaded_by(
        "import sys, io\nfrom dovetail.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    )
    shared = {
        f"dovetail.cli.{name}" for name in ("app", "group", "interruption", "main", "output", "plugin_help", "styling")
    }
    assert not {name for name in loaded if name.startswith("dovetail.cli.")} - shared
    assert not {name for name in loaded if name.startswith(("dovetail_", "dovetail.tracking", "dovetail.models"))}


@pytest.mark.parametrize("name", dovetail.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(dovetail, name) is not None


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse(Path(str(dovetail.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    others = ("typing", "dovetail")  # the latter for modules, which stand in other tests
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module not in others]
    seen = {alias.asname: f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    assert set(seen) == set(dovetail.__all__) - {"__version__"}
    for name, place in seen.items():
        module, _, attribute = place.rpartition(".")
        assert getattr(importlib.import_module(module), attribute) is getattr(dovetail, name)


def test_every_submodule_is_reachable_as_an_attribute() -> None:
    here = {info.name for info in pkgutil.iter_modules(dovetail.__path__)}
    assert here == set(dovetail._SUBMODULES)


def modules_with_all() -> list[str]:
    found = pkgutil.walk_packages(dovetail.__path__, "dovetail.")
    return sorted(info.name for info in found if not info.name.startswith("dovetail.testing"))


@pytest.mark.parametrize("name", modules_with_all())
def test_all_equals_reality(name: str) -> None:
    module = importlib.import_module(name)
    if name == "dovetail.models.worker":  # started as a file, never imported
        return
    assert hasattr(module, "__all__"), f"{name} does not say what is public"
    missing = [each for each in module.__all__ if not hasattr(module, each)]
    assert not missing, f"{name}.__all__ names {missing}"


def test_the_version_is_said_once() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")

    pyproject = Path(__file__).parents[2] / "core" / "pyproject.toml"
    assert tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"] == dovetail.__version__
