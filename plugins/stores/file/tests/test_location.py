"""Which folders ``dir:`` URIs mean."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import dovetail
from dovetail.errors import InvalidUri
from dovetail_file import open_dir
from dovetail_file.location import location, uri_of


class TestUris:
    def test_an_absolute_folder_has_three_slashes(self) -> None:
        assert location("dir:///data/runs") == Path("/data/runs")
        assert location("dir:/data/runs/") == Path("/data/runs")
        assert location("dir://localhost/data/runs") == Path("/data/runs")

    def test_one_without_slashes_lies_in_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert location("dir:runs") == tmp_path / "runs"
        assert location("dir:../runs") == tmp_path.parent / "runs"

    def test_a_tilde_is_the_home_folder(self) -> None:
        assert location("dir:~/runs") == Path.home() / "runs"

    @pytest.mark.parametrize("name", ["with space", "100%", "what?", "a#b", "größe", "日本"])
    def test_any_name_comes_back(self, tmp_path: Path, name: str) -> None:
        assert location(uri_of(tmp_path / name)) == tmp_path / name

    @pytest.mark.parametrize(
        "uri",
        ["dir:", "dir://", "dir://host/runs", "dir:///a?b=c", "dir:///a#b", "file:///a", "dir:///a%00b", "dir://["],
    )
    def test_what_names_no_folder_here_is_refused(self, uri: str) -> None:
        with pytest.raises(InvalidUri):
            location(uri)


class TestScripts:
    def test_a_place_stays_where_it_was_chosen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "here").mkdir()
        (tmp_path / "there").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        dovetail.set_tracking_uri("dir:my runs")
        monkeypatch.chdir(tmp_path / "there")
        with dovetail.start_run() as run:
            dovetail.log_metric("loss", 0.5)
            dovetail.log_text("done", "notes.txt")
        dovetail.set_tracking_uri(None)
        with closing(open_dir(f"dir://{tmp_path}/here/my%20runs")) as store:
            assert store.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
        assert not any((tmp_path / "there").iterdir())

    def test_a_place_in_a_settings_file_is_relative_to_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "dovetail.toml").write_text('tracking_uri = "dir:runs"')
        (tmp_path / "below").mkdir()
        monkeypatch.chdir(tmp_path / "below")
        dovetail.set_tracking_uri(None)
        assert location(dovetail.get_tracking_uri()) == tmp_path / "runs"

    def test_what_a_killed_script_logged_is_there_for_the_next_one(self, tmp_path: Path) -> None:
        script = (
            "import os, signal, dovetail\n"
            "dovetail.set_tracking_uri('dir:runs')\n"
            "run = dovetail.start_run()\n"
            "[dovetail.log_metric('loss', 1 / (step + 1), step=step) for step in range(3000)]\n"
            "print(run.info.run_id, flush=True)\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        killed = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True
        )
        dovetail.set_tracking_uri(f"dir://{tmp_path}/runs")
        found = dovetail.tracking.MlflowClient().get_metric_history(killed.stdout.strip(), "loss")
        assert [point.step for point in found] == list(range(3000))

    def test_a_folder_that_was_moved_has_its_artifacts_with_it(self, tmp_path: Path) -> None:
        with closing(open_dir(f"dir://{tmp_path}/before")) as store:
            assert store.get_experiment("0").artifact_location == (tmp_path / "before/artifacts/0").as_uri()
        (tmp_path / "before").rename(tmp_path / "after")
        with closing(open_dir(f"dir://{tmp_path}/after")) as store:
            assert store.get_experiment("0").artifact_location == (tmp_path / "after/artifacts/0").as_uri()

    def test_a_chosen_artifact_root_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "s3://bucket/runs")
        with closing(open_dir(f"dir://{tmp_path}/runs")) as store:
            number = store.create_experiment("wine")
        monkeypatch.delenv("DOVETAIL_ARTIFACT_ROOT")
        with closing(open_dir(f"dir://{tmp_path}/runs")) as store:
            assert store.get_experiment(number).artifact_location == f"s3://bucket/runs/{number}"
