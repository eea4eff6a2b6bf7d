from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client, projects
from dovetail.environments.interpreters import Interpreter, installed_interpreters
from dovetail.environments.spec import EnvSpec, read_python_env
from dovetail.errors import EnvironmentFailed
from dovetail.testing import CachedEnvManagerSuite, PluginSuite
from dovetail.testing.wheels import local_wheel, make_wheel
from dovetail_virtualenv import VirtualenvManager, dovetail_env_managers
from dovetail_virtualenv.words import pip_step, pip_variables, virtualenv_variables

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.environments.manager import Environment


class TestVirtualenvManager(CachedEnvManagerSuite):
    key = "virtualenv"


@pytest.fixture
def manager(tmp_path: Path) -> VirtualenvManager:
    return VirtualenvManager(tmp_path / "envs")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def lines(index: Path, *wanted: str) -> tuple[str, ...]:
    return ("--no-index", f"--find-links {index}", *wanted)


def printed(environment: Environment, source: str) -> str:
    argv, variables = environment.wrap(["python", "-c", source], os.environ)
    return subprocess.run(argv, env=variables, capture_output=True, text=True, check=True).stdout.strip()


def quiet(line: str) -> None:
    del line


def pyenvs(lowest: tuple[int, int, int], below: tuple[int, int, int]) -> Interpreter:
    """The newest Python of pyenv's between these."""
    for each in installed_interpreters()[1:]:
        if lowest <= each.version < below and each.version[:2] != sys.version_info[:2]:
            return each
    pytest.skip("pyenv has none")


class TestPython:
    def test_pyenvs_is_used(self, manager: VirtualenvManager) -> None:
        other = pyenvs((3, 9, 0), (4, 0, 0))
        environment = manager.prepare(EnvSpec(python=str(other)), quiet)
        assert printed(environment, "import sys; print('%d.%d.%d' % sys.version_info[:3])") == str(other)
        assert environment.python_version == str(other)

    def test_one_that_virtualenv_has_dropped_is_made_by_its_own_venv(
        self, manager: VirtualenvManager, index: Path
    ) -> None:
        old = pyenvs((3, 7, 0), (3, 9, 0))
        make_wheel(index, "suite-part", "0.7")
        environment = manager.prepare(EnvSpec(python=str(old), dependencies=lines(index, "suite-part")), quiet)
        source = "import sys, suite_part; print(suite_part.VERSION, '%d.%d.%d' % sys.version_info[:3])"
        assert printed(environment, source) == f"0.7 {old}"

    def test_one_that_cannot_be_used_at_all_is_named(
        self, manager: VirtualenvManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "pyenv" / "versions" / "3.5.9" / "bin" / "python"
        broken.parent.mkdir(parents=True)
        broken.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n", encoding="utf-8")
        broken.chmod(0o755)
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
        with pytest.raises(EnvironmentFailed, match="no such library") as caught:
            manager.prepare(EnvSpec(python="3.5"), quiet)
        assert str(broken) in caught.value.message
        assert [path.suffix for path in (tmp_path / "envs").iterdir()] == [".lock"]


class TestRequirements:
    def test_the_pip_that_is_pinned_installs_the_rest(self, manager: VirtualenvManager, index: Path) -> None:
        make_wheel(index, "suite-part", "1.0")
        make_wheel(index, "suite-part", "9.0")
        said: list[str] = []
        spec = EnvSpec(build_dependencies=lines(index, "suite-part==1.0"), dependencies=lines(index, "suite-part"))
        environment = manager.prepare(spec, said.append)
        assert printed(environment, "import suite_part; print(suite_part.VERSION)") == "1.0"
        assert "installing 3 build requirements" in said
        assert "unpacking suite-part" in said

    def test_a_wheel_wins_over_a_pin_and_keeps_extras_and_markers(
        self, manager: VirtualenvManager, index: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "suite-part", "9.0")
        make_wheel(index, "suite-more", "1.0")
        local = make_wheel(
            tmp_path / "local", "suite-part", "0.7", requires=["suite-more; extra == 'more'"], extras=["more"]
        )
        wanted = ("suite_part[more]==9.0 ; python_version >= '3'", "suite-more ; python_version < '3'")
        spec = EnvSpec(
            dependencies=lines(index, *wanted), constraints=("suite-part==9.0",), wheels=(local_wheel(local),)
        )
        environment = manager.prepare(spec, quiet)
        assert printed(environment, "import suite_part, suite_more; print(suite_part.VERSION)") == "0.7"

    def test_the_error_has_pips_words_and_the_file(
        self, manager: VirtualenvManager, tmp_path: Path, index: Path
    ) -> None:
        make_wheel(index, "suite-part", "1.0")
        path = tmp_path / "python_env.yaml"
        path.write_text(f"dependencies: ['--no-index', '--find-links {index}', 'suite-part>=2']\n", encoding="utf-8")
        with pytest.raises(EnvironmentFailed, match="suite-part>=2") as caught:
            manager.prepare(read_python_env(path), quiet)
        assert f"virtualenv could not install the requirements of {path}" in caught.value.message
        assert "from versions: 1.0" in caught.value.message

    def test_what_lies_on_pythons_path_around_is_not_taken_for_installed(
        self, manager: VirtualenvManager, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import zipfile

        zipfile.ZipFile(make_wheel(tmp_path, "suite-part", "9.0")).extractall(tmp_path / "around")
        make_wheel(index, "suite-part", "1.0")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "around"))
        environment = manager.prepare(EnvSpec(dependencies=lines(index, "suite-part")), quiet)
        monkeypatch.delenv("PYTHONPATH")
        assert printed(environment, "import suite_part; print(suite_part.VERSION)") == "1.0"


class TestProjects:
    @pytest.fixture
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Path) -> Path:
        make_wheel(index, "suite-part", "1.0")
        folder = tmp_path / "project"
        folder.mkdir()
        source = "import sys, suite_part; print(suite_part.VERSION, '%d.%d' % sys.version_info[:2])"
        (folder / "main.py").write_text(source, encoding="utf-8")
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", f"sqlite:///{tmp_path}/dovetail.db")
        monkeypatch.setenv("DOVETAIL_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "envs"))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(index))
        return folder

    def ran(self, project: Path, **options: Any) -> tuple[str, dict[str, str]]:
        """What the run printed, and its tags."""
        heard: list[bytes] = []
        done = projects.run(project, "main.py", env_manager="virtualenv", echo=heard.append, **options)
        return b"".join(heard).decode().strip(), dict(Client().get_run(done.run_id).data.tags)

    def test_a_chosen_python_wins_and_both_are_recorded(self, project: Path) -> None:
        other = pyenvs((3, 9, 0), (4, 0, 0))
        (project / "python_env.yaml").write_text('python: "3.5.1"\ndependencies: [suite-part]\n', encoding="utf-8")
        series = ".".join(map(str, other.version[:2]))
        said: list[str] = []
        printed, tags = self.ran(project, python=series, progress=said.append)
        assert printed == f"1.0 {series}"
        assert (tags["dovetail.python"], tags["dovetail.python.requested"]) == (str(other), "3.5.1")
        assert said[0] == f"taking Python {series}, where {project / 'python_env.yaml'} asks for 3.5.1"
        assert said[1].endswith(f"with Python {other}")

    def test_of_a_conda_project_the_part_for_pip_is_installed(self, project: Path) -> None:
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        (project / "conda.yaml").write_text(
            f"dependencies: [python={here}, r-base, pip, {{pip: [suite-part]}}]\n", encoding="utf-8"
        )
        with pytest.warns(UserWarning, match="r-base can only be installed by conda"):
            printed, _ = self.ran(project)
        assert printed == f"1.0 {here}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  Downloading https://one.example/wine-2-py3.whl (1 MB)", "downloading wine-2-py3.whl (1 MB)"),
        ("Downloading wine-2.0-py3-none-any.whl", "downloading wine-2.0-py3-none-any.whl"),
        ("  Building wheel for wine (pyproject.toml): started", "building wheel for wine"),
        ("Installing collected packages: a, b", "unpacking a, b"),
        ("Installing collected packages: a, b, c, d, e, f", "unpacking a, b, c, d and 2 more"),
        ("WARNING: Retrying (Retry(total=4)) after ...", "pip does not reach the index and tries again"),
        ("Collecting wine", None),
        ("Successfully installed a b", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_pip_says_is_condensed(line: str, told: str | None) -> None:
    assert pip_step(line) == told


def test_settings_of_pip_hold_but_for_those_that_lead_elsewhere() -> None:
    given = {"PIP_FIND_LINKS": "/a", "PIP_USER": "1", "PIP_TARGET": "/t", "PYTHONPATH": "/p", "HOME": "/h"}
    assert pip_variables(given) == {"PIP_FIND_LINKS": "/a", "HOME": "/h"}


def test_settings_of_virtualenv_do_not_hold() -> None:
    given = {"VIRTUALENV_SYSTEM_SITE_PACKAGES": "1", "VIRTUALENV_OVERRIDE_APP_DATA": "/d", "HOME": "/h"}
    expected = {"VIRTUALENV_OVERRIDE_APP_DATA": "/d", "HOME": "/h", "VIRTUALENV_CONFIG_FILE": os.devnull}
    assert virtualenv_variables(given) == expected


def test_the_plugin_offers_virtualenv() -> None:
    assert dovetail_env_managers() == {"virtualenv": VirtualenvManager}


class TestPlugin(PluginSuite):
    module = "dovetail_virtualenv"
