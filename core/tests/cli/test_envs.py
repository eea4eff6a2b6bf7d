from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.environments.cache import make_once, mark_of
from dovetail.environments.record import Record
from dovetail.environments.virtual import python_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.environments.lease import Lease


@pytest.fixture
def made(tmp_path: Path, drawer: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lease]:
    """``made("name", days=40)`` is an environment that was used so many days ago."""
    monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "envs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "envs").mkdir()

    def make(name: str, *, days: float = 0) -> Lease:
        folder = tmp_path / "envs" / name

        def fill(lock: int) -> None:
            del lock
            python_in(folder).parent.mkdir(parents=True)
            python_in(folder).write_bytes(b"x" * 1500)

        now = time.time()
        record = Record("virtualenv", "3.11.7", "wine/python_env.yaml", 2, int(now * 1000))
        lease = make_once(folder, fill, lambda _: None, whole=lambda: True, record=record)
        os.utime(mark_of(folder), (now - days * 86400,) * 2)
        return lease

    return make


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


class TestList:
    def test_a_table(self, dovetail: Any, made: Any) -> None:
        lease = made("one")
        made("two", days=40).close()
        shown = dovetail("envs", "list")
        heading, one, two, total = shown.out.splitlines()
        assert heading.split()[:5] == ["Name", "State", "Manager", "Python", "Size"]
        assert one.split()[:8] == ["one", "whole,", "in", "use", "virtualenv", "3.11.7", "1.5", "kB"]
        assert two.split()[:4] == ["two", "whole", "virtualenv", "3.11.7"]
        assert one.endswith("2 requirements of wine/python_env.yaml")
        assert total.startswith("2 in ")
        lease.close()

    def test_json(self, dovetail: Any, made: Any, tmp_path: Path) -> None:
        made("one").close()
        (shown,) = json.loads(dovetail("envs", "list", "--json").out)
        assert {name: shown[name] for name in ("name", "path", "state", "in_use", "size", "manager", "python")} == {
            "name": "one",
            "path": str(tmp_path / "envs" / "one"),
            "state": "whole",
            "in_use": False,
            "size": 1500,
            "manager": "virtualenv",
            "python": "3.11.7",
        }
        assert (shown["source"], shown["requirements"]) == ("wine/python_env.yaml", 2)
        assert abs(shown["used"] - shown["created"]) < 10_000

    def test_none(self, dovetail: Any, made: Any) -> None:
        assert "There are no environments in" in dovetail("envs", "list").out
        assert dovetail("envs", "list", "--json").out == "[]\n"


class TestPrune:
    def test_a_month_is_long(self, dovetail: Any, made: Any, tmp_path: Path) -> None:
        made("old", days=31).close()
        made("new", days=29).close()
        shown = dovetail("envs", "prune", "--yes")
        assert (shown.exit_code, shown.err) == (0, "")
        assert shown.out.splitlines()[-1] == "Removed 1 thing, 1.5 kB."
        assert names(tmp_path / "envs") == ["new"]
        assert dovetail("envs", "prune", "--yes").out == "There is nothing to remove.\n"

    @pytest.mark.parametrize(("age", "stays"), [("12h", []), ("2d", ["one"]), ("1w", ["one"]), ("1441m", ["one"])])
    def test_another_age(self, dovetail: Any, made: Any, tmp_path: Path, age: str, stays: list[str]) -> None:
        made("one", days=1).close()
        dovetail("envs", "prune", "--yes", "--older-than", age)
        assert names(tmp_path / "envs") == stays

    @pytest.mark.parametrize("age", ["30", "d", "-3d", "3y", "", "1e9d", "9" * 10**5 + "d", "3d; ls"])
    def test_what_is_no_age_is_refused(self, dovetail: Any, made: Any, age: str) -> None:
        shown = dovetail("envs", "prune", "--yes", f"--older-than={age}")
        assert (shown.exit_code, "is no age" in shown.err, len(shown.err) < 200) == (2, True, True)

    def test_all_are_those_that_are_not_in_use(self, dovetail: Any, made: Any, tmp_path: Path) -> None:
        lease = made("used", days=100)
        made("new").close()
        dovetail("envs", "prune", "--all", "--yes")
        assert names(tmp_path / "envs") == ["used"]
        lease.close()

    def test_a_dry_run_only_says_it(self, dovetail: Any, made: Any, tmp_path: Path) -> None:
        made("old", days=31).close()
        shown = dovetail("envs", "prune", "--dry-run")
        assert shown.out.splitlines()[-1] == "Would remove 1 thing, 1.5 kB."
        assert names(tmp_path / "envs") == ["old"]

    def test_where_nobody_can_be_asked_nothing_happens(self, dovetail: Any, made: Any, tmp_path: Path) -> None:
        made("old", days=31).close()
        shown = dovetail("envs", "prune")
        assert (shown.exit_code, "--yes" in shown.err) == (2, True)
        assert names(tmp_path / "envs") == ["old"]

    def test_json(self, dovetail: Any, made: Any) -> None:
        made("old", days=31).close()
        expected = [{"name": "old", "reason": "unused", "size": 1500, "failure": None}]
        assert json.loads(dovetail("envs", "prune", "--json", "--dry-run").out) == expected
        assert json.loads(dovetail("envs", "prune", "--json", "--yes").out) == expected
        assert dovetail("envs", "prune", "--json", "--yes").out == "[]\n"


def test_a_folder_that_is_a_file_is_named(
    dovetail: Any, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "file"))
    for command in (["list"], ["prune", "--yes"]):
        shown = dovetail("envs", *command)
        assert (shown.exit_code, str(tmp_path / "file") in shown.err) == (8, True)
