"""What a log call costs beside the store's own work: counted, not timed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dovetail as mlflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_heard: list[str] | None = None
# What touches the file system or looks for modules; an audit hook cannot be removed, so it is one and can be deaf.
_EVENTS = ("open", "import", "os.listdir", "os.scandir", "os.chdir", "glob.glob", "subprocess.Popen")


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event in _EVENTS:
        _heard.append(f"{event} {arguments[:1]}")


sys.addaudithook(_listen)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The file-system events of this process from now on."""
    global _heard  # noqa: PLW0603 - the hook above listens for it
    _heard = []
    yield _heard
    _heard = None


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are asked for by os.stat from now on; it raises no audit event."""
    paths: list[str] = []
    stat = os.stat

    def noted(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        paths.append(str(path))
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", noted)
    return paths


LOGS: list[Callable[[int], Any]] = [
    lambda step: mlflow.log_metric("loss", 0.5, step=step),
    lambda step: mlflow.log_metrics({"a": 1, "b": 2}, step=step),
    lambda step: mlflow.log_param(f"param{step}", step),
    lambda step: mlflow.log_params({f"a{step}": 1}),
    lambda step: mlflow.set_tag("step", step),
]


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("place", ["by default", "by variable", "by file", "by call"])
def test_logging_to_the_active_run_opens_no_file_and_asks_for_no_setting(
    log: Callable[[int], Any], place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dovetail_sqlite")
    track(place, monkeypatch)
    with mlflow.start_run():
        log(0)  # the first call imports what it needs and opens the database
        heard: list[str] = request.getfixturevalue("heard")
        looked_at: list[str] = request.getfixturevalue("looked_at")
        for step in range(1, 51):
            log(step)
        assert heard == []
        # The store looks whether its file is still the same one; nobody looks for anything else.
        assert {path.rpartition("/")[2] for path in looked_at} <= {"runs.db", "dovetail.db"}
        assert len(looked_at) <= 50


def track(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "by variable":
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", "runs.db")
    elif place == "by call":
        mlflow.set_tracking_uri("sqlite:///runs.db")
    elif place == "by file":
        with open("dovetail.toml", "w", encoding="utf-8") as file:  # noqa: PTH123 - as short as it gets
            file.write('tracking_uri = "sqlite:///runs.db"\n')


CALLS: list[Callable[[mlflow.Client, str, int], Any]] = [
    lambda client, run_id, step: client.log_metric(run_id, "loss", 0.5, step=step),
    # In all fewer points than those after which a store on disk packs a run's history; that loads what packs.
    lambda client, run_id, step: client.log_batch(run_id, [mlflow.Metric("loss", 0.5, step=step)] * 500),
    lambda client, run_id, step: client.log_param(run_id, f"param{step}", step),
    lambda client, run_id, step: client.get_run(run_id),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("store_uri", ["memory://here", "sqlite:///runs.db"])
def test_a_client_with_a_uri_asks_for_no_setting_either(
    call: Callable[[mlflow.Client, str, int], Any], store_uri: str, heard: list[str], looked_at: list[str]
) -> None:
    if store_uri.startswith("sqlite"):
        pytest.importorskip("dovetail_sqlite")
    client = mlflow.Client(store_uri)
    run_id = client.create_run("0").info.run_id
    call(client, run_id, 0)
    heard.clear()
    looked_at.clear()
    for step in range(1, 21):
        call(client, run_id, step)
    assert heard == []
    # sqlite's store looks at each call whether its file is still the same one.
    assert {path.rpartition("/")[2] for path in looked_at} <= {"runs.db"}
    assert len(looked_at) <= 20


def test_a_change_of_the_environment_between_runs_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("memory://first", "memory://second"):
        monkeypatch.setenv("DOVETAIL_TRACKING_URI", name)
        mlflow.log_metric("loss", 1)
        assert len(mlflow.search_runs(output_format="list")) == 1
        mlflow.end_run()
