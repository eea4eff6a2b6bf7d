"""What must not be shown, and files that cannot be read."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dovetail.tracking.client import Client


def test_passwords_of_places_are_not_shown_in_tables(dovetail: Any) -> None:
    client = Client()
    experiment = client.create_experiment("secret", "drawer://user:hunter2@host/a")
    run = client.create_run(experiment).info.run_id
    for arguments in (("runs", "show", run), ("experiments", "search")):
        shown = dovetail(*arguments)
        assert shown.exit_code == 0
        assert "drawer://user:***@host" in shown.out
        assert "hunter2" not in shown.out


@pytest.mark.skipif(sys.platform != "linux", reason="a file that opens and cannot be read")
def test_a_file_that_cannot_be_read_is_named(dovetail: Any) -> None:
    run = Client().create_run("0").info.run_id
    ended = dovetail("artifacts", "log-artifact", "-r", run, "-l", "/proc/self/mem")
    assert ended.exit_code == 1
    assert ended.err.startswith("Error: /proc/self/mem cannot be uploaded: ")
    assert ended.err.count("\n") == 1
