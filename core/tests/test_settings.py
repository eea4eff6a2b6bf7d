"""Where a setting's value comes from, and what happens when it is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from dovetail import settings
from dovetail.errors import InvalidSetting


def write(name: str, text: str) -> Path:
    path = Path(name).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class TestPrecedence:
    def test_without_anything_the_default_holds(self) -> None:
        assert settings.get("busy_timeout") == 60.0
        assert settings.get("tracking_uri") is None
        assert settings.origin("tracking_uri") == "default"
        assert settings.strength("tracking_uri") == 0

    def test_each_place_wins_over_the_one_behind_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        file = write("pyproject.toml", '[tool.dovetail]\nrun_id = "from-pyproject"\n')
        assert (settings.get("run_id"), settings.origin("run_id")) == ("from-pyproject", str(file))
        file = write("dovetail.toml", 'run_id = "from-file"\n')
        assert (settings.get("run_id"), settings.origin("run_id")) == ("from-file", str(file))
        file = write(".env", "DOVETAIL_RUN_ID=from-dotenv\n")
        assert (settings.get("run_id"), settings.origin("run_id")) == ("from-dotenv", str(file))
        monkeypatch.setenv("MLFLOW_RUN_ID", "from-mlflow")
        assert (settings.get("run_id"), settings.origin("run_id")) == ("from-mlflow", "MLFLOW_RUN_ID")
        monkeypatch.setenv("DOVETAIL_RUN_ID", "from-ours")
        assert (settings.get("run_id"), settings.origin("run_id")) == ("from-ours", "DOVETAIL_RUN_ID")
        assert settings.get("run_id", "argument") == "argument"

    def test_how_strongly_it_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("dovetail.toml", 'run_id = "a"\n')
        assert settings.strength("run_id") == 1
        write(".env", "MLFLOW_RUN_ID=b\n")
        assert settings.strength("run_id") == 2
        write(".env", "DOVETAIL_RUN_ID=c\nMLFLOW_RUN_ID=b\n")
        assert settings.strength("run_id") == 3
        monkeypatch.setenv("MLFLOW_RUN_ID", "d")
        assert settings.strength("run_id") == 4
        monkeypatch.setenv("DOVETAIL_RUN_ID", "e")
        assert settings.strength("run_id") == 5

    def test_an_empty_variable_counts_as_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_RUN_ID", "")
        monkeypatch.setenv("MLFLOW_RUN_ID", "twin")
        assert settings.get("run_id") == "twin"

    def test_a_false_argument_wins(self) -> None:
        assert settings.get("truncate_long_values", False) is False

    def test_a_change_of_the_environment_or_a_file_takes_effect_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("dovetail.toml", "busy_timeout = 1\n")
        assert settings.get("busy_timeout") == 1.0
        write("dovetail.toml", "busy_timeout = 22\n")
        assert settings.get("busy_timeout") == 22.0
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "3")
        assert settings.get("busy_timeout") == 3.0
        Path("dovetail.toml").unlink()
        monkeypatch.delenv("DOVETAIL_BUSY_TIMEOUT")
        assert settings.get("busy_timeout") == 60.0


class TestWhichFile:
    def test_the_nearest_one_above_the_working_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("dovetail.toml", 'run_id = "outer"\n')
        write("project/pyproject.toml", '[tool.dovetail]\nrun_id = "inner"\n')
        write("project/src/deep/train.py", "")
        monkeypatch.chdir("project/src/deep")
        assert settings.get("run_id") == "inner"

    def test_a_pyproject_without_our_table_is_passed_by(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("dovetail.toml", 'run_id = "outer"\n')
        write("project/pyproject.toml", "[project]\nname = 'x'\n")
        monkeypatch.chdir("project")
        assert settings.get("run_id") == "outer"

    def test_the_table_is_found_however_it_is_spelt(self) -> None:
        write("pyproject.toml", '[tool]\ndovetail = { run_id = "inline" }\n')
        assert settings.get("run_id") == "inline"

    @pytest.mark.parametrize("border", ["repository", "worktree", "home"])
    def test_the_search_ends_at_the_repositorys_root_and_at_home(
        self, border: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("dovetail.toml", 'run_id = "a stranger\'s"\n')
        write("inside/src/x", "")
        if border == "repository":
            Path("inside/.git").mkdir()
        elif border == "worktree":
            write("inside/.git", "gitdir: elsewhere\n")
        else:
            monkeypatch.setenv("HOME", str(Path("inside").absolute()))
            monkeypatch.setenv("USERPROFILE", str(Path("inside").absolute()))
        monkeypatch.chdir("inside/src")
        assert settings.get("run_id") is None

    def test_the_root_itself_still_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("dovetail.toml", 'run_id = "root"\n')
        Path(".git").mkdir()
        write("src/x", "")
        monkeypatch.chdir("src")
        assert settings.get("run_id") == "root"

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the working folder from being removed")
    def test_a_working_folder_that_was_removed_has_no_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("gone").mkdir()
        monkeypatch.chdir("gone")
        Path("../gone").rmdir()
        assert settings.get("busy_timeout") == 60.0

    def test_without_a_home_it_is_searched_all_the_same(self) -> None:
        program = "from dovetail import settings; print(settings.get('busy_timeout'))"
        environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "USERPROFILE")}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "60.0"


class TestLocations:
    """What is relative in a file is so to the file, or every subfolder of a project would have its own database."""

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("runs.db", "{0}/runs.db"),
            ("./runs", "{0}/./runs"),
            ("sqlite:///runs.db", "sqlite:///{0}/runs.db"),
            ("SQLite:///sub/runs.db", "SQLite:///{0}/sub/runs.db"),
            ("sqlite:////data/runs.db", "sqlite:////data/runs.db"),
            ("sqlite:///:memory:", "sqlite:///:memory:"),
            ("sqlite://", "sqlite://"),
            ("/data/runs.db", "/data/runs.db"),
            ("~/runs.db", "~/runs.db"),
            ("dovetail+sqlite:///runs.db", "dovetail+sqlite:///{0}/runs.db"),
            ("file:runs", "file:{0}/runs"),
            ("FILE:./runs", "FILE:{0}/./runs"),
            ("file:/data/runs", "file:/data/runs"),
            ("file:///data/runs", "file:///data/runs"),
            ("memory://here", "memory://here"),
            ("null:", "null:"),
            ("http://localhost:5000", "http://localhost:5000"),
            ("postgresql+psycopg://u@h/db", "postgresql+psycopg://u@h/db"),
        ],
    )
    @pytest.mark.skipif(sys.platform == "win32", reason="absolute paths have another form there")
    def test_a_relative_one_is_beside_the_file(self, written: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = write("dovetail.toml", f'tracking_uri = "{written}"\n').parent
        write("src/x", "")
        monkeypatch.chdir("src")
        assert settings.get("tracking_uri") == meant.format(folder)

    def test_marks_that_mean_something_in_a_uri_are_escaped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("50% off").mkdir()
        monkeypatch.chdir("50% off")
        write("dovetail.toml", 'tracking_uri = "sqlite:///runs.db"\n')
        assert settings.get("tracking_uri").endswith("/50%25 off/runs.db")
        write("dovetail.toml", 'tracking_uri = "file:runs"\n')
        assert settings.get("tracking_uri").endswith("/50%25%20off/runs")

    def test_one_in_a_variable_is_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "runs.db")
        assert settings.get("tracking_uri") == "runs.db"


class TestKinds:
    @pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on", " True "])
    def test_yes(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", text)
        assert settings.get("allow_ended_runs") is True

    @pytest.mark.parametrize("text", ["false", "0", "No", "off"])
    def test_no(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", text)
        assert settings.get("truncate_long_values") is False

    def test_lists(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_PLUGINS_ALLOW", "sqlite, s3,,")
        assert settings.get("plugins_allow") == ("sqlite", "s3")
        write("dovetail.toml", 'plugins_block = ["a", "b"]\n')
        assert settings.get("plugins_block") == ("a", "b")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("truncate_long_values", "maybe"),
            ("busy_timeout", "soon"),
            ("busy_timeout", "nan"),
            ("busy_timeout", "-1"),
        ],
    )
    def test_a_wrong_variable_is_named_with_what_it_must_be(
        self, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(f"DOVETAIL_{name.upper()}", value)
        with pytest.raises(InvalidSetting, match=f"{name} is set to '{value}' by DOVETAIL_{name.upper()}; it must be"):
            settings.get(name)

    @pytest.mark.parametrize(
        "line",
        [
            "run_id = 5",
            "run_id = true",
            "tracking_uri = []",
            'tracking_uri = ""',
            'tracking_uri = "  "',
            "busy_timeout = true",
            'busy_timeout = "soon"',
            "truncate_long_values = 2",
            "plugins_block = 5",
            "plugins_block = [1]",
            "plugins_block = { a = 1 }",
        ],
    )
    def test_a_wrong_entry_is_named_with_its_file(self, line: str) -> None:
        path = write("dovetail.toml", line)
        with pytest.raises(InvalidSetting, match="must be") as caught:
            settings.get(line.split(" ", maxsplit=1)[0])
        assert str(path) in str(caught.value)

    def test_a_location_of_the_wrong_kind_is_not_shown(self) -> None:
        write("dovetail.toml", 'tracking_uri = ["postgresql://me:hunter2@host/db"]')
        with pytest.raises(InvalidSetting, match="set to a list") as caught:
            settings.get("tracking_uri")
        assert "hunter2" not in str(caught.value)


class TestSecrets:
    @pytest.mark.parametrize("name", ["tracking_password", "tracking_token"])
    def test_are_text_and_not_shown_where_they_are_not(self, name: str) -> None:
        write("dovetail.toml", f"{name} = 90210\n")
        with pytest.raises(InvalidSetting, match=f"{name} is set to something else by .*; it must be text") as raised:
            settings.get(name)
        assert "90210" not in str(raised.value)
        write("dovetail.toml", f'{name} = "90210"\n')
        assert settings.get(name) == "90210"


class TestBrokenFiles:
    @pytest.mark.parametrize("name", ["dovetail.toml", "pyproject.toml"])
    @pytest.mark.parametrize("text", ["[tool.dovetail\n", "tool.dovetail.run_id = \n", "dovetail = \xff"])
    def test_what_is_no_toml_is_named(self, name: str, text: str) -> None:
        Path(name).write_bytes(text.encode("latin-1"))
        with pytest.raises(InvalidSetting, match=f"{name} is not valid TOML"):
            settings.get("run_id")

    def test_a_broken_pyproject_that_says_nothing_of_us_is_not_our_business(self) -> None:
        Path("pyproject.toml").write_bytes(b"[project\xff")
        assert settings.get("run_id") is None

    @pytest.mark.parametrize("name", ["dovetail.toml", "pyproject.toml"])
    def test_brackets_without_end_are_no_toml(self, name: str) -> None:
        write(name, "[tool.dovetail]\na=" + "[" * 20_000)
        with pytest.raises(InvalidSetting, match=f"{name} is not valid TOML: it is nested too deeply"):
            settings.get("run_id")

    @pytest.mark.parametrize("text", ["# dovetail\na=" + "[" * 20_000, '[project]\ndependencies = ["dovetail==1", '])
    def test_a_broken_pyproject_that_only_speaks_of_us_is_not_either(self, text: str) -> None:
        write("pyproject.toml", text)
        assert settings.get("run_id") is None

    def test_a_huge_file_is_not_read(self) -> None:
        write("pyproject.toml", "[tool.dovetail]\n" + "#" * (1 << 20))
        with pytest.warns(UserWarning, match="not looked through for settings: it is larger than 1 MiB"):
            assert settings.get("run_id") is None
        write("dovetail.toml", "#" * (1 << 20 | 1))
        with pytest.raises(InvalidSetting, match="cannot be read: it is larger than 1 MiB"):
            settings.get("run_id")

    def test_a_value_of_any_depth_is_refused(self) -> None:
        write("dovetail.toml", f"allow_ended_runs = {{{'a.' * 5_000}a = 1}}")
        with pytest.raises(InvalidSetting, match="must be true or false"):
            settings.get("allow_ended_runs")

    def test_of_many_settings_that_are_none_a_few_are_said(self) -> None:
        write("dovetail.toml", "".join(f"x{number} = 1\n" for number in range(20_000)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            settings.get("run_id")
        assert len(caught) == 6
        assert "19995 more names" in str(caught[-1].message)

    @pytest.mark.parametrize("text", ["tool = 'dovetail'", "[tool]\ndovetail = 5"])
    def test_a_table_must_be_one(self, text: str) -> None:
        write("pyproject.toml", text)
        with pytest.raises(InvalidSetting, match="must be a table"):
            settings.get("run_id")

    def test_a_setting_that_is_none_is_said_with_what_was_meant(self) -> None:
        write("dovetail.toml", 'tracking-uri = "runs.db"\n')
        with pytest.warns(UserWarning, match="'tracking-uri', which is no setting.*did you mean tracking_uri?"):
            assert settings.get("tracking_uri") is None

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
    def test_a_file_that_may_not_be_read_is_named(self) -> None:
        write("dovetail.toml", "").chmod(0)
        with pytest.raises(InvalidSetting, match="cannot be read: Permission denied"):
            settings.get("run_id")


def test_the_table_tells_everything() -> None:
    rows: list[Any] = settings.table()
    assert {name for name, *_ in rows} == set(settings.SETTINGS)
    assert all(text.endswith(".") for *_, text in rows)
    assert ("busy_timeout", "DOVETAIL_BUSY_TIMEOUT", "60.0") in [row[:3] for row in rows]


@pytest.mark.parametrize("setting", settings.SETTINGS.values(), ids=list(settings.SETTINGS))
def test_a_twin_is_honoured_where_ours_is_not_set(setting: settings.Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    if setting.twin is None:
        return
    value = {"bool": "true", "float": "3", "count": "3"}.get(setting.kind, "x")
    monkeypatch.setenv(setting.twin, value)
    assert settings.origin(setting.name) == setting.twin
    monkeypatch.setenv(setting.variable, value)
    assert settings.origin(setting.name) == setting.variable
