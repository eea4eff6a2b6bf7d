"""``--env-file``: variables from a dotenv file, before anything else is asked."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("DOVETAIL_TRACKING_URI", "DOVETAIL_EXPERIMENT_NAME", "FROM_FILE", "SET_BEFORE")


@pytest.fixture
def file(drawer: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that names another place than the environment does not name."""
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    path = tmp_path / "vars.env"
    path.write_text(
        "# comment\nexport DOVETAIL_TRACKING_URI='drawer://other'\nDOVETAIL_EXPERIMENT_NAME=wine\n"
        "SET_BEFORE=file\nFROM_FILE=${SET_BEFORE}-x\nNOTHING\n"
    )
    return path


def test_the_command_sees_what_stands_there(dovetail: Any, file: Path) -> None:
    made = dovetail("--env-file", str(file), "runs", "create", "--run-name", "mine")
    assert made.exit_code == 0, made.err
    found = Client("drawer://other").get_experiment_by_name("wine")
    assert found is not None
    assert [run.info.run_name for run in Client("drawer://other").search_runs(found.experiment_id)] == ["mine"]


def test_what_is_set_stays_and_is_filled_in(dovetail: Any, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_BEFORE", "shell")
    assert dovetail("--env-file", str(file), "runs", "list").exit_code == 0
    assert (os.environ["SET_BEFORE"], os.environ["FROM_FILE"], "NOTHING" in os.environ) == ("shell", "shell-x", False)


def test_a_file_written_on_windows(dovetail: Any, file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfDOVETAIL_TRACKING_URI=drawer://other\r\nFROM_FILE=x\r\n")
    assert dovetail("--env-file", str(file), "runs", "list").exit_code == 0
    assert os.environ["FROM_FILE"] == "x"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("missing.env", 3, "there is no such file"), (".", 2, "cannot be read"), ("binary.env", 2, "is not UTF-8 text"),
     ("odd.env", 2, "embedded null byte"), ("", 2, "cannot be read"), ("huge.env", 2, "larger than 1 MiB")],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(dovetail: Any, file: Path, name: str, code: int, words: str) -> None:
    (file.parent / "binary.env").write_bytes(b"\xff\xfe\x00")
    (file.parent / "huge.env").write_bytes(b"#" * (1 << 20 | 1))
    (file.parent / "odd.env").write_text('FROM_FILE="a\0b"\n')
    ended = dovetail("--env-file", name, "runs", "list")
    assert (ended.exit_code, ended.out, words in ended.err) == (code, "", True)
    assert ended.err.count("\n") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes of this kind")
def test_a_pipe_that_nobody_writes_to_is_refused(dovetail: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.env")
    ended = dovetail("--env-file", str(tmp_path / "pipe.env"), "runs", "list")
    assert (ended.exit_code, "it is no regular file" in ended.err) == (2, True)


def test_without_a_path_it_is_wrong_usage(dovetail: Any) -> None:
    assert dovetail("--env-file").exit_code == 2
