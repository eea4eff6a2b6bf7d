"""What a version may be made of: the server never takes a client's word for where something lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.errors import InvalidUri
from dovetail.values import LoggedModelOutput, NewLoggedModel, NewModelVersion, NewRun
from dovetail_server.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Answered, Asking
    from dovetail.values import LoggedModel, RunInfo


@dataclass
class Cellar:
    """A server with a registered model, a run, and a logged model that this run made.

    Args:
        ask: Sends requests to it.
        run: The run.
        model: The logged model.
    """

    ask: Asking
    run: RunInfo
    model: LoggedModel

    def registered(self, source: str, **fields: Any) -> Answered:
        """Register a version."""
        return self.ask("POST", "model-versions/create", {"name": "wine", "source": source, **fields})

    def kept(self, source: str, **fields: Any) -> tuple[str, str | None, str | None]:
        """What the registry has of a version that is registered: its source, run and model."""
        answer = self.registered(source, **fields)
        assert answer.status == 200, answer.body
        version = self.ask.site.registry.get_model_version("wine", int(answer.data["model_version"]["version"]))
        return version.source, version.run_id, version.model_id

    def place(self) -> str:
        """Where clients are told that the files of the newest version are."""
        number = self.ask.site.registry.search_model_versions(order_by=["version_number DESC"])[0].version
        asked = {"name": "wine", "version": str(number)}
        return str(self.ask("GET", "model-versions/get-download-uri", query=asked).data["artifact_uri"])


def cellar_of(ask: Asking, experiment: str = "0") -> Cellar:
    tracking = ask.site.tracking
    run = tracking.create_run(NewRun(experiment)).info
    model = tracking.create_logged_model(NewLoggedModel(experiment, "red", source_run_id=run.run_id))
    tracking.log_outputs(run.run_id, [LoggedModelOutput(model.model_id)])
    ask.site.registry.create_registered_model("wine")
    return Cellar(ask, run, model)


@pytest.fixture
def cellar(ask: Asking) -> Cellar:
    return cellar_of(ask)


class TestASourceThatIsARun:
    def test_stays_one(self, cellar: Cellar) -> None:
        run_id = cellar.run.run_id
        assert cellar.kept(f"runs:/{run_id}/a/model", run_id=run_id) == (f"runs:/{run_id}/a/model", run_id, None)
        assert cellar.place() == f"mlflow-artifacts:/0/{run_id}/artifacts/a/model"

    def test_says_itself_which_run_it_is(self, cellar: Cellar) -> None:
        run_id = cellar.run.run_id
        assert cellar.kept(f"runs:/{run_id}/model") == (f"runs:/{run_id}/model", run_id, None)

    def test_is_a_logged_model_where_it_is_called_like_one(self, cellar: Cellar) -> None:
        run_id, model_id = cellar.run.run_id, cellar.model.model_id
        assert cellar.kept(f"runs:/{run_id}/red", run_id=run_id) == (f"models:/{model_id}", run_id, model_id)
        assert cellar.place() == f"mlflow-artifacts:/0/models/{model_id}/artifacts"

    def test_is_of_no_other_run(self, cellar: Cellar) -> None:
        other = cellar.ask.site.tracking.create_run(NewRun("0")).info.run_id
        answer = cellar.registered(f"runs:/{cellar.run.run_id}/model", run_id=other)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert other in answer.data["message"]

    def test_must_be_known(self, cellar: Cellar) -> None:
        answer = cellar.registered(f"runs:/{'0' * 32}/model", run_id="0" * 32)
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_must_not_be_deleted(self, cellar: Cellar) -> None:
        cellar.ask.site.tracking.delete_run(cellar.run.run_id)
        answer = cellar.registered(f"runs:/{cellar.run.run_id}/model", run_id=cellar.run.run_id)
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_whose_files_lie_elsewhere_is_not_looked_at(self, ask: Asking) -> None:
        cellar = cellar_of(ask, ask.site.tracking.create_experiment("far", "s3://bucket/far"))
        run_id = cellar.run.run_id
        assert cellar.kept(f"runs:/{run_id}/red", run_id=run_id) == (f"runs:/{run_id}/red", run_id, None)
        assert cellar.place() == f"s3://bucket/far/{run_id}/artifacts/red"


class TestASourceThatIsALoggedModel:
    @pytest.mark.parametrize("named", [True, False])
    def test_stays_one_with_the_run_that_made_it(self, cellar: Cellar, *, named: bool) -> None:
        model_id = cellar.model.model_id
        fields = {"model_id": model_id} if named else {}
        kept = cellar.kept(f"models:/{model_id}", **fields)
        assert kept == (f"models:/{model_id}", cellar.run.run_id, model_id)
        assert cellar.place() == f"mlflow-artifacts:/0/models/{model_id}/artifacts"

    @pytest.mark.parametrize("fields", [{"model_id": "m-" + "0" * 32}, {"run_id": "0" * 32}])
    def test_is_no_other_one(self, cellar: Cellar, fields: dict[str, str]) -> None:
        answer = cellar.registered(f"models:/{cellar.model.model_id}", **fields)
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("source", [f"models:/m-{'0' * 32}", "s3://bucket/x"])
    def test_must_be_known(self, cellar: Cellar, source: str) -> None:
        answer = cellar.registered(source, model_id="m-" + "0" * 32)
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_is_found_although_it_is_deleted_meanwhile(self, cellar: Cellar) -> None:
        cellar.kept(f"models:/{cellar.model.model_id}")
        cellar.ask.site.tracking.delete_logged_model(cellar.model.model_id)
        assert cellar.place() == f"mlflow-artifacts:/0/models/{cellar.model.model_id}/artifacts"
        assert cellar.registered(f"models:/{cellar.model.model_id}").status == 404


class TestASourceThatIsAPlaceAmongTheArtifacts:
    @pytest.mark.parametrize("path", ["/model", "/my model", "/größe/a", "", "//model/"])
    def test_becomes_the_run_whose_artifacts_they_are(self, cellar: Cellar, path: str) -> None:
        run_id = cellar.run.run_id
        source = f"mlflow-artifacts:/0/{run_id}/artifacts{path}"
        clean = f"/{path.strip('/')}".rstrip("/")
        assert cellar.kept(source, run_id=run_id) == (f"runs:/{run_id}{clean}", run_id, None)
        assert cellar.place() == f"mlflow-artifacts:/0/{run_id}/artifacts{clean}"

    def test_becomes_the_logged_model_whose_artifacts_they_are(self, cellar: Cellar) -> None:
        model_id = cellar.model.model_id
        source = f"mlflow-artifacts:/0/models/{model_id}/artifacts"
        assert cellar.kept(source, model_id=model_id) == (f"models:/{model_id}", cellar.run.run_id, model_id)
        cellar.kept(f"{source}/part", model_id=model_id)
        assert cellar.place() == f"{source}/part"

    @pytest.mark.parametrize("written", ["{path}/model", "file://{path}/model", "file:{path}/model"])
    def test_may_be_a_path_of_the_server(self, cellar: Cellar, written: str) -> None:
        run_id = cellar.run.run_id
        source = written.format(path=cellar.run.artifact_uri.removeprefix("file://"))
        assert cellar.kept(source, run_id=run_id) == (f"runs:/{run_id}/model", run_id, None)

    def test_needs_to_be_said_of_what(self, cellar: Cellar) -> None:
        run_id, model_id = cellar.run.run_id, cellar.model.model_id
        other = cellar.ask.site.tracking.create_run(NewRun("0")).info.run_id
        of_run, of_model = (
            f"mlflow-artifacts:/0/{run_id}/artifacts/x",
            f"mlflow-artifacts:/0/models/{model_id}/artifacts",
        )
        for source, fields in (
            (of_run, {}),
            (of_run, {"run_id": other}),
            (of_run, {"model_id": model_id}),
            (of_model, {}),
            (of_model, {"run_id": run_id}),
            (of_model, {"model_id": model_id, "run_id": other}),
            (f"mlflow-artifacts:/0/{run_id}/artifacts-not", {"run_id": run_id}),
            (f"mlflow-artifacts:/0/{run_id}", {"run_id": run_id}),
            ("mlflow-artifacts:/", {"run_id": run_id}),
            (cellar.run.artifact_uri, {}),
        ):
            answer = cellar.registered(source, **fields)
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), (source, fields)
        assert not cellar.ask.site.registry.search_model_versions()

    def test_lies_in_an_object_store_that_the_server_reaches(self, opened: Callable[..., Asking]) -> None:
        ask = opened(artifact_root="memory://bucket/root")
        cellar = cellar_of(ask, ask.site.tracking.create_experiment("far", "memory://bucket/root/far"))
        run_id = cellar.run.run_id
        source = f"memory://bucket/root/far/{run_id}/artifacts/x"
        assert cellar.registered(source).status == 400
        assert cellar.kept(source, run_id=run_id) == (f"runs:/{run_id}/x", run_id, None)
        assert cellar.place() == f"mlflow-artifacts:/far/{run_id}/artifacts/x"

    def test_is_what_it_is_where_the_server_passes_on_nothing(self, opened: Callable[..., Asking]) -> None:
        cellar = cellar_of(opened(serves_artifacts=False))
        run_id = cellar.run.run_id
        assert cellar.registered(f"mlflow-artifacts:/0/{run_id}/artifacts/x", run_id=run_id).status == 400
        cellar.kept(f"{cellar.run.artifact_uri}/x", run_id=run_id)
        assert cellar.place() == f"{cellar.run.artifact_uri}/x"

    def test_is_kept_as_a_place_by_a_registry_elsewhere(self, opened: Callable[..., Asking], tmp_path: Path) -> None:
        cellar = cellar_of(opened(registry_uri=f"sqlite:///{tmp_path}/models.db"))
        run_id, model_id = cellar.run.run_id, cellar.model.model_id
        shown = f"mlflow-artifacts:/0/{run_id}/artifacts/x"
        for source in (f"runs:/{run_id}/x", shown):
            assert cellar.kept(source, run_id=run_id) == (f"{cellar.run.artifact_uri}/x", run_id, None)
            assert cellar.place() == shown
        assert cellar.kept(f"models:/{model_id}")[0] == cellar.model.artifact_location
        assert cellar.registered(f"models:/{model_id}").data["model_version"]["source"] == (
            f"mlflow-artifacts:/0/models/{model_id}/artifacts"
        )


class TestASourceThatIsElsewhere:
    @pytest.mark.parametrize(
        "source",
        [
            "s3://bucket/x",
            "S3://bucket/a..b/",
            "gs://bucket//x",
            "dbfs:/x/y",
            "wasbs://c@a.blob.core.windows.net/x",
            "s3://bucket/run:1/x?versionId=3",
            "other://x/y",
        ],
    )
    def test_is_kept_as_it_is_and_not_opened(self, cellar: Cellar, source: str) -> None:
        assert cellar.kept(source, run_id=cellar.run.run_id) == (source, cellar.run.run_id, None)
        assert cellar.place() == source
        asked = {"name": "wine", "version": "1", "path": "x"}
        assert cellar.ask("GET", "/model-versions/get-artifact", query=asked).status == 501

    def test_may_be_of_a_run_that_is_tracked_elsewhere(self, cellar: Cellar) -> None:
        assert cellar.kept("s3://bucket/x", run_id="a" * 32) == ("s3://bucket/x", "a" * 32, None)

    def test_is_of_the_run_that_made_the_model(self, cellar: Cellar) -> None:
        model_id = cellar.model.model_id
        assert cellar.kept("s3://bucket/x", model_id=model_id) == ("s3://bucket/x", cellar.run.run_id, model_id)


HOSTILE = [
    "/etc/passwd",
    "etc",
    "./x",
    "..",
    "../../etc/passwd",
    "~/x",
    "~root/x",
    "C:\\x",
    "C:/x",
    "\\\\server\\share",
    "//server/share",
    " ",
    "file:///etc",
    "file:///etc/passwd#/artifacts",
    "file:///etc/passwd?/artifacts",
    "file://host/etc",
    "file://localhost/etc",
    "FILE:///etc",
    "file:etc",
    "file:.",
    "local:/etc",
    "simplecache::file:///etc",
    "zip://x::file:///etc",
    "http://169.254.169.254/latest",
    "HTTPS://host/x",
    "http://host/api/2.0/mlflow-artifacts/artifacts/0",
    "ftp://host/x",
    "sftp://user:secret@host/x",
    "hdfs://host/x",
    "abfss://c@evil.example/x",
    "r2://x/y",
    "b2://x/y",
    "mlflow-artifacts://host:80/0",
    "mlflow-artifacts:///0",
    "mlflow-artifacts:0",
    "MLFLOW-ARTIFACTS:/0",
    "foo:bar",
    "data:text/plain,x",
    "s3://bucket/../x",
    "s3://bucket/x/..",
    "s3://bucket/%2e%2e/x",
    "s3://bucket/%252e%252e/x",
    "s3://bucket/%25%32%65%25%32%65/x",
    "s3://bucket/.. /x",
    "s3://bucket/..%5cx",
    "s3://bucket/..\\x",
    "s3://bucket/x?y=../..",
    "s3://bucket/x#../..",
    "s3://bucket/x;../..",
    "s3://bucket/x%00",
    "s3://bucket/\n",
    "s3://bucket/\r\nx",
    "s3://bucket/\ud800",
    "s3://../x",
    "prompt-template",
    "runs:/",
    "runs:x",
    "runs://host/x",
    "runs:///x",
    "models:/",
    "models:x",
    "models://host/x/1",
    "models:/a/b/c/d",
    "models:/wine/1/part",
    "models:/../1",
]
BELOW = [
    "..",
    "../other",
    "%2e%2e/x",
    "%252e%252e",
    "..%2fx",
    "a/../../x",
    "a\\..\\x",
    "a%00",
    "a\nb",
    "/../x",
    "x?../y",
]


class TestASourceThatIsRefused:
    def test_is_whatever_may_lead_to_another_place(self, cellar: Cellar) -> None:
        cellar.ask.site.registry.create_model_version(NewModelVersion("wine", "s3://bucket/x"))
        for source in HOSTILE:
            for fields in ({}, {"run_id": cellar.run.run_id}, {"model_id": cellar.model.model_id}):
                answer = cellar.registered(source, **fields)
                assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), (source, fields)
                assert "secret" not in answer.data["message"]
        assert len(cellar.ask.site.registry.search_model_versions()) == 1

    def test_is_whatever_leads_out_of_a_run(self, cellar: Cellar) -> None:
        run_id = cellar.run.run_id
        roots = (f"runs:/{run_id}", f"mlflow-artifacts:/0/{run_id}/artifacts", cellar.run.artifact_uri)
        for source in [f"{root}/{path}" for root in roots for path in BELOW if path != "x?../y"]:
            answer = cellar.registered(source, run_id=run_id)
            assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), source
        assert not cellar.ask.site.registry.search_model_versions()

    def test_does_not_say_what_lies_on_the_server(self, cellar: Cellar, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        there, not_there = (cellar.registered(f"{tmp_path}/{name}").data["message"] for name in ("there", "none!"))
        assert there.replace("there", "none!") == not_there


class Accounts:
    """A plugin that lets everybody do everything, but read what somebody hides."""

    def __init__(self) -> None:
        self.hidden = ""

    @hookimpl
    def dovetail_authenticate(self) -> str:
        return "ada"

    @hookimpl
    def dovetail_authorize(self, action: str, resource: str) -> bool:
        return (action, resource) != ("read", self.hidden)


class TestASourceThatSomebodyMayNotRead:
    def test_is_not_read_by_way_of_a_version(
        self, opened: Callable[..., Asking], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known, accounts = plugins.Plugins(()), Accounts()
        known.register(accounts)
        monkeypatch.setattr("dovetail_server.access.plugins.ask", known.ask)
        cellar = cellar_of(opened(options={"access": "plugins"}))
        run_id, model_id = cellar.run.run_id, cellar.model.model_id
        cellar.ask.site.registry.create_registered_model("hidden")
        cellar.ask.site.registry.create_model_version(NewModelVersion("hidden", f"runs:/{run_id}/x"))
        for hidden, source, fields in (
            (f"run/{run_id}", f"runs:/{run_id}/x", {}),
            (f"run/{run_id}", f"mlflow-artifacts:/0/{run_id}/artifacts/x", {"run_id": run_id}),
            (f"logged_model/{model_id}", f"runs:/{run_id}/red", {}),
            (f"logged_model/{model_id}", f"models:/{model_id}", {}),
            (f"logged_model/{model_id}", f"mlflow-artifacts:/0/models/{model_id}/artifacts", {"model_id": model_id}),
            ("model_version/hidden", "models:/hidden/1", {}),
            ("model_version/hidden", "models:/hidden/9", {}),
        ):
            accounts.hidden = hidden
            answer = cellar.registered(source, **fields)
            assert (answer.status, answer.data["error_code"]) == (403, "PERMISSION_DENIED"), source
        accounts.hidden = ""
        version = cellar.registered("models:/hidden/1").data["model_version"]
        assert version["user_id"] == "ada"


class TestTheFilesOfAVersion:
    """What was registered otherwise, by an import say, is read as it stands."""

    def place(self, cellar: Cellar, source: str) -> str:
        version = cellar.ask.site.registry.create_model_version(NewModelVersion("wine", source))
        return Sources(cellar.ask.site).place(version)

    def test_are_those_of_the_version_it_is_a_copy_of(self, cellar: Cellar) -> None:
        first = f"runs:/{cellar.run.run_id}/a"
        assert self.place(cellar, first) == f"{cellar.run.artifact_uri}/a"
        assert self.place(cellar, "models:/wine/1") == f"{cellar.run.artifact_uri}/a"
        assert self.place(cellar, "models:/wine/2/b") == f"{cellar.run.artifact_uri}/a/b"

    def test_are_nowhere_if_versions_only_name_each_other(self, cellar: Cellar) -> None:
        with pytest.raises(InvalidUri, match="leads to no files"):
            self.place(cellar, "models:/wine/1")
        answer = cellar.ask("GET", "model-versions/get-download-uri", query={"name": "wine", "version": "1"})
        assert (answer.status, answer.data["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    @pytest.mark.parametrize("source", ["runs:/gone/a", f"models:/m-{'0' * 32}", "models:/wine/9"])
    def test_are_not_found_when_they_are_gone(self, cellar: Cellar, source: str) -> None:
        cellar.ask.site.registry.create_model_version(NewModelVersion("wine", source))
        answer = cellar.ask("GET", "model-versions/get-download-uri", query={"name": "wine", "version": "1"})
        assert (answer.status, answer.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    @pytest.mark.parametrize("source", ["prompt-template", "file://host/x", "C:\\x", "x\x7f"])
    def test_are_shown_also_where_the_source_is_no_place(self, cellar: Cellar, source: str) -> None:
        cellar.ask.site.registry.create_model_version(NewModelVersion("wine", source))
        found = cellar.ask("GET", "model-versions/search").data["model_versions"]
        assert [version["source"] for version in found] == [source]
