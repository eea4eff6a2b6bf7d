"""Metrics of the machine are a plugin's; what is said where it is not installed."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput
from dovetail.tracking.system_metrics import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable

CORE = Path(mlflow.__file__).parents[1]


@pytest.fixture
def without_plugin(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs a script where the core is installed, and no plugin is."""
    library = tmp_path / "library"
    library.mkdir()
    for folder in map(Path, site.getsitepackages()):
        for each in folder.iterdir() if folder.is_dir() else ():
            if not _is_plugin(each) and each.suffix != ".pth" and not (library / each.name).exists():
                (library / each.name).symlink_to(each)

    def run(source: str) -> subprocess.CompletedProcess[str]:
        head = "import dovetail as mlflow\nmlflow.set_tracking_uri('memory://runs')\n"
        command = [sys.executable, "-S", "-c", head + textwrap.dedent(source)]
        path = os.pathsep.join([str(CORE), str(library)])
        return subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=60
        )

    return run


def _is_plugin(path: Path) -> bool:
    return path.name.startswith("dovetail_") and not path.name.startswith("dovetail_core-")


class TestWithoutThePlugin:
    @pytest.mark.parametrize(
        "ask", ["mlflow.start_run(log_system_metrics=True)", "mlflow.enable_system_metrics_logging()"]
    )
    def test_who_asks_for_it_in_the_script_is_told_what_to_install(
        self, without_plugin: Callable[[str], subprocess.CompletedProcess[str]], ask: str
    ) -> None:
        done = without_plugin(f"""
            try:
                {ask}
            except mlflow.DovetailError as error:
                print(type(error).__name__, error, len(mlflow.search_runs(output_format="list")))
        """)
        assert done.stdout.startswith("PluginMissing"), done.stderr
        assert re.search("pip install .*system-metrics|Install dovetail-system-metrics from", done.stdout)
        assert done.stdout.strip().endswith(" 0")  # no run was begun

    def test_a_variable_ends_no_training(
        self,
        without_plugin: Callable[[str], subprocess.CompletedProcess[str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
        done = without_plugin("""
            for _ in range(3):
                with mlflow.start_run():
                    mlflow.log_metric("loss", 0.5)
            print(len(mlflow.search_runs(output_format="list")))
        """)
        assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
        assert done.stderr.count("No metrics of the machine are logged") == 1
        assert "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING" in done.stderr
        assert re.search("pip install .*system-metrics|Install dovetail-system-metrics from", done.stderr)

    def test_nothing_is_said_where_nobody_asks(
        self, without_plugin: Callable[[str], subprocess.CompletedProcess[str]]
    ) -> None:
        done = without_plugin("with mlflow.start_run(log_system_metrics=False): pass")
        assert (done.returncode, done.stderr) == (0, "")


class TestSampling:
    def test_is_as_in_mlflow_by_default(self) -> None:
        assert Sampling() == Sampling(interval=10.0, samples=1, node_id=None)

    def test_tells_machines_apart_by_name(self) -> None:
        assert [Sampling().prefix, Sampling(node_id="n1").prefix] == ["system/", "system/n1/"]

    @pytest.mark.parametrize(
        "wrong", [{"interval": 0}, {"interval": float("nan")}, {"samples": 0}, {"node_id": "../x"}]
    )
    def test_is_one_that_can_be_done(self, wrong: dict[str, object]) -> None:
        with pytest.raises(InvalidInput):
            Sampling(**wrong)  # type: ignore[arg-type]


class TestTheModules:
    def test_that_mlflow_has_the_verbs_in_have_them_here(self) -> None:
        from dovetail import config
        from dovetail import system_metrics as module

        for name in module.__all__:
            assert getattr(module, name) is getattr(config, name) is getattr(mlflow, name)
