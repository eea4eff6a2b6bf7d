from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dovetail.environments.spec import EnvSpec
from dovetail.testing import EnvManagerSuite, PluginSuite
from dovetail_system import SystemManager, dovetail_env_managers


class TestSystemManager(EnvManagerSuite):
    isolated = False

    @pytest.fixture
    def manager(self) -> SystemManager:
        return SystemManager()

    def test_it_is_the_running_interpreter(self, manager: SystemManager) -> None:
        environment = manager.prepare(EnvSpec(), lambda _: None)
        argv, variables = environment.wrap(["python", "x.py"], os.environ)
        assert argv == [sys.executable, "x.py"]
        assert variables["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)

    def test_other_programs_stay_as_they_are(self, manager: SystemManager) -> None:
        argv, _ = manager.prepare(EnvSpec(), lambda _: None).wrap(["bash", "-c", "python x.py"], {})
        assert argv == ["bash", "-c", "python x.py"]

    def test_what_it_leaves_out_is_said(self, manager: SystemManager) -> None:
        said: list[str] = []
        manager.prepare(EnvSpec(python="3.8.15", dependencies=("numpy", "pandas")), said.append)
        assert "Python 3.8.15" in said[0]
        assert "2 requirements" in said[1]

    def test_where_nothing_is_left_out_nothing_is_said(self, manager: SystemManager) -> None:
        said: list[str] = []
        manager.prepare(EnvSpec(python=f"{sys.version_info[0]}.{sys.version_info[1]}"), said.append)
        assert said == []


def test_both_names_mean_the_same() -> None:
    assert dovetail_env_managers() == {"system": SystemManager, "local": SystemManager}


class TestPlugin(PluginSuite):
    module = "dovetail_system"
