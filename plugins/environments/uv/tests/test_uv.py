from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.spec import EnvSpec, read_python_env
from dovetail.environments.wheelhouse import bind
from dovetail.errors import EnvironmentFailed
from dovetail.testing import CachedEnvManagerSuite, PluginSuite
from dovetail.testing.wheels import local_wheel, make_wheel
from dovetail_uv import UvManager, dovetail_env_managers
from dovetail_uv.program import uv_options, uv_variables

if TYPE_CHECKING:
    from dovetail.environments.manager import Environment


class TestUvManager(CachedEnvManagerSuite):
    key = "uv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "envs"


@pytest.fixture
def manager(folder: Path) -> UvManager:
    return UvManager(folder)


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


class TestTheCache:
    def test_what_is_there_is_found_without_starting_uv(
        self, manager: UvManager, index: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_wheel(index, "suite-part")
        spec = EnvSpec(dependencies=lines(index, "suite-part"))
        manager.prepare(spec, quiet)
        said: list[str] = []
        monkeypatch.setenv("UV_CACHE_DIR", "/dev/null/nowhere")  # uv would fail now
        manager.prepare(spec, said.append)
        assert said == []

    def test_one_whose_interpreter_is_gone_is_made_again(self, manager: UvManager) -> None:
        first = manager.prepare(EnvSpec(), quiet)
        Path(first.python).unlink()
        again = manager.prepare(EnvSpec(), quiet)
        assert printed(again, "print('alive')") == "alive"

    def test_it_lies_where_the_setting_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "elsewhere"))
        environment = UvManager().prepare(EnvSpec(), quiet)
        assert Path(environment.python).is_relative_to(tmp_path / "elsewhere")

    def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way", encoding="utf-8")
        with pytest.raises(EnvironmentFailed, match="file"):
            UvManager(tmp_path / "file" / "envs").prepare(EnvSpec(), quiet)

    def test_no_scratch_folders_stay(self, manager: UvManager, folder: Path) -> None:
        environment = manager.prepare(EnvSpec(), quiet)
        assert sorted(path.name for path in folder.iterdir()) == [environment.name, f"{environment.name}.lock"]


class TestPython:
    def test_an_installed_version_is_used(self, manager: UvManager) -> None:
        other = other_python()
        environment = manager.prepare(EnvSpec(python=other), quiet)
        assert printed(environment, "import sys; print('%d.%d' % sys.version_info[:2])") == other

    def test_a_patch_that_is_not_here_names_its_neighbours_and_both_ways_out(
        self, manager: UvManager, tmp_path: Path
    ) -> None:
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        path = tmp_path / "python_env.yaml"
        path.write_text(f'python: "{here}.99"\n', encoding="utf-8")
        with pytest.raises(EnvironmentFailed) as caught:
            manager.prepare(read_python_env(path), quiet)
        assert f"{path} asks for Python {here}.99" in caught.value.message
        assert ".".join(map(str, sys.version_info[:3])) in caught.value.message
        assert "--install-python" in (caught.value.hint or "")
        assert f"--python {here}." in (caught.value.hint or "")

    def test_it_is_installed_by_uv_if_that_is_allowed_and_uv_can(
        self, manager: UvManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", (tmp_path / "nowhere").as_uri())
        said: list[str] = []
        with pytest.raises(EnvironmentFailed, match="uv could not install it") as caught:
            manager.prepare(EnvSpec(python="3.99.1", install_python=True), said.append)
        assert "having uv install Python 3.99.1" in said
        assert "3.99.1" in caught.value.message.partition("uv could not install it")[2], "uv's own words"

    def test_a_failure_leaves_nothing_behind(self, manager: UvManager, folder: Path) -> None:
        with pytest.raises(EnvironmentFailed):
            manager.prepare(EnvSpec(python="3.99"), quiet)
        assert list(folder.iterdir()) == []


class TestRequirements:
    def test_a_wheel_wins_over_a_pin_and_keeps_extras_and_markers(
        self, manager: UvManager, index: Path, tmp_path: Path
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

    def test_an_extra_that_another_requires_of_a_wheel_is_installed(
        self, manager: UvManager, index: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "suite-more", "1.0")
        make_wheel(index, "suite-whole", requires=["suite-part[more]>=0.1"])
        local = make_wheel(
            tmp_path / "local", "suite-part", "0.7", requires=["suite-more; extra == 'more'"], extras=["more"]
        )
        spec = EnvSpec(dependencies=lines(index, "suite-whole"), wheels=(local_wheel(local),))
        assert printed(manager.prepare(spec, quiet), "import suite_more; print(suite_more.VERSION)") == "1.0"

    def test_what_must_be_there_first_is_installed_too(self, manager: UvManager, index: Path) -> None:
        make_wheel(index, "suite-part", "1.0")
        make_wheel(index, "suite-part", "9.0")
        said: list[str] = []
        spec = EnvSpec(build_dependencies=lines(index, "suite-part==1.0"), dependencies=lines(index, "suite-part"))
        environment = manager.prepare(spec, said.append)
        assert printed(environment, "import suite_part; print(suite_part.VERSION)") == "1.0"
        assert any("build requirement" in line for line in said)

    def test_the_error_has_the_installers_words_and_the_file(
        self, manager: UvManager, tmp_path: Path, index: Path
    ) -> None:
        make_wheel(index, "suite-part", "1.0")
        spec = EnvSpec(dependencies=lines(index, "suite-part>=2"), source=str(tmp_path / "python_env.yaml"))
        with pytest.raises(EnvironmentFailed, match="suite-part>=2") as caught:
            manager.prepare(spec, quiet)
        assert "python_env.yaml" in caught.value.message
        assert "suite-part<=1.0" in caught.value.message or "only" in caught.value.message

    def test_a_line_that_is_none_is_an_error(self, manager: UvManager) -> None:
        with pytest.raises(EnvironmentFailed, match="not a requirement"):
            manager.prepare(EnvSpec(dependencies=("this is not a requirement !!",)), quiet)

    def test_a_local_package_that_was_edited_is_installed_anew(
        self, manager: UvManager, tmp_path: Path, index: Path
    ) -> None:
        def edited(value: str) -> EnvSpec:
            make_wheel(tmp_path / "project" / "lib", "suite-part", "1.0", files={"suite_part.py": f"V = {value}\n"})
            path = tmp_path / "project" / "python_env.yaml"
            path.write_text("dependencies:\n- ./lib/suite_part-1.0-py3-none-any.whl\n", encoding="utf-8")
            return read_python_env(path)

        del index
        source = "import suite_part; print(suite_part.V)"
        assert [printed(manager.prepare(edited(v), quiet), source) for v in ("1", "2")] == ["1", "2"]


class TestDovetailItself:
    """Requirements that name dovetail are met by what runs here; the index here has only what is not ours."""

    @pytest.fixture
    def index(self, index: Path) -> Path:
        for name in ("pluggy", "python-dotenv", "pyyaml", "rich", "tomli", "typer", "uv"):
            make_wheel(index, name, "99.0")
        make_wheel(index, "dovetail-core", "0.99.0")
        make_wheel(index, "dovetail-uv", "0.99.0")
        make_wheel(index, "dovetail-not-installed-here", "0.1.0", requires=["dovetail-core"])
        return index

    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def test_it_is_installed_from_here(self, manager: UvManager, index: Path) -> None:
        spec = bind(EnvSpec(dependencies=lines(index, "dovetail-uv>=0.1", "dovetail-not-installed-here")))
        environment = manager.prepare(spec, quiet)
        source = "from importlib.metadata import version; print(version('dovetail-core'), version('dovetail-uv'))"
        assert printed(environment, source) == f"{version('dovetail-core')} {version('dovetail-uv')}"
        assert Path(printed(environment, "import dovetail; print(dovetail.__file__)")).is_relative_to(environment.root)

    def test_a_pin_of_another_version_gives_way(self, manager: UvManager, index: Path) -> None:
        spec = bind(EnvSpec(dependencies=lines(index, "dovetail-core==0.0.1")))
        environment = manager.prepare(spec, quiet)
        source = "from importlib.metadata import version; print(version('dovetail-core'))"
        assert printed(environment, source) == version("dovetail-core")


class TestSettingsOfPip:
    def test_find_links_of_pip_are_used(self, manager: UvManager, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_wheel(index, "suite-part", "9.0")
        monkeypatch.delenv("UV_FIND_LINKS", raising=False)
        monkeypatch.setenv("PIP_FIND_LINKS", str(index))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        environment = manager.prepare(EnvSpec(dependencies=("suite-part",)), quiet)
        assert printed(environment, "import suite_part; print(suite_part.VERSION)") == "9.0"

    def test_they_get_the_names_uv_has_for_them(self) -> None:
        given = {
            "PIP_FIND_LINKS": "/a /b",
            "PIP_INDEX_URL": "https://one",
            "PIP_EXTRA_INDEX_URL": "https://two https://three",
            "PIP_CERT": "/ca.pem",
        }
        assert {name: value for name, value in uv_variables(given).items() if name not in given} == {
            "UV_FIND_LINKS": "/a,/b",
            "UV_DEFAULT_INDEX": "https://one",
            "UV_INDEX": "https://two https://three",
            "SSL_CERT_FILE": "/ca.pem",
        }

    def test_uvs_own_win(self) -> None:
        given = {"PIP_INDEX_URL": "https://pip", "UV_INDEX_URL": "https://uv"}
        assert uv_variables(given) == given

    @pytest.mark.parametrize(("value", "options"), [("1", ["--no-index"]), ("false", []), ("", [])])
    def test_no_index_is_an_option(self, value: str, options: list[str]) -> None:
        assert uv_options({"PIP_NO_INDEX": value}) == options

    def test_the_environment_around_does_not_lead_uv_astray(self) -> None:
        assert uv_variables({"VIRTUAL_ENV": "/v", "UV_PYTHON": "3.9", "HOME": "/h"}) == {"HOME": "/h"}


def test_the_command_sees_an_activated_environment(manager: UvManager) -> None:
    environment = manager.prepare(EnvSpec(), quiet)
    argv, variables = environment.wrap(["python", "a b.py"], {"PATH": "/usr/bin", "PYTHONHOME": "/lost"})
    programs = Path(environment.python).parent
    assert argv == [environment.python, "a b.py"]
    assert variables == {"PATH": f"{programs}{os.pathsep}/usr/bin", "VIRTUAL_ENV": str(programs.parent)}


def test_the_plugin_offers_uv() -> None:
    assert dovetail_env_managers() == {"uv": UvManager}


def other_python() -> str:
    from dovetail.environments.interpreters import installed_interpreters

    for each in installed_interpreters():
        if each.version[:2] != sys.version_info[:2] and each.version >= (3, 8, 0):
            return ".".join(map(str, each.version[:2]))
    pytest.skip("no other version of Python is installed")


class TestPlugin(PluginSuite):
    module = "dovetail_uv"
