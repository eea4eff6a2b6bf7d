"""Bringing what journals hold into a store: each record once, whoever is killed meanwhile."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from dovetail.errors import DovetailError, RunEnded, StoreError, StoreUnavailable
from dovetail.interrupts import is_within
from dovetail.tracking.journal.access import adapt, make
from dovetail.tracking.journal.records import batch_text
from dovetail.tracking.journal.refusals import Refusals
from dovetail.values import Batch, Ending, JournalMark, Metric, Tag
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dovetail.tracking.journal.reader import JournalReader, Part
    from dovetail.tracking.news import News
    from dovetail.tracking.store import TrackingStore

__all__ = ["REFUSED", "Delivery"]

REFUSED = "refused.jsonl"
_LATE = 10_000
"""Milliseconds from which on a tag comes late: then one that was set since keeps its place."""
_LEFT_OUT = "It is left out; all else that was logged is stored."
_KEPT = "The run has its points all the same, without the link."


class Delivery:
    """The way from journals into one store.

    A piece of a journal goes to the store as one batch a run, with the journal, the run's number in it and the offset
    behind the piece as its mark: a store that has that mark already does nothing. What the store refuses is written
    down with the reason, and what stands behind it goes on.

    Args:
        store: Where it goes.
        folder: Where what is refused is written down.
        news: Where what is stored is told; by default nobody hears of it.
    """

    def __init__(self, store: TrackingStore, folder: Path, news: News | None = None) -> None:
        self._store, self._folder, self._news = store, folder, news
        self._stored: dict[str, int] = {}
        self._doubtful: set[str] = set()
        self._unsaid: list[tuple[str, str, str]] = []
        self._said: set[tuple[str, str, str]] = set()
        self.refusals = Refusals()
        """What was refused so far."""

    def ship(
        self, reader: JournalReader, end: int | None = None, *, trusted: bool = False, at_once: bool = False
    ) -> bool:
        """Bring in the next piece; whether there was one.

        Args:
            reader: The journal's.
            end: As for ``JournalReader.piece``.
            trusted: As for ``JournalReader.piece``.
            at_once: Whether the store is to raise rather than wait for others.

        Raises:
            StoreError: The store cannot be reached, or cannot take it now; the reader is where it was.
        """
        before = reader.place
        try:
            self._bring_in(reader, end, trusted=trusted, at_once=at_once)
        except BaseException:
            reader.place = before
            # Some of it may be stored, and more may come behind it: the store knows, whoever is asked otherwise.
            self._doubtful |= self._stored.keys()
            self._stored.clear()
            if self._news is not None:
                self._news.take_back()
            raise
        finally:
            self._say()
        moved = reader.place > before
        if self._news is not None:
            self._news.tell()  # now that the piece is in: who hears of it may log or read, and so deliver what is next
        return moved

    def is_busy_here(self) -> bool:
        """Whether this very thread is bringing in a piece: who is called in the midst of that cannot do so, too."""
        return is_within(self._bring_in)

    # --- steps -----------------------------------------------------------------------------------------------

    def _bring_in(self, reader: JournalReader, end: int | None, *, trusted: bool, at_once: bool) -> None:
        with (self._store.at_once() if at_once else None) or nullcontext():
            for part in self._parts(reader, end, trusted=trusted):
                mark = JournalMark(_writer(reader, part), reader.place)
                batch = _timely(part.batch, None if trusted else reader.header.holder)
                self._deliver(part.run_id, batch, mark, at_once=at_once)

    def _parts(self, reader: JournalReader, end: int | None, *, trusted: bool) -> list[Part]:
        """The next piece, without what is stored of it already: a tag that was set anew since stays as it is."""
        before, parts = reader.place, reader.piece(end, trusted=trusted)
        stored = {part.run: self._applied(_writer(reader, part), trusted=trusted) for part in parts}
        done = {run: place for run, place in stored.items() if place > before}
        if not done:
            return parts
        reader.place = before
        return reader.piece(end, trusted=trusted, done=done)

    def _applied(self, writer: str, *, trusted: bool) -> int:
        if writer not in self._stored:
            # Of this process's own journals nobody else stores anything.
            own = trusted and writer not in self._doubtful
            self._stored[writer] = 0 if own else self._store.applied(writer)
        return self._stored[writer]

    def _deliver(self, run_id: str, batch: Batch, mark: JournalMark, *, at_once: bool) -> None:
        if not batch:
            return
        if (refusal := _refusal(self._store.log_batch, run_id, batch, mark=mark)) is None:
            self._note(run_id, batch)
        elif at_once:
            raise StoreUnavailable("What is refused takes its time.") from refusal  # whoever may wait sees to it
        else:
            self._deliver_in_pieces(run_id, batch, mark)
        self._stored[mark.writer] = mark.sequence

    def _deliver_in_pieces(self, run_id: str, batch: Batch, mark: JournalMark) -> None:
        """Store what can be stored, and write down the rest.

        If that is broken off it is done again, which changes nothing: points, params and tags stored twice are the
        same as once.
        """
        if self._store.applied(mark.writer) >= mark.sequence:
            return
        for piece in _pieces(batch):
            self._deliver_piece(run_id, piece)
        # A run that is not there or deleted has no mark either: all of it was written down.
        refusal = _refusal(self._store.log_batch, run_id, Batch(end=batch.end), mark=mark)
        if batch.end is not None and refusal is not None and not isinstance(refusal, RunEnded):
            self._write_down(run_id, {"status": batch.end.status, "end_time": batch.end.end_time}, refusal)

    def _deliver_piece(self, run_id: str, piece: Batch) -> None:
        if (refusal := _refusal(self._store.log_batch, run_id, piece, ended=True)) is None:
            self._note(run_id, piece)
        elif not _is_linked(piece):
            self._write_down(run_id, piece, refusal)
        elif _refusal(self._store.log_batch, run_id, _plain(piece), ended=True) is None:
            # Its model may be gone by now; what was measured in the run is the run's all the same.
            self._note(run_id, _plain(piece))
            self._write_down(run_id, piece, refusal, _KEPT)
        elif piece.measured > 1:
            for metric in piece.metrics:
                self._deliver_piece(run_id, Batch((metric,)))
        else:
            self._write_down(run_id, piece, refusal)

    def _note(self, run_id: str, batch: Batch) -> None:
        if self._news is not None:
            self._news.note(run_id, batch if batch.end is None else Batch.stored(**{**batch.__dict__, "end": None}))

    def _write_down(
        self, run_id: str, what: Batch | dict[str, Any], refusal: DovetailError, fate: str = _LEFT_OUT
    ) -> None:
        self._warn(run_id, refusal, fate)
        held = json.loads(batch_text(what)) if isinstance(what, Batch) else what
        line = {"time": now_ms(), "run_id": run_id, "reason": f"{refusal.message} {fate}", "refused": held}
        path = self._folder / REFUSED
        try:
            make(self._folder, beside=self._store.journals is not None)  # somebody may have removed it
            with open(path, "a", encoding="utf-8", errors="surrogatepass", opener=_opened) as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            # It is passed over only when it is kept.
            raise StoreUnavailable(f"What was refused cannot be written to {path}: {error.strerror}.") from error
        if fate is _LEFT_OUT:
            self.refusals.add(run_id, what if isinstance(what, Batch) else None, refusal)

    def _warn(self, run_id: str, refusal: DovetailError, fate: str) -> None:
        if (said := (run_id, refusal.message, fate)) not in self._said:
            self._said.add(said)
            self._unsaid.append(said)

    def _say(self) -> None:
        """Warn of what was refused, now that the piece is done with: who hears of it may log or read."""
        unsaid, self._unsaid = self._unsaid, []
        for run_id, reason, fate in unsaid:
            import logging

            message = f"Of run %s: %s {fate} What was refused is written down in %s. (Said once.)"
            logging.getLogger(__name__).warning(message, run_id, reason, self._folder / REFUSED)


def _opened(path: str, flags: int) -> int:
    # A link that somebody else put there must not lead to what this user may write.
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        adapt(descriptor, Path(path).parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _writer(reader: JournalReader, part: Part) -> str:
    # Padded, so that rows of one journal stand in the order of its runs in the index of a store, page beside page.
    return f"{reader.header.writer}.{part.run:06}"


def _refusal(call: Callable[..., object], *args: Any, **options: Any) -> DovetailError | None:
    """What the store refuses; its own troubles are raised."""
    try:
        call(*args, **options)
    except StoreError:
        raise
    except DovetailError as refusal:
        return refusal
    return None


def _timely(batch: Batch, gone: str | None) -> Batch:
    """The batch, its tags taken for set now unless they come late, and its end for late where it is.

    Clocks of machines differ: what is set at this moment must not lose against a tag whose machine is ahead.

    Args:
        batch: The batch.
        gone: The holder that its process was, if that is no more: then its end is late in any case, and counts only
            where nobody else sees to the run.
    """
    if not batch.tags and batch.end is None:
        return batch
    since = now_ms() - _LATE
    tags = tuple(
        tag if tag.set_at is not None and tag.set_at < since else Tag.stored(key=tag.key, value=tag.value)
        for tag in batch.tags
    )
    end = batch.end
    if end is not None:
        late = gone is not None or end.end_time < since
        end = Ending.stored(**{**end.__dict__, "late": late, "holder": gone or end.holder})
    return Batch.stored(**{**batch.__dict__, "tags": tags, "end": end})


def _pieces(batch: Batch) -> Iterator[Batch]:
    """What may be refused apart from one another."""
    by_link: dict[_Link, list[Metric]] = {}
    for metric in batch.metrics:
        by_link.setdefault(_link(metric), []).append(metric)
    plain = tuple(by_link.pop(_NO_LINK, ()))
    if plain or batch.columns:
        yield Batch.stored(metrics=plain, params=(), tags=(), columns=batch.columns)
    for metrics in by_link.values():
        yield Batch(tuple(metrics))
    for param in batch.params:
        yield Batch(params=(param,))
    if batch.tags:
        yield Batch(tags=batch.tags)


_Link: TypeAlias = "tuple[str | None, str | None, str | None]"
_NO_LINK: _Link = (None, None, None)


def _link(metric: Metric) -> _Link:
    return metric.model_id, metric.dataset_name, metric.dataset_digest


def _is_linked(batch: Batch) -> bool:
    return any(_link(each) != _NO_LINK for each in batch.metrics)


def _plain(batch: Batch) -> Batch:
    """The points of a batch as the run's alone."""
    return Batch(
        tuple(
            Metric.stored(key=each.key, value=each.value, timestamp=each.timestamp, step=each.step)
            for each in batch.metrics
        )
    )
