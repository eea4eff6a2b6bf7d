"""An honest environment manager, and dishonest ones that the suite must catch; ``test_env_manager_suite.py`` runs this.

The honest one unpacks wheels from the folder that the requirement lines name: enough of an installer for the suite.
"""

from __future__ import annotations

import re
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.cache import env_folder, make_once
from dovetail.environments.interpreters import PythonVersion
from dovetail.environments.manager import EnvManager
from dovetail.environments.spec import requirement_name
from dovetail.environments.virtual import VirtualEnvironment, python_in
from dovetail.errors import EnvironmentFailed
from dovetail.testing.env_manager import EnvManagerSuite

if TYPE_CHECKING:
    from dovetail.environments.manager import Environment, Progress
    from dovetail.environments.spec import EnvSpec


class PlainManager(EnvManager):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, spec: EnvSpec, progress: Progress) -> Environment:
        if spec.python and not PythonVersion(spec.python).allows(sys.version_info[:3]):
            raise EnvironmentFailed(f"no Python {spec.python}")
        root = env_folder(self.folder) / self.key(spec)
        self.once(root, spec, progress)
        return VirtualEnvironment(root)

    def key(self, spec: EnvSpec) -> str:
        return spec.key

    def once(self, root: Path, spec: EnvSpec, progress: Progress) -> None:
        make_once(root, lambda _: self.make(root, spec, progress), progress, whole=python_in(root).exists)

    def make(self, root: Path, spec: EnvSpec, progress: Progress) -> None:
        progress("creating the environment")
        venv.create(root, symlinks=True)
        progress("installing")
        site = next(root.glob("lib/python*/site-packages"))
        for wheel in self.resolved(spec):
            zipfile.ZipFile(wheel).extractall(site)
            progress(f"installed {wheel.name}")

    def resolved(self, spec: EnvSpec) -> list[Path]:
        waiting = [line for line in spec.dependencies if requirement_name(line)]
        folders = [Path(line.split()[1]) for line in spec.dependencies if line.startswith("--find-links")]
        found: dict[str, Path] = {}
        while waiting:
            line = waiting.pop()
            name = requirement_name(line)
            if name not in found:
                bounds = [line, *(each for each in spec.constraints if requirement_name(each) == name)]
                found[name] = self.chosen(name, bounds, folders, spec)
                waiting += required(found[name])
        return list(found.values())

    def chosen(self, name: str, bounds: list[str], folders: list[Path], spec: EnvSpec) -> Path:
        for wheel in spec.wheels:
            if wheel.name == name:
                return wheel.path
        below = min([float(b) for line in bounds for b in re.findall(r"<(\d+)", line)], default=100.0)
        offered = [path for folder in folders for path in folder.glob(f"{name.replace('-', '_')}-*.whl")]
        fitting = sorted(path for path in offered if float(path.name.split("-")[1]) < below)
        if not fitting:
            raise EnvironmentFailed(f"no wheel for {name}")
        return fitting[-1]


def required(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        return re.findall(r"^Requires-Dist: (.*)$", archive.read(metadata).decode(), re.MULTILINE)


class TestHonest(EnvManagerSuite):
    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return PlainManager(tmp_path / "envs")


class TestLeavesHalfMadeOnes(EnvManagerSuite):
    class Broken(PlainManager):
        def once(self, root: Path, spec: EnvSpec, progress: Progress) -> None:
            if not root.exists():  # as if a folder that is there were ready
                self.make(root, spec, progress)

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")


class TestMakesItAgain(EnvManagerSuite):
    class Broken(PlainManager):
        def once(self, root: Path, spec: EnvSpec, progress: Progress) -> None:
            # as if what is marked as ready were never whole
            make_once(root, lambda _: self.make(root, spec, progress), progress, whole=lambda: False)

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")


class TestLooksAtNamesOnly(EnvManagerSuite):
    class Broken(PlainManager):
        def key(self, spec: EnvSpec) -> str:
            return "-".join(filter(None, map(requirement_name, spec.dependencies))) or "bare"

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")


class TestPrefersTheIndex(EnvManagerSuite):
    class Broken(PlainManager):
        def resolved(self, spec: EnvSpec) -> list[Path]:
            return super().resolved(spec.with_wheels(()))

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")


class TestShowsTheOutside(EnvManagerSuite):
    class Broken(PlainManager):
        def make(self, root: Path, spec: EnvSpec, progress: Progress) -> None:
            super().make(root, spec, progress)
            outside = Path(pytest.__file__).parents[1]
            (next(root.glob("lib/python*/site-packages")) / "outside.pth").write_text(f"{outside}\n")

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")


class TestLeavesOutWhatItCannotFind(EnvManagerSuite):
    class Broken(PlainManager):
        def resolved(self, spec: EnvSpec) -> list[Path]:
            try:
                return super().resolved(spec)
            except EnvironmentFailed:
                return []

    @pytest.fixture
    def manager(self, tmp_path: Path) -> EnvManager:
        return self.Broken(tmp_path / "envs")
