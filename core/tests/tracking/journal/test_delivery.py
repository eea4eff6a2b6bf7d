"""Bringing journals into a store: each record once, what is refused is kept, and nothing waits behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import StoreUnavailable
from dovetail.tracking.journal import records
from dovetail.tracking.journal.delivery import REFUSED, Delivery
from dovetail.tracking.journal.reader import JournalReader
from dovetail.values import Batch, Ending, Metric, NewLoggedModel, NewRun, Param, Tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.tracking.store import TrackingStore

LOSS = records.named(records.KEY, 1, "loss")


@pytest.fixture
def run_id(distant: Any) -> str:
    return str(distant.create_run(NewRun("0", "a")).info.run_id)


@pytest.fixture
def other_id(distant: Any) -> str:
    return str(distant.create_run(NewRun("0", "b")).info.run_id)


def named(number: int, run_id: str) -> bytes:
    return records.named(records.RUN, number, run_id)


def point(step: int, run: int = 1) -> bytes:
    return records.POINT_BODY.pack(records.POINT, run, 1, 1000 + step, step, float(step))


def rest(batch: Batch, run: int = 1) -> bytes:
    return records.NUMBERED.pack(records.BATCH, run) + records.batch_text(batch)


def tag(key: str, value: str, run: int = 1) -> bytes:
    return rest(Batch(tags=(Tag(key, value),)), run)


def param(key: str, value: str, run: int = 1) -> bytes:
    return rest(Batch(params=(Param(key, value),)), run)


def ship_all(store: TrackingStore, path: Path) -> Delivery:
    """As the next process does it."""
    delivery = Delivery(store, path.parent)
    with path.open("rb") as file:
        reader = JournalReader(file)
        while delivery.ship(reader):
            pass
    return delivery


def steps(store: TrackingStore, run_id: str) -> list[int]:
    return [each.step for each in store.get_metric_history(run_id, "loss")]


def refused(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / REFUSED).read_text("utf-8").splitlines()]


class TestWhatAJournalHolds:
    def test_is_in_the_store_afterwards(
        self, distant: Any, run_id: str, other_id: str, write: Callable[..., Path]
    ) -> None:
        path = write(
            named(1, run_id),
            LOSS,
            *map(point, range(5)),
            named(2, other_id),
            point(7, run=2),
            param("lr", "0.1"),
            tag("a", "b", run=2),
            records.end_body(2, Ending("FAILED", 5_000_000_000_000)),
        )
        ship_all(distant, path)
        assert (steps(distant, run_id), steps(distant, other_id)) == ([0, 1, 2, 3, 4], [7])
        first, second = distant.get_run(run_id), distant.get_run(other_id)
        assert (first.data.params, first.info.status) == ({"lr": "0.1"}, "RUNNING")
        assert second.data.tags["a"] == "b"
        assert (second.info.status, second.info.end_time) == ("FAILED", 5_000_000_000_000)

    def test_is_stored_in_one_go_for_each_run(
        self, distant: Any, run_id: str, other_id: str, write: Callable[..., Path]
    ) -> None:
        points = [point(step, run=1 + step % 2) for step in range(1000)]
        ship_all(distant, write(named(1, run_id), named(2, other_id), LOSS, *points))
        assert distant.written == 2

    def test_is_stored_once_however_often_it_is_brought(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        path = write(named(1, run_id), LOSS, point(0), tag("stage", "draft"))
        ship_all(distant, path)
        distant.log_batch(run_id, Batch(tags=(Tag("stage", "final"),)))
        ship_all(distant, path)
        assert steps(distant, run_id) == [0]
        assert distant.get_run(run_id).data.tags["stage"] == "final"

    def test_and_what_is_written_behind_it_later_too(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        """A process that dies had delivered some of what it wrote, in pieces that nobody else knows of."""
        path = write(named(1, run_id), LOSS, point(0), tag("stage", "draft"))
        ship_all(distant, path)
        distant.log_batch(run_id, Batch(tags=(Tag("stage", "final"),)))
        with path.open("ab") as file:
            file.write(records.sealed(point(1)))
        ship_all(distant, path)
        assert steps(distant, run_id) == [0, 1]
        assert distant.get_run(run_id).data.tags["stage"] == "final"

    def test_reaches_runs_that_have_ended_meanwhile(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        distant.update_run(run_id, status="FINISHED", end_time=5)
        ship_all(distant, write(named(1, run_id), LOSS, point(0), param("lr", "1")))
        assert (steps(distant, run_id), distant.get_run(run_id).data.params) == ([0], {"lr": "1"})


class TestAStoreThatGoesAway:
    def test_gets_the_rest_when_it_is_back(self, distant: Any, run_id: str, write: Callable[..., Path]) -> None:
        path = write(named(1, run_id), LOSS, *map(point, range(60_000)))  # three pieces
        delivery = Delivery(distant, path.parent)
        with path.open("rb") as file:
            reader = JournalReader(file)
            assert delivery.ship(reader)
            distant.away, before = True, reader.place
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    delivery.ship(reader)
                assert reader.place == before
            distant.away = False
            while delivery.ship(reader):
                pass
        assert steps(distant, run_id) == list(range(60_000))
        assert delivery.refusals.count == 0

    @pytest.mark.parametrize("trusted", [True, False], ids=["its own process", "another one"])
    def test_between_two_runs_gets_neither_twice(
        self, distant: Any, run_id: str, other_id: str, trusted: bool, write: Callable[..., Path]
    ) -> None:
        """What one of the runs got is not stored over what it got from elsewhere since."""
        path = write(named(1, run_id), named(2, other_id), tag("stage", "draft"), tag("stage", "draft", run=2))
        delivery, log_batch = Delivery(distant, path.parent), distant.log_batch

        def leaving(run: str, *args: Any, **options: Any) -> None:
            log_batch(run, *args, **options)
            distant.away = True

        distant.log_batch = leaving
        with path.open("rb", buffering=0) as file:
            reader = JournalReader(file)
            with pytest.raises(StoreUnavailable):
                delivery.ship(reader, path.stat().st_size, trusted=trusted)
            del distant.log_batch
            distant.away = False
            distant.log_batch(run_id, Batch(tags=(Tag("stage", "final"),)))
            with path.open("ab") as more:
                more.write(records.sealed(tag("late", "yes")) + records.sealed(tag("late", "yes", run=2)))
            if not trusted:
                delivery, reader = Delivery(distant, path.parent), JournalReader(file)
            while delivery.ship(reader, path.stat().st_size, trusted=trusted):
                pass
        found = [distant.get_run(each).data.tags for each in (run_id, other_id)]
        assert [each["stage"] for each in found] == ["final", "draft"]
        assert [each["late"] for each in found] == ["yes", "yes"]


class TestWhatIsRefused:
    def test_is_written_down_and_the_rest_is_stored(
        self, distant: Any, run_id: str, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        distant.log_batch(run_id, Batch(params=(Param("lr", "0.1"),)))
        path = write(named(1, run_id), LOSS, point(0), param("lr", "0.2"), param("depth", "3"), tag("a", "b"), point(1))
        delivery = ship_all(distant, path)
        data = distant.get_run(run_id).data
        assert steps(distant, run_id) == [0, 1]
        assert (data.params, data.tags["a"]) == ({"lr": "0.1", "depth": "3"}, "b")
        [line] = refused(path.parent)
        assert (line["run_id"], line["refused"]) == (run_id, {"params": [["lr", "0.2"]]})
        assert "'lr'" in line["reason"]
        assert line["time"] > 0
        assert delivery.refusals.count == 1
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert str(path.parent / REFUSED) in caplog.text
        assert "all else that was logged is stored" in caplog.text

    def test_is_warned_about_once_each(
        self, distant: Any, run_id: str, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        params = [f"p{number}" for number in range(20)]
        distant.log_batch(run_id, Batch(params=tuple(Param(key, "old") for key in params)))
        path = write(named(1, run_id), *(param(key, "new") for key in params * 2))
        assert ship_all(distant, path).refusals.count == 40
        assert len(caplog.records) == 20
        assert all(f"'{key}'" in record.getMessage() for key, record in zip(params, caplog.records, strict=True))
        assert [line["refused"] for line in refused(path.parent)] == [{"params": [[key, "new"]]} for key in params * 2]

    @pytest.mark.parametrize("fate", ["deleted", "unknown"])
    def test_may_be_a_whole_run(
        self, fate: str, distant: Any, run_id: str, other_id: str, write: Callable[..., Path]
    ) -> None:
        lost = run_id if fate == "deleted" else "0" * 32
        distant.delete_run(run_id)
        path = write(
            named(1, lost),
            named(2, other_id),
            LOSS,
            point(0),
            point(1, run=2),
            records.end_body(1, Ending("FAILED", 9)),
        )
        ship_all(distant, path)
        assert steps(distant, other_id) == [1]
        found = [line["refused"] for line in refused(path.parent)]
        assert found[0] == {"metrics": [["loss", 0.0, 1000, 0]]}
        assert found[1:] in ([], [{"status": "FAILED", "end_time": 9}])

    def test_may_be_the_link_of_points_to_a_model_that_is_gone(
        self, distant: Any, run_id: str, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        """They were measured in the run, and stay its points; what they were measured of is written down."""
        linked = Batch((Metric("loss", 1.5, 5, 8, "m-gone"), Metric("loss", float("nan"), 5, 9, "m-gone")))
        path = write(named(1, run_id), LOSS, point(0), rest(linked), point(1))
        delivery = ship_all(distant, path)
        assert sorted(steps(distant, run_id)) == [0, 1, 8, 9]
        [line] = refused(path.parent)
        assert line["refused"]["metrics"] == [
            ["loss", 1.5, 5, 8, "m-gone", None, None],
            ["loss", "nan", 5, 9, "m-gone", None, None],
        ]
        assert "m-gone" in line["reason"]
        assert "has its points all the same" in line["reason"]
        assert delivery.refusals.count == 0  # whoever waits for the points gets them
        assert len(caplog.records) == 1
        assert "has its points all the same" in caplog.text

    def test_may_be_links_to_one_model_and_not_to_another(
        self, distant: Any, run_id: str, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        made = distant.create_logged_model(NewLoggedModel("0", "m-here", source_run_id=run_id)).model_id
        points = [Metric("loss", 1.0, 5, step, ("m-gone", made, "m-lost")[step % 3]) for step in range(9)]
        path = write(named(1, run_id), *(rest(Batch((each,))) for each in points), param("lr", "1"))
        ship_all(distant, path)
        assert sorted(steps(distant, run_id)) == list(range(9))
        found = distant.get_run(run_id).data
        assert found.params == {"lr": "1"}
        assert [len(line["refused"]["metrics"]) for line in refused(path.parent)] == [3, 3]
        assert {each.model_id for each in distant.get_logged_model(made).metrics} == {made}
        assert len(caplog.records) == 2  # said once of each model

    def test_is_said_once_of_a_run_that_is_gone(
        self, distant: Any, run_id: str, write: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        distant.delete_run(run_id)
        ship_all(distant, write(named(1, run_id), LOSS, point(0), *(param(f"p{each}", "1") for each in range(5))))
        assert len(caplog.records) == 1

    def test_of_a_run_that_is_gone_is_written_down_point_by_point(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        distant.delete_run(run_id)
        linked = rest(Batch((Metric("loss", 1.5, 5, 8, "m-gone"), Metric("loss", 2.5, 5, 9, "m-gone"))))
        path = write(named(1, run_id), linked)
        ship_all(distant, path)
        assert [len(line["refused"]["metrics"]) for line in refused(path.parent)] == [1, 1]

    def test_among_many_takes_no_longer_than_many(self, distant: Any, run_id: str, write: Callable[..., Path]) -> None:
        distant.log_batch(run_id, Batch(params=(Param("lr", "0.1"),)))
        many = rest(Batch(tuple(Metric("loss", step, step, step) for step in range(20_000))))
        path = write(named(1, run_id), many, param("lr", "0.2"))
        ship_all(distant, path)
        assert len(steps(distant, run_id)) == 20_000
        assert len(refused(path.parent)) == 1

    def test_is_not_brought_again(self, distant: Any, run_id: str, write: Callable[..., Path]) -> None:
        distant.log_batch(run_id, Batch(params=(Param("lr", "0.1"),)))
        path = write(named(1, run_id), param("lr", "0.2"))
        ship_all(distant, path)
        ship_all(distant, path)
        assert len(refused(path.parent)) == 1

    def test_while_the_store_goes_away_is_kept_until_it_is_back(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        distant.log_batch(run_id, Batch(params=(Param("lr", "0.1"),)))
        path = write(named(1, run_id), LOSS, param("lr", "0.2"), point(0), tag("a", "b"))
        distant.away = True
        with pytest.raises(StoreUnavailable):
            ship_all(distant, path)
        distant.away = False
        ship_all(distant, path)
        assert (steps(distant, run_id), distant.get_run(run_id).data.tags["a"]) == ([0], "b")
        assert len(refused(path.parent)) == 1

    def test_that_cannot_be_written_down_is_no_news_from_the_store(
        self, distant: Any, run_id: str, write: Callable[..., Path]
    ) -> None:
        """Nothing is passed over: it is tried again, and said to whoever waits for it."""
        distant.log_batch(run_id, Batch(params=(Param("lr", "0.1"),)))
        path = write(named(1, run_id), LOSS, param("lr", "0.2"), point(0))
        (path.parent / REFUSED).mkdir()
        with pytest.raises(StoreUnavailable, match="refused"):
            ship_all(distant, path)
        (path.parent / REFUSED).rmdir()
        ship_all(distant, path)
        assert steps(distant, run_id) == [0]
        assert len(refused(path.parent)) == 1
