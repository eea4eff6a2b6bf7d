"""``dovetail.doctor()`` tells how things are, whatever is broken, and never a secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dovetail
from dovetail import diagnosis
from dovetail.concealment import cleaned, shown
from dovetail.testing.memory import MemoryTrackingStore

if TYPE_CHECKING:
    from collections.abc import Callable

    Install = Callable[..., Path]

# Each holds ``hunter2``, which must be seen nowhere.
HOSTILE = [
    "postgresql://ann:hunter2@db.example.org/runs",
    "postgresql://ann:hunter2/x@db.example.org/runs",
    "postgresql://ann:x hunter2 y@db.example.org/runs",
    "postgresql://ann:x@hunter2@db.example.org/runs",
    "postgresql://ann:#hunter2?@db.example.org/runs",
    "postgresql+psycopg://hunter2@db.example.org/runs",
    "POSTGRESQL://ann:hunter2@db.example.org/runs",
    "mysql:ann:hunter2@db.example.org/runs",
    "https://db.example.org/runs?token=hunter2",
    "https://db.example.org/runs#token=hunter2",
    "https://db.example.org/runs?a=b&X-Amz-Signature=hunter2#top",
    "https://:hunter2@[::1:5000/runs",
    "file://ann:hunter2@elsewhere/runs",
    "file://ann:hunter2/x@elsewhere/runs?a=b",
    "sqlite://ann:hunter2@elsewhere/runs.db",
    "dovetail+postgresql://ann:hunter2@db.example.org/runs",
    "s3://ann:hunter2\n@bucket",
]


pytestmark = pytest.mark.usefixtures("no_variables_of_tests")


@pytest.fixture
def doctor(site: Path) -> Callable[..., str]:
    """What ``dovetail.doctor()`` prints in a fresh interpreter that has the test's distributions."""

    def said(call: str = "doctor()") -> str:
        code = f"import sys; sys.path.insert(0, {str(site)!r}); import dovetail; assert dovetail.{call} is None"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return said


def place(name: str) -> diagnosis.InForce:
    return next(each for each in diagnosis.gather().places if each.name == name)


class TestPlaces:
    def test_with_nothing_set_the_database_will_be_made(self) -> None:
        found = diagnosis.gather()
        assert (found.store.state, found.problems) == ("will be created", ())
        assert [each.origin for each in found.places] == ["default"] * 3
        assert found.places[0].value == f"sqlite:///{Path.cwd()}/dovetail.db"
        assert list(Path.cwd().iterdir()) == []

    def test_a_variable_and_a_file_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("dovetail.toml").write_text('registry_uri = "models.db"\nbusy_timeout = 3\n', encoding="utf-8")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
        found = diagnosis.gather()
        assert [each.origin for each in found.places] == [
            "MLFLOW_TRACKING_URI", str(Path.cwd() / "dovetail.toml"), "default"
        ]  # fmt: skip
        assert [(each.name, each.value) for each in found.settings] == [("busy_timeout", "3.0")]
        assert found.variables == {"MLFLOW_TRACKING_URI": "sqlite:///runs.db"}

    def test_a_place_chosen_by_a_call_is_the_one_in_force(self, tmp_path: Path) -> None:
        dovetail.set_tracking_uri(tmp_path / "chosen.db")
        assert place("tracking_uri").value == f"sqlite:///{tmp_path}/chosen.db"

    def test_a_place_that_cannot_be_is_a_problem_said_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "file://elsewhere/runs")
        found = diagnosis.gather()
        assert len(found.problems) == 1
        assert "DOVETAIL_TRACKING_URI" in found.problems[0]


class TestStore:
    @pytest.fixture(autouse=True)
    def sqlite(self) -> None:
        pytest.importorskip("dovetail_sqlite")

    def test_a_database_in_use_is_ready(self) -> None:
        with dovetail.start_run():
            assert diagnosis.gather().store.state == "ready"

    def test_a_file_that_is_no_database_is_broken(self) -> None:
        Path("dovetail.db").write_text("remember the milk\n" * 100, encoding="utf-8")
        found = diagnosis.gather()
        assert found.store.state == "broken"
        assert found.problems == (f"tracking store: {found.store.detail}",)
        assert "\n" not in found.store.detail
        assert Path("dovetail.db").read_text(encoding="utf-8").startswith("remember")

    def test_nobody_answers_for_the_scheme(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "oracle://host/db")
        assert "No tracking store answers for 'oracle'" in diagnosis.gather().store.detail

    def test_a_store_that_has_no_schema_is_asked_for_what_every_store_has(self) -> None:
        dovetail.set_tracking_uri("memory://diagnosis")
        assert diagnosis.gather().store == diagnosis.StoreState("ready")

    @pytest.mark.parametrize("failure", ["RuntimeError('away\\nfor good')", "SystemExit('away for good')"])
    def test_a_store_that_fails_in_a_way_of_its_own(
        self, installed: Install, doctor: Callable[..., str], failure: str
    ) -> None:
        source = f"""
from dovetail import hookimpl

def opened(uri):
    raise {failure}

@hookimpl
def dovetail_tracking_stores():
    return {{"acme": opened}}
"""
        installed("acme-store", {"tracking_stores": {"acme": "acme_store"}}, acme_store=source)
        said = doctor("set_tracking_uri('acme://x') or dovetail.doctor()")
        assert "away for good" in said.split("tracking store: broken", 1)[1].splitlines()[0]


class TestPlugins:
    def test_ours_are_there_with_what_they_offer(self) -> None:
        found = {each.name: each for each in diagnosis.gather().distributions}
        assert "tracking store memory" in found["dovetail-core"].offers
        assert {"pluggy", "pyyaml", "typer"} <= set(diagnosis.gather().libraries)

    def test_a_broken_one_is_named_with_its_reason(self, installed: Install, doctor: Callable[..., str]) -> None:
        source = "print('noise')\nraise RuntimeError('first line\\nsecond line')"
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb=source)
        said = doctor()
        assert "  acme-bomb: 1.2.3 (broken): model flavor bomb\n" in said
        problems = said.split("problems:\n", 1)[1]
        assert (
            "acme-bomb: The plugin 'bomb' (acme-bomb 1.2.3) cannot be imported: RuntimeError: first line second"
            in problems
        )
        assert "noise" not in said

    def test_two_that_claim_one_key(self, installed: Install, doctor: Callable[..., str]) -> None:
        for name in ("acme", "ajax"):
            installed(f"{name}-notes", {"flavors": {"notes": f"{name}_notes"}}, **{f"{name}_notes": ""})
        problems = doctor().split("problems:\n", 1)[1].splitlines()
        conflict = "The model flavor 'notes' is claimed by acme-notes 1.2.3 and by ajax-notes 1.2.3."
        assert problems == [f"  acme-notes: {conflict}", f"  ajax-notes: {conflict}"]

    def test_a_blocked_one_is_left_alone(
        self, installed: Install, doctor: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed("acme-bomb", {"flavors": {"bomb": "acme_bomb"}}, acme_bomb="raise RuntimeError")
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "acme-bomb")
        said = doctor()
        assert "acme-bomb: 1.2.3 (blocked)" in said
        assert said.endswith("problems: none\n")


class TestSettings:
    def test_a_file_that_cannot_be_read_as_one_is_one_problem(self, doctor: Callable[..., str]) -> None:
        Path("dovetail.toml").write_text("tracking_uri = ", encoding="utf-8")
        problems = doctor().split("problems:\n", 1)[1].splitlines()
        assert len(problems) == 1
        assert "dovetail.toml is not valid TOML" in problems[0]

    def test_plugins_are_still_listed_then(self) -> None:
        Path("dovetail.toml").write_text("[[", encoding="utf-8")
        assert "dovetail-core" in {each.name for each in diagnosis.gather().distributions}

    def test_a_setting_of_the_wrong_type_hides_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", "perhaps")
        monkeypatch.setenv("DOVETAIL_RUN_ID", "abc")
        found = {each.name: each for each in diagnosis.gather().settings}
        assert found["run_id"].value == "abc"
        assert "perhaps" in found["allow_ended_runs"].problem

    def test_it_works_where_the_working_folder_is_gone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        assert any("working folder was removed" in each for each in diagnosis.gather().problems)


class TestSecrets:
    @pytest.mark.parametrize("uri", HOSTILE)
    @pytest.mark.parametrize(
        "variable", ["MLFLOW_TRACKING_URI", "DOVETAIL_REGISTRY_URI", "DOVETAIL_ARTIFACT_ROOT", "MLFLOW_X"]
    )
    def test_a_password_in_a_location_is_never_told(
        self, uri: str, variable: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, uri)
        found = diagnosis.gather().to_dict()
        assert variable in found["variables"]
        assert "hunter2" not in json.dumps(found)

    @pytest.mark.parametrize("uri", [each for each in HOSTILE if "\n" not in each])
    def test_nor_one_in_a_file(self, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
        Path("dovetail.toml").write_text(f"tracking_uri = {json.dumps(uri)}\n", encoding="utf-8")
        dovetail.doctor()
        assert "hunter2" not in capsys.readouterr().out

    def test_nor_what_a_plugin_says_of_it(
        self, installed: Install, doctor: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = """
from dovetail import hookimpl
from urllib.parse import unquote

def opened(uri):
    raise ConnectionError(f"{uri} refused password {unquote(uri.split(':')[2].split('@')[0])}")

@hookimpl
def dovetail_tracking_stores():
    return {"acme": opened}
"""
        installed("acme-store", {"tracking_stores": {"acme": "acme_store"}}, acme_store=source)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "acme://ann:hunter2%2Fx@host/db")
        said = doctor()
        assert "refused password ***" in said
        assert "hunter2" not in said

    @pytest.mark.parametrize(
        "name",
        [
            "MLFLOW_TRACKING_TOKEN",
            "MLFLOW_TRACKING_AUTH",
            "MLFLOW_TRACKING_PASSWORD",
            "DOVETAIL_CLIENT_SECRET",
            "MLFLOW_API_KEY",
            "DOVETAIL_key",
        ],
    )
    def test_a_variable_that_holds_one_by_its_name_is_masked(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, "hunter2")
        assert diagnosis.gather().variables == {name: "***"}

    def test_all_variables_are_masked_on_request(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DOVETAIL_RUN_ID", "private-name")
        dovetail.doctor()
        assert "DOVETAIL_RUN_ID: private-name" in capsys.readouterr().out
        monkeypatch.setenv("DOVETAIL_ALLOW_ENDED_RUNS", "private-name")
        monkeypatch.setenv("DOVETAIL_BUSY_TIMEOUT", "private-name")
        dovetail.doctor(mask_envs=True)
        masked = capsys.readouterr().out
        assert "DOVETAIL_RUN_ID: ***" in masked
        assert "allow_ended_runs is set to *** by DOVETAIL_ALLOW_ENDED_RUNS; it must be true or false." in masked
        assert "private-name" not in masked

    def test_variables_of_others_are_nobodys_business(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "private-name")
        assert "private-name" not in json.dumps(diagnosis.gather().to_dict())

    @pytest.mark.parametrize(
        "harmless",
        ["sqlite:////home/ann/a@b.db", "./runs", "http://localhost:5000", "file:///a/b", "s3://bucket/a", "C:\\runs"],
    )
    def test_what_holds_none_is_shown_as_it_is(self, harmless: str) -> None:
        assert shown(harmless) == harmless

    def test_a_message_that_holds_none_is_left_as_it_is(self) -> None:
        assert cleaned("No run\n  'a' at 3:15.") == "No run 'a' at 3:15."


def test_what_would_garble_a_terminal_is_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_X", "a\x1b[2J\nproblems: none\udc80")
    dovetail.doctor()
    assert r"  MLFLOW_X: a\x1b[2J\nproblems: none\udc80" in capsys.readouterr().out.splitlines()


def test_what_was_gathered_is_plain_data() -> None:
    found = json.loads(json.dumps(diagnosis.gather().to_dict()))
    assert {"versions", "places", "store", "settings", "distributions", "libraries", "variables", "problems"} == set(
        found
    )
    assert found["versions"]["dovetail"] == dovetail.__version__


def test_looking_leaves_no_store_open_and_no_run_behind() -> None:
    dovetail.set_tracking_uri("memory://untouched")
    diagnosis.gather()
    assert isinstance(dovetail.MlflowClient().store, MemoryTrackingStore)
    assert dovetail.MlflowClient().search_runs(["0"]) == []
