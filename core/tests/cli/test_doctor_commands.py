"""``dovetail doctor``: what it found, for people and for machines, and an exit code that says whether all is well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("no_variables_of_tests")
PROGRAM = "from dovetail.cli.main import main; main()"


@pytest.fixture
def doctor(site: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``doctor("--json", NAME="value")`` runs ``dovetail doctor`` where the test's distributions are installed."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)]), **variables}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "doctor", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            encoding="utf-8",
        )

    return run


def test_where_all_is_well(doctor: Any) -> None:
    done = doctor()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dovetail ")
    assert "dovetail.db  (default)" in done.stdout
    assert "will be created" in done.stdout
    assert done.stdout.endswith("✓ Nothing is wrong.\n")
    assert list(Path.cwd().iterdir()) == []


def test_a_broken_plugin_is_named_and_what_to_do(doctor: Any, installed: Any) -> None:
    installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="print('hello'); import no_such_library")
    done = doctor()
    assert done.returncode == 1
    assert "✗ acme-bad: " in done.stdout
    assert "no_such_library" in done.stdout
    assert "plugins check acme-bad" in done.stdout
    assert "Nothing is wrong" not in done.stdout


def test_a_store_that_does_not_open_is_named_and_what_to_do(doctor: Any) -> None:
    Path("notes.db").write_text("Remember to label the samples.\n" * 100, encoding="utf-8")
    done = doctor(DOVETAIL_TRACKING_URI="sqlite:///notes.db")
    assert done.returncode == 1
    assert "✗ tracking store: " in done.stdout
    assert "dovetail db check" in done.stdout


def test_a_command_that_a_built_in_one_hides(doctor: Any, installed: Any) -> None:
    source = "from dovetail import hookimpl\n\n@hookimpl\ndef dovetail_commands(): return {'runs': print}\n"
    installed("acme-runs", {"commands": {"runs": "acme_runs"}}, acme_runs=source)
    done = doctor()
    assert (done.returncode, "dovetail has a command 'runs' itself" in done.stdout) == (1, True)


def test_as_json(doctor: Any, installed: Any) -> None:
    installed("acme-bad", {"flavors": {"bad": "acme_bad"}}, acme_bad="print('hello'); import no_such_library")
    done = doctor("--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert len(told["problems"]) == 1
    assert told["store"]["state"] == "will be created"


def test_no_password_is_printed(doctor: Any) -> None:
    secrets = {"DOVETAIL_TRACKING_URI": "attic://ada:s3cret@host/x", "MLFLOW_TRACKING_PASSWORD": "s3cret"}
    for options in ((), ("--json",), ("--mask-envs",)):
        done = doctor(*options, **secrets)
        assert done.returncode == 1  # nothing answers for attic:
        assert "s3cret" not in done.stdout + done.stderr


def test_variables_are_masked_when_asked(doctor: Any) -> None:
    shown, masked = (doctor(*options, DOVETAIL_EXPERIMENT_NAME="wine") for options in ((), ("--mask-envs",)))
    assert "DOVETAIL_EXPERIMENT_NAME  wine" in shown.stdout
    assert "wine" not in masked.stdout.partition("Variables")[2].partition("Distributions")[0]
