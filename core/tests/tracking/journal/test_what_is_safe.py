"""What those hear of whose store is away: what of theirs is safe, and what is not."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail import locations
from dovetail.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAFE = "Metrics, params and tags that were logged before are safe on this machine"
PIXEL = [[0]]


@pytest.fixture
def distant(distant: Any, tmp_path: Path) -> Any:
    """The store, whose artifacts lie elsewhere."""
    dovetail.set_experiment(experiment_id=dovetail.create_experiment("a", (tmp_path / "artifacts").as_uri()))
    return distant


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"1")
    return path


class TestAnArtifactWhoseStoreIsAway:
    @pytest.mark.parametrize(
        ("name", "log"),
        [
            ("a.txt", lambda to, file, *run: to.log_text(*run, "a", "a.txt")),
            ("a.json", lambda to, file, *run: to.log_dict(*run, {"a": 1}, "a.json")),
            ("a.json", lambda to, file, *run: to.log_table(*run, {"a": [1]}, "a.json")),
            ("a.png", lambda to, file, *run: to.log_image(*run, PIXEL, "a.png")),
            ("series", lambda to, file, *run: to.log_image(*run, PIXEL, key="series")),
            ("a.png", lambda to, file, *run: to.log_figure(*run, None, "a.png")),
            ("a.bin", lambda to, file, *run: to.log_stream(*run, io.BytesIO(b"1"), "a.bin")),
            ("weights.bin", lambda to, file, *run: to.log_artifact(*run, file)),
            ("weights", lambda to, file, *run: to.log_artifacts(*run, file.with_name("weights"))),
        ],
    )
    def test_is_said_not_to_be_stored(self, distant: Any, file: Path, name: str, log: Callable[..., None]) -> None:
        with dovetail.start_run() as run:
            for waiting in (False, True):
                distant.away = True
                if waiting:
                    dovetail.log_metric("loss", 1)
                for to, ids in ((dovetail, ()), (dovetail.Client(), (run.info.run_id,))):
                    with pytest.raises(StoreUnavailable) as raised:
                        log(to, file, *ids)
                    assert f"{name}' was not stored: " in raised.value.message
                    assert (SAFE in str(raised.value)) is waiting
                    assert ("DOVETAIL_DRAIN_TIMEOUT" in str(raised.value)) is waiting
            distant.away = False
        assert dovetail.get_run(run.info.run_id).data.metrics == {"loss": 1.0}
        assert dovetail.Client().list_artifacts(run.info.run_id) == []

    def test_and_was_cut_off_on_its_way_may_not_be_stored(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        with dovetail.start_run():
            dovetail.log_text("a", "a.txt")
            store = locations.artifact_store(dovetail.get_artifact_uri())

            def gone(*_: Any) -> None:
                raise StoreUnavailable("The line went dead.")

            monkeypatch.setattr(type(store), "put", gone)
            with pytest.raises(StoreUnavailable, match=r"'b\.txt' may not have been stored: The line went dead"):
                dovetail.log_text("b", "b.txt")
            waiting = dovetail.log_image(PIXEL, "c.png", synchronous=False)
            with pytest.raises(StoreUnavailable, match=r"'c\.png' may not have been stored"):
                waiting.wait()


class TestWhoeverWaitsForAStoreThatIsAway:
    @pytest.mark.parametrize("call", [dovetail.search_runs, lambda: dovetail.start_run(nested=True)])
    def test_hears_that_only_what_was_logged_is_safe(self, distant: Any, call: Callable[[], Any]) -> None:
        with dovetail.start_run():
            distant.away = True
            dovetail.log_metric("loss", 1)
            with pytest.raises(StoreUnavailable, match=r"The store is away\.") as raised:
                call()
            assert raised.value.hint is not None
            assert raised.value.hint.startswith(SAFE)
            assert "DOVETAIL_DRAIN_TIMEOUT" in raised.value.hint
            distant.away = False

    def test_hears_the_same_of_one_that_does_not_answer(self, distant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = threading.Event()
        monkeypatch.setattr(distant, "log_batch", lambda *_, **__: answers.wait(60))
        with dovetail.start_run():
            dovetail.log_metric("loss", 1)
            with pytest.raises(StoreUnavailable, match=r"'a\.txt' was not stored: .*has not answered for") as raised:
                dovetail.log_text("a", "a.txt")
            assert SAFE in str(raised.value)
            answers.set()
