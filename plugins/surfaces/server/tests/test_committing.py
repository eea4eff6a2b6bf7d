"""Group commit: what waits goes into the next commit together, and nobody hears of it before it is stored."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import NotFound, StoreUnavailable
from dovetail.values import Batch, LogEntry, Param
from dovetail_server.committing import LITTLE, Busy, Committer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Slow:
    """A store that keeps groups, each when it is let."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.let = threading.Semaphore(0)
        self.failure: Exception | None = None

    def log_batches(self, entries: Sequence[LogEntry]) -> list[Exception | None]:
        assert self.let.acquire(timeout=10)
        if self.failure is not None:
            raise self.failure
        self.groups.append([each.run_id for each in entries])
        return [NotFound("gone") if each.run_id == "gone" else None for each in entries]

    def at_once(self) -> None:
        """It promises nothing."""


def entry(run_id: str, params: int = 1) -> LogEntry:
    return LogEntry(run_id, Batch(params=tuple(Param(str(key), "1") for key in range(params))))


async def until(condition: Any) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came to that")


@pytest.fixture
def store() -> Slow:
    return Slow()


@pytest.fixture
def committer(store: Slow) -> Any:
    found = Committer(lambda: store, most=50)  # type: ignore[arg-type, return-value]
    yield found
    store.let.release(1000)
    found.close(10)


class TestACommit:
    def test_takes_all_that_waits(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            first = asyncio.ensure_future(committer.commit(entry("first")))
            await until(lambda: committer.groups == 1)
            others = [asyncio.ensure_future(committer.commit(entry(str(each)))) for each in range(20)]
            await asyncio.sleep(0.02)
            assert not first.done()
            assert not any(each.done() for each in others), "nobody hears of it before it is stored"
            store.let.release()
            await first
            assert not any(each.done() for each in others)
            store.let.release()
            await asyncio.gather(*others)

        asyncio.run(story())
        assert store.groups == [["first"], [str(each) for each in range(20)]]
        assert (committer.groups, committer.entries) == (2, 21)

    def test_tells_a_refusal_to_whom_it_concerns(self, store: Slow, committer: Committer) -> None:
        async def story() -> list[Any]:
            store.let.release(10)
            entries = [entry("a"), entry("gone"), entry("b")]
            return await asyncio.gather(*(committer.commit(each) for each in entries), return_exceptions=True)

        found = asyncio.run(story())
        assert [type(each) for each in found] == [type(None), NotFound, type(None)]

    def test_that_fails_is_told_to_everybody_and_the_next_one_is_tried(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            store.failure = StoreUnavailable("away")
            store.let.release(10)
            found = await asyncio.gather(*(committer.commit(entry("a")) for _ in range(3)), return_exceptions=True)
            assert [type(each) for each in found] == [StoreUnavailable] * 3
            store.failure = None
            await committer.commit(entry("a"))

        asyncio.run(story())

    def test_outlives_errors_that_nobody_foresaw(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            store.failure = RuntimeError("?")
            store.let.release(10)
            with pytest.raises(RuntimeError):
                await committer.commit(entry("a"))
            store.failure = None
            await committer.commit(entry("a"))

        asyncio.run(story())

    def test_does_not_care_for_those_who_have_gone(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            gone = asyncio.ensure_future(committer.commit(entry("a")))
            stays = asyncio.ensure_future(committer.commit(entry("b")))
            await until(lambda: committer.groups == 1)
            gone.cancel()
            store.let.release(10)
            await stays

        asyncio.run(story())


class TestMoreThanCanBeStored:
    def test_is_sent_away_and_what_waits_is_stored(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            first = asyncio.ensure_future(committer.commit(entry("0")))
            await until(lambda: committer.groups == 1)
            waiting = [asyncio.ensure_future(committer.commit(entry(str(each)))) for each in range(50)]
            await asyncio.sleep(0.01)
            with pytest.raises(Busy) as told:
                await committer.commit(entry("more"))
            assert (told.value.status, told.value.retry_after) == (429, 1)
            with pytest.raises(Busy):
                committer.commit_all([entry("more")])
            store.let.release(100)
            await asyncio.gather(first, *waiting)
            await committer.commit(entry("later"))

        asyncio.run(story())
        assert [name for group in store.groups for name in group] == ["0", *map(str, range(50)), "later"]


class TestSeveralAtOnce:
    def test_are_answered_in_order(self, store: Slow, committer: Committer) -> None:
        store.let.release(10)
        found = committer.commit_all([entry("a"), entry("gone"), entry("b")])
        assert [type(each) for each in found] == [type(None), NotFound, type(None)]
        assert committer.commit_all([]) == []

    def test_need_no_event_loop(self, store: Slow, committer: Committer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asyncio, "new_event_loop", None)
        store.let.release(10)
        assert committer.commit_all([entry("a")]) == [None]

    def test_go_together_with_what_event_loops_bring(self, store: Slow, committer: Committer) -> None:
        async def story() -> list[Any]:
            first = asyncio.ensure_future(committer.commit(entry("0")))
            await until(lambda: committer.groups == 1)
            several = asyncio.ensure_future(asyncio.to_thread(committer.commit_all, [entry("a"), entry("b")]))
            await until(lambda: len(committer._waiting) == 2)
            last = asyncio.ensure_future(committer.commit(entry("c")))
            await until(lambda: len(committer._waiting) == 3)
            store.let.release(10)
            return [await each for each in (first, several, last)]

        assert asyncio.run(story()) == [None, [None, None], None]
        assert store.groups == [["0"], ["a", "b", "c"]]

    def test_whose_store_is_away_raise(self, store: Slow, committer: Committer) -> None:
        store.failure = StoreUnavailable("away")
        store.let.release(10)
        with pytest.raises(StoreUnavailable):
            committer.commit_all([entry("a"), entry("b")])


class Near(Slow):
    """A store beside the server: as long as nobody holds it up, whoever writes waits for nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.let.release(1000)
        self.is_held = False
        self.threads: list[str] = []
        self.caught_up = threading.Event()
        self.hurry = threading.local()

    def at_once(self) -> Any:  # type: ignore[override]
        return self.hurrying()

    @contextmanager
    def hurrying(self) -> Iterator[None]:
        self.hurry.on = True
        try:
            yield
        finally:
            self.hurry.on = False

    def log_batches(self, entries: Sequence[LogEntry]) -> list[Exception | None]:
        if self.is_held and getattr(self.hurry, "on", False):
            raise StoreUnavailable("somebody else writes")
        self.threads.append(threading.current_thread().name)
        return super().log_batches(entries)

    def catch_up(self) -> None:
        self.caught_up.set()


async def opened(committer: Committer) -> None:
    """The store is open, and the thread has nothing more to do."""
    await committer.commit(entry("opens it"))
    await until(lambda: committer._asleep)


class TestAStoreBesideTheServer:
    @pytest.fixture
    def store(self) -> Near:
        return Near()

    def test_is_written_to_by_the_event_loop_once_it_is_open(self, store: Near, committer: Committer) -> None:
        async def story() -> None:
            await opened(committer)
            await asyncio.gather(*(committer.commit(entry(str(each))) for each in range(20)))

        asyncio.run(story())
        assert store.threads == ["dovetail-committer", "MainThread"]
        assert store.groups == [["opens it"], [str(each) for each in range(20)]]

    def test_is_waited_for_by_the_thread_when_somebody_holds_it_up(self, store: Near, committer: Committer) -> None:
        async def story() -> None:
            await opened(committer)
            store.is_held = True
            await asyncio.gather(*(committer.commit(entry(str(each))) for each in range(20)))
            store.is_held = False
            await until(lambda: committer._asleep)
            await committer.commit(entry("later"))

        asyncio.run(story())
        assert store.threads == ["dovetail-committer", "dovetail-committer", "MainThread"]
        assert store.groups == [["opens it"], [str(each) for each in range(20)], ["later"]]

    def test_gets_much_from_the_thread(self, store: Near, committer: Committer) -> None:
        async def story() -> None:
            await opened(committer)
            await committer.commit(entry("much", LITTLE + 1))

        asyncio.run(story())
        assert store.threads == ["dovetail-committer"] * 2

    def test_tells_its_refusals(self, store: Near, committer: Committer) -> None:
        async def story() -> list[Any]:
            await opened(committer)
            entries = [entry("a"), entry("gone"), entry("b")]
            return await asyncio.gather(*(committer.commit(each) for each in entries), return_exceptions=True)

        assert [type(each) for each in asyncio.run(story())] == [type(None), NotFound, type(None)]

    def test_that_fails_is_told_to_those_who_wait_and_the_next_one_is_tried(
        self, store: Near, committer: Committer
    ) -> None:
        async def story() -> None:
            await opened(committer)
            store.failure = RuntimeError("?")
            found = await asyncio.gather(*(committer.commit(entry("a")) for _ in range(3)), return_exceptions=True)
            assert [type(each) for each in found] == [RuntimeError] * 3
            store.failure = None
            await committer.commit(entry("a"))

        asyncio.run(story())

    def test_is_let_catch_up_soon(self, store: Near, committer: Committer) -> None:
        async def story() -> None:
            await opened(committer)
            await committer.commit(entry("puts something off"))

        asyncio.run(story())
        assert store.caught_up.wait(10)

    def test_catches_up_at_the_end(self, store: Near, committer: Committer) -> None:
        async def story() -> None:
            await opened(committer)
            await committer.commit(entry("puts something off"))

        asyncio.run(story())
        committer.close(10)
        assert store.caught_up.is_set()

    def test_takes_from_several_event_loops_at_once(self, store: Near, committer: Committer) -> None:
        async def several(name: str) -> None:
            for each in range(50):
                await asyncio.wait_for(committer.commit(entry(f"{name}{each}")), 10)

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(asyncio.run, several(name)) for name in "abcdefgh"]:
                done.result()
        stored = [name for group in store.groups for name in group]
        assert sorted(stored) == sorted(f"{name}{each}" for name in "abcdefgh" for each in range(50))


class TestTheEnd:
    def test_stores_what_waits_and_takes_nothing_more(self, store: Slow, committer: Committer) -> None:
        async def story() -> None:
            first = asyncio.ensure_future(committer.commit(entry("a")))
            await until(lambda: committer.groups == 1)
            second = asyncio.ensure_future(committer.commit(entry("b")))
            await asyncio.sleep(0.01)
            store.let.release(10)
            await asyncio.get_running_loop().run_in_executor(None, committer.close, 10)
            await asyncio.gather(first, second)
            with pytest.raises(StoreUnavailable):
                await committer.commit(entry("c"))

        asyncio.run(story())
        assert store.groups == [["a"], ["b"]]
