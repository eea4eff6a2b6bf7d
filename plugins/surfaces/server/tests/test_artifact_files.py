"""Artifacts by what they belong to: runs, logged models and versions of registered models."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from dovetail import locations

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
FILES = "/ajax-api/2.0/mlflow/logged-models/{}/artifacts/files"


def put(ask: Any, path: str, content: bytes) -> None:
    assert ask("PUT", f"{PROXY}/{path}", content, headers={"content-type": "application/octet-stream"}).status == 200


def get(ask: Any, path: str) -> Any:
    return ask("GET", f"{PROXY}/{path}")


def code(answered: Any) -> tuple[int, str]:
    return answered.status, answered.data["error_code"]


def new_run(ask: Any) -> str:
    return str(ask("POST", "runs/create", {"experiment_id": "0"}).data["run"]["info"]["run_id"])


def location(ask: Any, run_id: str) -> str:
    uri: str = ask("GET", "runs/get", query={"run_id": run_id}).data["run"]["info"]["artifact_uri"]
    return uri.removeprefix("mlflow-artifacts:/")


class TestARun:
    def test_lists_its_artifacts_by_their_paths_below_it(self, ask: Any) -> None:
        run_id = new_run(ask)
        place = location(ask, run_id)
        put(ask, f"{place}/d/a.txt", b"abc")
        put(ask, f"{place}/top.svg", b"abc")
        found = ask("GET", "artifacts/list", query={"run_id": run_id}).data
        assert found["root_uri"] == f"mlflow-artifacts:/{place}"
        assert found["files"] == [
            {"path": "d", "is_dir": True},
            {"path": "top.svg", "is_dir": False, "file_size": 3},
        ]
        found = ask("GET", "artifacts/list", query={"run_uuid": run_id, "path": "d"}).data
        assert found["files"] == [{"path": "d/a.txt", "is_dir": False, "file_size": 3}]
        for path in ("d/a.txt", "missing"):
            found = ask("GET", "artifacts/list", query={"run_id": run_id, "path": path}).data
            assert found == {"root_uri": f"mlflow-artifacts:/{place}"}

    def test_has_its_files_served_as_attachments(self, ask: Any) -> None:
        run_id = new_run(ask)
        put(ask, f"{location(ask, run_id)}/d/a b.txt", b"abc")
        for name in ("run_id", "run_uuid"):
            answered = ask("GET", "/get-artifact", query={name: run_id, "path": "d/a b.txt"})
            assert (answered.status, answered.body) == (200, b"abc")
            assert answered.headers["content-disposition"].startswith('attachment; filename="a b.txt"')

    def test_takes_a_file_from_a_page(self, ask: Any) -> None:
        run_id = new_run(ask)
        query = {"run_uuid": run_id, "path": "up/x.txt"}
        answered = ask("POST", "/ajax-api/2.0/mlflow/upload-artifact", b"hello", query, {"content-type": "text/plain"})
        assert (answered.status, answered.data) == (200, {})
        assert get(ask, f"{location(ask, run_id)}/up/x.txt").body == b"hello"
        for path in ("../x", "", None):
            query = {"run_uuid": run_id} if path is None else {"run_uuid": run_id, "path": path}
            assert ask("POST", "/ajax-api/2.0/mlflow/upload-artifact", b"hello", query).status == 400

    def test_is_refused_what_is_not_there_or_not_its_own(self, ask: Any) -> None:
        run_id, other = new_run(ask), new_run(ask)
        put(ask, f"{location(ask, other)}/secret", b"x")

        def status(where: str, **query: str) -> int:
            return int(ask("GET", where, query=query).status)

        assert status("/get-artifact", run_id=run_id, path="missing") == 404
        assert status("/get-artifact", run_id="0" * 32, path="x") == 404
        assert status("/get-artifact", run_id=run_id) == 400
        assert status("/get-artifact", path="x") == 400
        for path in (f"../../{other}/artifacts/secret", "%2e%2e/x", "%252e%252e/x", "/etc/passwd"):
            assert status("/get-artifact", run_id=run_id, path=path) == 400
            assert status("artifacts/list", run_id=run_id, path=path) == 400
        assert status("artifacts/list", run_id="0" * 32) == 404
        assert status("artifacts/list") == 400
        assert status("artifacts/list", run_id=run_id, page_token="x") == 400

    def test_whose_artifacts_lie_elsewhere_is_not_opened(self, ask: Any, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "secret").write_text("secret")
        made = ask("POST", "experiments/create", {"name": "e", "artifact_location": "s3://bucket/e"})
        run = ask("POST", "runs/create", {"experiment_id": made.data["experiment_id"]}).data["run"]["info"]
        assert run["artifact_uri"].startswith("s3://bucket/e/")
        for path, query in (("/get-artifact", {"path": "x"}), ("artifacts/list", {})):
            answered = ask("GET", path, query={"run_id": run["run_id"], **query})
            assert code(answered) == (501, "NOT_IMPLEMENTED")


class TestAPlace:
    def test_is_reached_through_the_server_only(self, ask: Any) -> None:
        run_id = new_run(ask)
        for path in ("artifacts/presigned-upload-url", "artifacts/presigned-download-url"):
            assert code(ask("POST", path, {"run_id": run_id, "path": "x"})) == (400, "INVALID_PARAMETER_VALUE")
            assert ask("POST", path, {"run_id": "0" * 32, "path": "x"}).status == 404


class TestAModel:
    @pytest.fixture
    def made(self, ask: Any) -> tuple[Any, str]:
        found = ask("POST", "logged-models", {"experiment_id": "0", "name": "m"}).data["model"]["info"]
        put(ask, f"{found['artifact_uri'].removeprefix('mlflow-artifacts:/')}/MLmodel", b"flavors: {}")
        return ask, found["model_id"]

    def test_lists_its_files(self, made: tuple[Any, str]) -> None:
        ask, model_id = made
        found = ask("GET", f"logged-models/{model_id}/artifacts/directories").data
        assert found["files"] == [{"path": "MLmodel", "is_dir": False, "file_size": 11}]
        assert found["root_uri"].endswith(f"/models/{model_id}/artifacts")
        query = {"artifact_directory_path": "missing"}
        assert "files" not in ask("GET", f"logged-models/{model_id}/artifacts/directories", query=query).data
        assert ask("GET", f"logged-models/m-{'0' * 32}/artifacts/directories").status == 404

    def test_has_its_files_served(self, made: tuple[Any, str]) -> None:
        ask, model_id = made
        found = ask("GET", FILES.format(model_id), query={"artifact_file_path": "MLmodel"})
        assert (found.status, found.body) == (200, b"flavors: {}")
        assert ask("GET", FILES.format(model_id), query={"artifact_file_path": "missing"}).status == 404
        assert ask("GET", FILES.format(model_id), query={"artifact_file_path": "../x"}).status == 400
        assert ask("GET", FILES.format(model_id)).status == 400
        assert ask("GET", FILES.format(f"m-{'0' * 32}"), query={"artifact_file_path": "MLmodel"}).status == 404

    def test_has_the_files_of_its_versions_served(self, made: tuple[Any, str]) -> None:
        ask, model_id = made
        ask("POST", "registered-models/create", {"name": "reg"})
        ask("POST", "model-versions/create", {"name": "reg", "source": f"models:/{model_id}", "model_id": model_id})

        def answered(**query: str) -> Any:
            return ask("GET", "/model-versions/get-artifact", query=query)

        found = answered(name="reg", version="1", path="MLmodel")
        assert (found.status, found.body) == (200, b"flavors: {}")
        assert answered(name="reg", version="9", path="MLmodel").status == 404
        assert answered(name="other", version="1", path="MLmodel").status == 404
        assert answered(name="reg", version="x", path="MLmodel").status == 400
        assert answered(name="reg", version="1", path="../x").status == 400
        assert answered(name="reg", version="1").status == 400


def test_what_is_served_lies_where_the_store_puts_it(ask: Any) -> None:
    """So that whoever opens the database itself finds it."""
    run_id = new_run(ask)
    put(ask, f"{location(ask, run_id)}/a b#c.txt", b"abc")
    run = ask.site.tracking.get_run(run_id)
    assert locations.artifact_store(run.info.artifact_uri).local_path("a b#c.txt") is not None
    assert Path(unquote(run.info.artifact_uri.removeprefix("file://")), "a b#c.txt").read_bytes() == b"abc"
