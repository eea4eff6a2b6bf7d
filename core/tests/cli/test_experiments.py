"""``dovetail experiments``, and runs as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client
from dovetail.values import Metric, Param, Tag

if TYPE_CHECKING:
    from pathlib import Path

FIXED = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]


@pytest.fixture
def wine(drawer: None) -> str:
    """An experiment with two runs."""
    made = Client().create_experiment("wine", tags={"team": "red"})
    first = Client().create_run(made, run_name="one", start_time=1_700_000_000_123).info.run_id
    metrics = [Metric("loss", 0.5), Metric("acc", math.nan), Metric("top", math.inf)]
    Client().log_batch(first, metrics, [Param("text", 'a,"b"\nc')], [Tag("t", "=1+1")])
    Client().set_terminated(first, "FINISHED", 1_700_000_001_000)
    Client().create_run(made, run_name="two", start_time=1_700_000_002_000)
    return made


class TestNaming:
    def test_by_id_or_name_everywhere(self, dovetail: Any, wine: str) -> None:
        for name in (("-x", wine), ("--experiment-id", wine), ("-n", "wine"), ("--experiment-name", "wine")):
            assert json.loads(dovetail("experiments", "get", *name, "--json").out)["tags"] == {"team": "red"}
            assert json.loads(dovetail("experiments", "get", *name, "--output", "json").out)["name"] == "wine"
            assert "team: red" in dovetail("experiments", "get", *name, "--output", "table").out
            assert "is in the bin" in dovetail("experiments", "delete", *name).out
            assert "is back" in dovetail("experiments", "restore", *name).out
            assert dovetail("experiments", "csv", *name).out.startswith("run_id,")
        assert "is now called 'port'" in dovetail("experiments", "rename", "-n", "wine", "--new-name", "port").out

    @pytest.mark.parametrize("command", [("get",), ("delete",), ("restore",), ("csv",), ("rename", "--new-name", "x")])
    @pytest.mark.parametrize(
        ("name", "code"),
        [((), 2), (("-x", "1", "-n", "wine"), 2), (("-x", "99"), 3), (("-n", "nothing"), 3), (("-x", "abc"), 2)],
    )
    def test_wrongly(
        self, dovetail: Any, wine: str, command: tuple[str, ...], name: tuple[str, ...], code: int
    ) -> None:
        ended = dovetail("experiments", *command, *name)
        assert (ended.exit_code, ended.out) == (code, "")
        assert "Error: " in ended.err

    def test_what_was_done_as_json(self, dovetail: Any) -> None:
        made = json.loads(dovetail("experiments", "create", "-n", "a", "-l", "drawer://elsewhere", "--json").out)
        assert (made["name"], made["artifact_location"]) == ("a", "drawer://elsewhere")
        number = made["experiment_id"]
        renamed = json.loads(dovetail("experiments", "rename", "-x", number, "--new-name", "b", "--json").out)
        assert renamed["name"] == "b"
        deleted = json.loads(dovetail("experiments", "delete", "-n", "b", "--json").out)
        assert deleted["lifecycle_stage"] == "deleted"
        assert json.loads(dovetail("experiments", "restore", "-n", "b", "--json").out)["lifecycle_stage"] == "active"

    def test_list_is_search(self, dovetail: Any, wine: str) -> None:
        assert dovetail("experiments", "list", "-v", "all").out == dovetail("experiments", "search", "-v", "all").out
        assert len(json.loads(dovetail("experiments", "search", "--max-results", "1", "--json").out)) == 1

    @pytest.mark.parametrize(
        "arguments", [("search", "-v", "x"), ("search", "--max-results", "0"), ("get", "-x", "0", "--output", "xml")]
    )
    def test_options_out_of_range(self, dovetail: Any, arguments: tuple[str, ...]) -> None:
        assert dovetail("experiments", *arguments).exit_code == 2


class TestCsv:
    def test_a_row_a_run_with_a_column_for_every_key(self, dovetail: Any, wine: str) -> None:
        rows = list(csv.reader(io.StringIO(dovetail("experiments", "csv", "-x", wine).out)))
        columns, two, one = rows
        assert columns[:6] == FIXED
        assert [name for name in columns if name.startswith(("metrics.", "params."))] == [
            "metrics.acc", "metrics.loss", "metrics.top", "params.text"
        ]  # fmt: skip
        shown = dict(zip(columns, one, strict=True))
        assert (shown["start_time"], shown["end_time"]) == (
            "2023-11-14 22:13:20.123+00:00",
            "2023-11-14 22:13:21.000+00:00",
        )
        assert [shown[f"metrics.{key}"] for key in ("acc", "loss", "top")] == ["", "0.5", "inf"]
        assert (shown["params.text"], shown["tags.t"]) == ('a,"b"\nc', "=1+1")
        assert dict(zip(columns, two, strict=True))["end_time"] == ""

    def test_pandas_reads_it(self, dovetail: Any, wine: str) -> None:
        pandas = pytest.importorskip("pandas")
        frame = pandas.read_csv(io.StringIO(dovetail("experiments", "csv", "-n", "wine").out))
        assert list(frame["metrics.loss"].dropna()) == [0.5]

    def test_an_experiment_without_runs_has_its_columns(self, dovetail: Any) -> None:
        assert dovetail("experiments", "csv", "-x", "0").out == ",".join(FIXED) + "\n"

    def test_deleted_runs_are_left_out_and_pages_walked(self, dovetail: Any) -> None:
        for number in range(1001):
            Client().create_run("0", run_id=f"n{number}")
        Client().delete_run("n7")
        assert len(dovetail("experiments", "csv", "-x", "0").out.splitlines()) == 1001

    def test_into_a_file(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        target = tmp_path / "runs.csv"
        target.write_text("before")
        target.chmod(0o640)
        said = dovetail("experiments", "csv", "-x", wine, "--filename", str(target))
        assert said.out == f"Wrote 2 runs of experiment {wine} to {target}.\n"
        assert target.read_text().splitlines()[0].startswith("run_id,")
        assert target.stat().st_mode & 0o777 == 0o640
        assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]

    def test_links_in_a_circle(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        (tmp_path / "round.csv").symlink_to(tmp_path / "round.csv")
        ended = dovetail("experiments", "csv", "-x", wine, "-o", str(tmp_path / "round.csv"))
        assert ended.exit_code != 0
        assert "Too many levels of symbolic links" in ended.err

    def test_a_link_stays_one_and_a_device_is_written_to(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
        assert dovetail("experiments", "csv", "-x", wine, "-o", "link.csv").exit_code == 0
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").is_file()
        assert dovetail("experiments", "csv", "-x", wine, "-o", "/dev/null").exit_code == 0

    @pytest.mark.parametrize("place", ["missing/runs.csv", ".", "/proc/runs.csv", "/dev/full"])
    def test_a_file_that_cannot_be_written(self, dovetail: Any, wine: str, tmp_path: Path, place: str) -> None:
        ended = dovetail("experiments", "csv", "-x", wine, "-o", place)
        assert (ended.exit_code, ended.out) == (1, "")
        assert ended.err.startswith(f"Error: {place} cannot be written: ")
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_that_is_full_leaves_the_old_file(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        (tmp_path / "runs.csv").write_text("before")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            ended = dovetail("experiments", "csv", "-x", wine, "-o", "runs.csv")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert (ended.exit_code, ended.err.count("\n")) == (1, 2)
        assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
        assert (tmp_path / "runs.csv").read_text() == "before"

    def test_a_reader_that_leaves_is_no_error(self, tmp_path: Path) -> None:
        program = (
            "import os; os.environ['DOVETAIL_TRACKING_URI'] = 'memory://x'\n"
            "from dovetail import Client\nfrom dovetail.cli.main import main\n"
            "for number in range(2000): Client().create_run('0', run_id=f'n{number}')\nmain()"
        )
        line = f'set -o pipefail; {sys.executable} -c "$PROGRAM" experiments csv -x 0 | head -1'
        done = subprocess.run(
            ["bash", "-c", line], env={**os.environ, "PROGRAM": program}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, ",".join(FIXED) + ",tags.mlflow.runName\n", "")
