"""What every environment manager must do."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dovetail.environments.spec import EnvSpec
from dovetail.errors import EnvironmentFailed
from dovetail.testing.wheels import local_wheel, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.environments.manager import Environment, EnvManager

__all__ = ["EnvManagerSuite"]

_NASTY = ("two words", "it's", 'say "hi"', "a;b", "$HOME", "`id`", "*", "a&b|c>d", "", "line\nbreak", "é")


class EnvManagerSuite:
    """Hold an environment manager to the guarantees of ``dovetail.environments.manager.EnvManager``.

    Override ``manager``; it must keep what it makes apart from what other tests made, below ``tmp_path`` say. The
    suite needs no network: what it installs it makes itself.

    Attributes:
        isolated: It makes environments that hold what the spec names and nothing else. One that answers with an
            environment that is there anyway sets it False.
    """

    isolated = True

    @pytest.fixture
    def manager(self) -> EnvManager:
        """The manager under test."""
        raise NotImplementedError("Override the fixture `manager`.")

    @pytest.fixture
    def offered(self, tmp_path: Path) -> Path:
        """A folder of distributions, which stands for an index."""
        folder = tmp_path / "offered"
        make_wheel(folder, "suite-part", "1.0")
        make_wheel(folder, "suite-part", "9.0")
        make_wheel(folder, "suite-whole", "1.0", requires=["suite-part>=0.5"])
        return folder

    @pytest.fixture
    def spec(self, offered: Path) -> Callable[..., EnvSpec]:
        """A spec with these requirement lines, which are looked for in the folder of distributions only."""

        def make(*lines: str) -> EnvSpec:
            return EnvSpec(dependencies=("--no-index", f"--find-links {offered}", *lines))

        return make

    def test_python_runs_in_it(self, manager: EnvManager) -> None:
        """``python`` is an interpreter of the running version where the spec names none."""
        environment = manager.prepare(EnvSpec(), _quiet)
        version = _python(environment, "import sys; print(*sys.version_info[:3])")
        assert version == " ".join(map(str, sys.version_info[:3]))

    def test_it_has_a_name_and_an_interpreter(self, manager: EnvManager) -> None:
        """People can tell environments apart, and plugins can find the interpreter."""
        environment = manager.prepare(EnvSpec(), _quiet)
        assert environment.name
        assert environment.python

    def test_it_knows_its_python(self, manager: EnvManager) -> None:
        """The version it tells is the one that runs, where it tells one."""
        environment = manager.prepare(EnvSpec(), _quiet)
        version = _python(environment, "import sys; print('%d.%d.%d' % sys.version_info[:3])")
        assert environment.python_version in (None, version)

    def test_arguments_arrive_as_they_are(self, manager: EnvManager) -> None:
        """Wrapping a command does not put a shell before it."""
        environment = manager.prepare(EnvSpec(), _quiet)
        assert _python(environment, "import sys; print(ascii(sys.argv[1:]))", *_NASTY) == ascii(list(_NASTY))

    def test_the_command_sees_its_variables(self, manager: EnvManager) -> None:
        """The answer of ``wrap`` builds on the variables given and leaves them as they were."""
        given = {**os.environ, "SUITE_VALUE": "a b;$c"}
        before = dict(given)
        argv, variables = manager.prepare(EnvSpec(), _quiet).wrap(["python", "-c", ""], given)
        assert variables["SUITE_VALUE"] == "a b;$c"
        assert given == before, "wrap() must not change what it was given"
        assert isinstance(argv, list)

    def test_programs_it_starts_find_its_python(self, manager: EnvManager) -> None:
        """A script that calls ``python`` by name stays in the environment."""
        environment = manager.prepare(EnvSpec(), _quiet)
        source = "import subprocess; subprocess.run(['python', '-c', 'import sys; print(sys.prefix)'], check=True)"
        assert _python(environment, source) == _python(environment, "import sys; print(sys.prefix)")

    def test_requirements_are_installed(self, manager: EnvManager, spec: Callable[..., EnvSpec]) -> None:
        """What the spec names is there, and what that requires."""
        self._only_isolated()
        environment = manager.prepare(spec("suite-whole"), _quiet)
        assert _version(environment) == "9.0"
        assert _python(environment, "import suite_whole; print(suite_whole.VERSION)") == "1.0"

    def test_nothing_else_is_installed(self, manager: EnvManager) -> None:
        """What surrounds the environment cannot be imported in it."""
        self._only_isolated()
        environment = manager.prepare(EnvSpec(), _quiet)
        found = _python(environment, "from importlib.util import find_spec; print(find_spec('pytest'))")
        assert found == "None"

    def test_constraints_hold(self, manager: EnvManager, offered: Path) -> None:
        """Constraint lines bound the versions of what is installed."""
        self._only_isolated()
        lines = ("--no-index", f"--find-links {offered}", "suite-part")
        environment = manager.prepare(EnvSpec(dependencies=lines, constraints=("suite-part<2",)), _quiet)
        assert _version(environment) == "1.0"

    def test_equal_specs_are_one_environment(self, manager: EnvManager, spec: Callable[..., EnvSpec]) -> None:
        """The second time it is found, not made."""
        self._only_isolated()
        first = manager.prepare(spec("suite-part"), _quiet)
        _sign(first)
        second = manager.prepare(spec("suite-part"), _quiet)
        assert second.name == first.name
        assert _signatures(second) == 1, "the environment was made again"

    def test_another_requirement_is_another_environment(
        self, manager: EnvManager, spec: Callable[..., EnvSpec]
    ) -> None:
        """A changed line leads elsewhere and leaves the first environment as it is."""
        self._only_isolated()
        newest = manager.prepare(spec("suite-part"), _quiet)
        older = manager.prepare(spec("suite-part<2"), _quiet)
        assert newest.name != older.name
        assert (_version(newest), _version(older)) == ("9.0", "1.0")

    def test_local_wheels_win(self, manager: EnvManager, spec: Callable[..., EnvSpec], tmp_path: Path) -> None:
        """A local wheel is installed though higher versions are offered under its name."""
        self._only_isolated()
        wheel = local_wheel(make_wheel(tmp_path / "local", "suite-part", "0.7"))
        environment = manager.prepare(spec("suite-part").with_wheels((wheel,)), _quiet)
        assert _version(environment) == "0.7"

    def test_local_wheels_win_in_what_others_require(
        self, manager: EnvManager, spec: Callable[..., EnvSpec], tmp_path: Path
    ) -> None:
        """So where only another requirement leads to that name."""
        self._only_isolated()
        wheel = local_wheel(make_wheel(tmp_path / "local", "suite-part", "0.7"))
        environment = manager.prepare(spec("suite-whole").with_wheels((wheel,)), _quiet)
        assert _version(environment) == "0.7"

    def test_a_wheel_of_other_content_is_another_environment(
        self, manager: EnvManager, spec: Callable[..., EnvSpec], tmp_path: Path
    ) -> None:
        """Code that was edited is run, also where its version stayed the same."""
        self._only_isolated()
        edits = [{"suite_part.py": f"VERSION = {text!r}\n"} for text in ("before", "after")]
        wheels = [make_wheel(tmp_path / str(i), "suite-part", "0.7", files=files) for i, files in enumerate(edits)]
        specs = [spec("suite-part").with_wheels((local_wheel(wheel),)) for wheel in wheels]
        assert [_version(manager.prepare(each, _quiet)) for each in specs] == ["before", "after"]

    def test_a_requirement_that_is_nowhere_is_named(self, manager: EnvManager, spec: Callable[..., EnvSpec]) -> None:
        """The error says what could not be found, each time anew."""
        self._only_isolated()
        for _ in range(2):  # what failed must not look ready the second time
            with pytest.raises(EnvironmentFailed, match="suite-nowhere"):
                manager.prepare(spec("suite-nowhere"), _quiet)

    def test_a_python_that_is_nowhere_is_named(self, manager: EnvManager, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error says which version was asked for."""
        self._only_isolated()
        monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
        with pytest.raises(EnvironmentFailed, match=r"3\.99"):
            manager.prepare(EnvSpec(python="3.99"), _quiet)

    def test_it_tells_what_it_does(self, manager: EnvManager, spec: Callable[..., EnvSpec]) -> None:
        """Whoever waits reads lines, one a step."""
        said: list[str] = []
        manager.prepare(spec("suite-part"), said.append)
        assert said
        assert all(line.strip() and "\n" not in line for line in said)

    def test_an_interrupted_preparation_leaves_nothing_that_looks_ready(
        self, manager: EnvManager, spec: Callable[..., EnvSpec]
    ) -> None:
        """Stopped at whatever step, the next preparation still gives a whole environment."""
        self._only_isolated()
        wanted = spec("suite-whole")
        for step in range(1, 20):
            try:
                environment = manager.prepare(wanted, _interrupting(step))
            except KeyboardInterrupt:
                continue
            assert step > 1, "the manager does not tell of its steps"
            assert _version(environment) == "9.0"
            return
        pytest.fail("the manager does not come to an end")

    def test_those_who_ask_at_once_get_one_environment(self, manager: EnvManager, spec: Callable[..., EnvSpec]) -> None:
        """Of several that ask, one makes it, and nobody's is replaced while in use."""
        self._only_isolated()

        def take(number: int) -> Environment:
            del number
            environment = manager.prepare(spec("suite-whole"), _quiet)
            _sign(environment)
            return environment

        with ThreadPoolExecutor(4) as pool:
            environments = list(pool.map(take, range(4)))
        environments.append(take(4))  # behind all signatures of the others
        assert len({environment.name for environment in environments}) == 1
        assert _signatures(environments[0]) == 5, "the environment was made again under somebody's feet"

    def _only_isolated(self) -> None:
        if not self.isolated:
            pytest.skip("the manager answers with an environment that is there anyway")


_MARK = "import sys, pathlib; mark = pathlib.Path(sys.prefix) / 'suite-signatures'; "


def _quiet(message: str) -> None:
    del message


def _interrupting(step: int) -> Callable[[str], None]:
    said: list[str] = []

    def progress(message: str) -> None:
        said.append(message)
        if len(said) == step:
            raise KeyboardInterrupt

    return progress


def _python(environment: Environment, source: str, *arguments: str) -> str:
    """What the environment's Python prints."""
    argv, variables = environment.wrap(["python", "-c", source, *arguments], os.environ)
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - a test's own
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _version(environment: Environment) -> str:
    return _python(environment, "import suite_part; print(suite_part.VERSION)")


def _sign(environment: Environment) -> None:
    _python(environment, _MARK + "mark.open('a').write('x')")


def _signatures(environment: Environment) -> int:
    return int(_python(environment, _MARK + "print(len(mark.read_text()))"))
