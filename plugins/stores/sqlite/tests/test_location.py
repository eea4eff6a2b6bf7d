"""Which file a URI means, and where its artifacts go."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dovetail import uris
from dovetail.errors import InvalidUri
from dovetail.values import NewRun
from dovetail_sqlite import open_sqlite
from dovetail_sqlite.location import location, uri_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="paths of other systems")


class TestUri:
    @posix
    @pytest.mark.parametrize(
        ("uri", "path"),
        [
            ("sqlite:////data/dovetail.db", "/data/dovetail.db"),
            ("SQLite:////data/dovetail.db", "/data/dovetail.db"),
            ("sqlite+pysqlite:////data/dovetail.db", "/data/dovetail.db"),
            ("sqlite:////data/my%20runs/50%25.db", "/data/my runs/50%.db"),
            ("sqlite:////data/my runs/why%3F.db", "/data/my runs/why?.db"),
            ("sqlite:////data/größe#1.db", "/data/größe#1.db"),
            ("sqlite:////data/x/../dovetail.db", "/data/dovetail.db"),
        ],
    )
    def test_names_a_file(self, uri: str, path: str) -> None:
        assert location(uri) == Path(path)

    def test_may_be_relative_to_the_working_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert location("sqlite:///runs/dovetail.db") == tmp_path / "runs" / "dovetail.db"

    @pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
    def test_may_ask_for_memory(self, uri: str) -> None:
        assert location(uri) is None

    @pytest.mark.parametrize(
        "uri",
        [
            "sqlite:dovetail.db",
            "postgresql:///dovetail",
            "sqlite://server/dovetail.db",
            "sqlite:///dovetail.db?timeout=5",
            "sqlite:///file:dovetail.db",
            "sqlite:///runs/",
            "sqlite:///a%00b.db",
        ],
    )
    def test_of_another_form_is_refused_with_the_right_one(self, uri: str) -> None:
        with pytest.raises(InvalidUri) as caught:
            location(uri)
        assert "sqlite://" in str(caught.value.hint)

    @posix
    @pytest.mark.parametrize("uri", ["sqlite:///C:/runs/dovetail.db", "sqlite:////C:/x.db", "sqlite:///C:\\runs\\x.db"])
    def test_with_a_drive_is_refused_where_there_are_none(self, uri: str) -> None:
        with pytest.raises(InvalidUri, match="Windows"):
            location(uri)

    @pytest.mark.skipif(sys.platform != "win32", reason="drives are a thing of Windows")
    @pytest.mark.parametrize("uri", ["sqlite:///C:/runs/dovetail.db", "sqlite:////C:/runs/dovetail.db"])
    def test_with_a_drive_names_a_file_there(self, uri: str) -> None:
        assert location(uri) == Path("C:/runs/dovetail.db")

    @posix
    @pytest.mark.parametrize("path", ["/data/dovetail.db", "/data/50%25 why?/größe #1.db"])
    def test_of_a_store_leads_back_to_its_file(self, path: str) -> None:
        assert location(uri_of(Path(path))) == Path(path)

    def test_of_a_store_holds_from_another_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with closing(open_sqlite("sqlite:///my%20runs/dovetail.db")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
        monkeypatch.chdir(os.sep)
        with closing(open_sqlite(store.uri)) as again:
            assert again.get_run(run_id).info.run_id == run_id
        assert (tmp_path / "my runs" / "dovetail.db").exists()


class TestArtifacts:
    def test_lie_beside_the_database(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            root = uris.uri_of(tmp_path / "dovetail-artifacts")
            assert store.get_experiment("0").artifact_location == f"{root}/0"
            experiment_id = store.create_experiment("wine")
            info = store.create_run(NewRun(experiment_id)).info
            assert info.artifact_uri == f"{root}/{experiment_id}/{info.run_id}/artifacts"
            assert store.get_run(info.run_id).info == info

    def test_of_a_folder_that_moved_moved_along(self, tmp_path: Path) -> None:
        (tmp_path / "here").mkdir()
        with closing(open_sqlite(f"sqlite:///{tmp_path}/here/dovetail.db")) as store:
            run_id = store.create_run(NewRun("0")).info.run_id
        (tmp_path / "here").rename(tmp_path / "there")
        with closing(open_sqlite(f"sqlite:///{tmp_path}/there/dovetail.db")) as store:
            place = uris.uri_of(tmp_path / "there" / "dovetail-artifacts")
            assert store.get_experiment("0").artifact_location == f"{place}/0"
            assert store.get_run(run_id).info.artifact_uri == f"{place}/0/{run_id}/artifacts"

    def test_go_where_the_setting_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        uri = f"sqlite:///{tmp_path}/dovetail.db"
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "s3://bucket/runs")
        with closing(open_sqlite(uri)) as store:
            experiment_id = store.create_experiment("wine")
            run_id = store.create_run(NewRun(experiment_id)).info.run_id
        monkeypatch.delenv("DOVETAIL_ARTIFACT_ROOT")
        # What was decided then holds, whatever is set when the store is opened again.
        with closing(open_sqlite(uri)) as store:
            assert store.get_experiment("0").artifact_location == "s3://bucket/runs/0"
            assert store.get_experiment(experiment_id).artifact_location == f"s3://bucket/runs/{experiment_id}"
            assert store.get_run(run_id).info.artifact_uri == f"s3://bucket/runs/{experiment_id}/{run_id}/artifacts"

    def test_a_setting_may_be_a_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOVETAIL_ARTIFACT_ROOT", "files")
        with closing(open_sqlite("sqlite:///dovetail.db")) as store:
            assert store.get_experiment("0").artifact_location == uris.uri_of(tmp_path / "files" / "0")

    def test_are_found_by_where_they_lie(self, tmp_path: Path) -> None:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/dovetail.db")) as store:
            far = store.create_experiment("far", "s3://bucket/far?region=eu")
            runs = [store.create_run(NewRun(each)).info for each in ("0", far)]
            assert runs[1].artifact_uri == f"s3://bucket/far/{runs[1].run_id}/artifacts?region=eu"
            for info in runs:
                found = store.search_runs(["0", far], f"artifact_uri = '{info.artifact_uri}'")
                assert [run.info for run in found] == [info]


class TestWhatIsNoFile:
    @posix
    @pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
    def test_a_device_is_refused(self, device: str) -> None:
        with pytest.raises(InvalidUri, match="names a device"):
            location(f"sqlite:///{device}")

    @posix
    def test_a_pipe_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "x.db")
        with pytest.raises(InvalidUri, match="names a device, pipe"):
            location(f"sqlite:///{tmp_path}/x.db")

    def test_a_password_is_not_told(self) -> None:
        for uri in ("sqlite://u:hunter2@h/x.db", "sqlite://u:a/hunter2@h/x.db", "sqlite:u:hunter2@h?x"):
            with pytest.raises(InvalidUri) as caught:
                location(uri)
            assert "hunter2" not in f"{caught.value} {caught.value.hint}"
