"""Who hears of what the store refuses: those who wait for what they logged, and a flush."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dovetail
from dovetail.errors import NotFound, ParamConflict, RunEnded, StoreUnavailable
from dovetail.tracking.journal.refusals import Refusals
from dovetail.values import Batch, Metric, Param

if TYPE_CHECKING:
    from collections.abc import Callable

LATE: list[tuple[str, Callable[[bool], Any]]] = [
    ("log_param", lambda synchronous: dovetail.log_param("depth", 4, synchronous)),
    ("log_params", lambda synchronous: dovetail.log_params({"lr": 1, "depth": 4}, synchronous)),
]


def elsewhere(store: Any, run_id: str, **params: str) -> None:
    """Another process logs params."""
    store.log_batch(run_id, Batch(params=tuple(Param(key, value) for key, value in params.items())))


@pytest.fixture
def run_id(distant: Any) -> Any:
    """An active run that this process has looked at already."""
    with dovetail.start_run() as run:
        dovetail.log_metric("loss", 1, synchronous=True)
        yield run.info.run_id


@pytest.mark.parametrize("call", [call for _, call in LATE], ids=[name for name, _ in LATE])
class TestAParamThatAnotherProcessLoggedMeanwhile:
    def test_is_raised_by_a_call_that_waits(self, call: Callable[[bool], Any], distant: Any, run_id: str) -> None:
        elsewhere(distant, run_id, depth="3")
        with pytest.raises(ParamConflict, match="depth"):
            call(True)
        assert distant.get_run(run_id).data.params["depth"] == "3"
        dovetail.flush_async_logging()  # it was said

    def test_is_raised_where_it_is_waited_for(self, call: Callable[[bool], Any], distant: Any, run_id: str) -> None:
        elsewhere(distant, run_id, depth="3")
        waiting = call(False)
        for _ in range(2):
            with pytest.raises(ParamConflict, match="depth"):
                waiting.wait()
        dovetail.log_metric("loss", 2, step=1, synchronous=True)
        assert distant.get_run(run_id).data.metrics["loss"] == 2


class TestAFlush:
    def test_raises_the_first_refusal_and_does_so_once(self, distant: Any, run_id: str) -> None:
        elsewhere(distant, run_id, depth="3", lr="1")
        dovetail.log_param("depth", 4)
        dovetail.log_param("lr", 2)
        dovetail.log_metric("loss", 2, step=1)
        with pytest.raises(ParamConflict, match="depth"):
            dovetail.flush_async_logging()
        assert distant.get_run(run_id).data.metrics["loss"] == 2
        dovetail.flush_async_logging()

    def test_says_that_a_store_is_away_first(self, distant: Any, run_id: str) -> None:
        elsewhere(distant, run_id, depth="3")
        dovetail.log_param("depth", 4)
        dovetail.get_run(run_id)
        distant.away = True
        dovetail.log_metric("loss", 2, step=1)
        with pytest.raises(StoreUnavailable):
            dovetail.flush_async_logging()
        distant.away = False
        with pytest.raises(ParamConflict):
            dovetail.flush_async_logging()


class TestARunThatIsDeletedMeanwhile:
    def test_is_raised_by_a_call_that_waits(self, distant: Any) -> None:
        run_id = dovetail.Client().create_run("0").info.run_id
        dovetail.log_metric("loss", 1, run_id=run_id, synchronous=True)
        distant.delete_run(run_id)
        for _ in range(2):
            with pytest.raises(RunEnded, match="deleted"):
                dovetail.log_metric("loss", 2, step=1, run_id=run_id, synchronous=True)
        with pytest.raises(RunEnded, match="deleted"):
            dovetail.set_tag("a", "b", run_id=run_id, synchronous=True)

    def test_and_taken_back_is_a_run_like_any_other(self, distant: Any) -> None:
        run_id = dovetail.Client().create_run("0").info.run_id
        dovetail.log_metric("loss", 1, run_id=run_id, synchronous=True)
        distant.delete_run(run_id)
        with pytest.raises(RunEnded):
            dovetail.log_metric("loss", 2, step=1, run_id=run_id, synchronous=True)
        distant.restore_run(run_id)
        dovetail.log_metric("loss", 2, step=1, run_id=run_id, synchronous=True)
        assert distant.get_run(run_id).data.metrics == {"loss": 2}

    def test_keeps_no_call_about_another_run_from_returning(self, distant: Any, run_id: str) -> None:
        other = dovetail.Client().create_run("0").info.run_id
        dovetail.log_metric("loss", 1, run_id=other, synchronous=True)
        distant.delete_run(other)
        dovetail.log_metric("loss", 2, step=1, run_id=other)
        dovetail.log_metric("loss", 3, step=2, synchronous=True)
        assert distant.get_run(run_id).data.metrics == {"loss": 3}


class TestRefusals:
    def test_are_raised_anew_each_time(self) -> None:
        """An error that was raised keeps alive what was at hand where it was."""
        refusals, batch = Refusals(), Batch((Metric("loss", 1),))
        refusals.add("r", batch, NotFound("Gone.", hint="Look."))
        raised = []
        for _ in range(2):
            with pytest.raises(NotFound, match="Gone") as error:
                refusals.require_none(0, "r", batch)
            raised.append(error.value)
        assert raised[0] is not raised[1]
        assert raised[0].hint == "Look."

    def test_of_before_are_no_news(self) -> None:
        refusals, batch = Refusals(), Batch((Metric("loss", 1),))
        refusals.add("r", batch, NotFound("Gone."))
        refusals.require_none(refusals.count, "r", batch)
        refusals.add("r", Batch((Metric("acc", 1),)), NotFound("Gone."))
        refusals.require_none(1, "r", batch)
