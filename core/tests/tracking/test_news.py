"""What plugins are told of batches that were stored."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import pytest

from dovetail import hookimpl, plugins
from dovetail.tracking.news import News
from dovetail.values import Batch, Event, Metric, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listener:
    """Notes the events it hears; it is inert until a test asks for it."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self, *, active: bool = False) -> None:
        self.heard: list[Event] = []
        self.active, self.fails = active, False

    @hookimpl
    def dovetail_event(self, event: Event) -> None:
        if self.active:
            self.heard.append(event)
            if self.fails:
                raise RuntimeError("a listener's trouble")


_listener = Listener()
plugins.register(_listener)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A plugin that hears events."""
    _listener.begin_anew(active=True)
    yield _listener
    _listener.begin_anew()


LOSS, LABEL = Batch((Metric("loss", 0.5),)), Batch(tags=(Tag("a", "b"),))


def test_what_was_noted_is_told_once_and_in_order(listener: Listener) -> None:
    news = News("sqlite:////runs.db")
    news.note("one", LOSS)
    news.note("two", LABEL)
    assert listener.heard == []
    news.tell()
    news.tell()
    assert [(event.kind, event.run_id, event.batch) for event in listener.heard] == [
        (Event.LOGGED, "one", LOSS),
        (Event.LOGGED, "two", LABEL),
    ]


def test_what_is_taken_back_is_not_told(listener: Listener) -> None:
    news = News("sqlite:////runs.db")
    news.note("one", LOSS)
    news.take_back()
    news.note("one", LABEL)
    news.tell()
    assert [event.batch for event in listener.heard] == [LABEL]


def test_nothing_is_no_news(listener: Listener) -> None:
    news = News("sqlite:////runs.db")
    news.note("one", Batch())
    news.tell()
    news.tell_at_once("one", Batch())
    assert listener.heard == []


def test_passwords_are_not_told(listener: Listener) -> None:
    News("postgresql://ann:secret@db/runs").tell_at_once("one", LOSS)
    (event,) = listener.heard
    assert "secret" not in f"{event.uri} {event}"
    assert event.uri.startswith("postgresql://ann")


def test_who_fails_is_warned_about(listener: Listener) -> None:
    listener.fails = True
    with pytest.warns(UserWarning, match="a listener's trouble"):
        News("sqlite:////runs.db").tell_at_once("one", LOSS)


def test_a_delivery_goes_on_where_warnings_are_errors(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.fails = True
    news = News("sqlite:////runs.db")
    news.note("one", LOSS)
    news.note("one", LABEL)
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        news.tell()
    assert len(listener.heard) == 2
    assert caplog.text.count("a listener's trouble") == 2
