"""What a shared database's store does again when nobody knows whether it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import NotFound
from dovetail_sql.retrying import Retry, Unsure
from dovetail_sql.sharing import tracking_store

if TYPE_CHECKING:
    from collections.abc import Callable


class LosesItsFirstAnswer:
    """A database whose connection is lost while it commits for the first time; it knows no run then."""

    uri, journals, lasting = "postgresql://a/b", None, True
    retry = Retry(patience=5)
    tries = 0

    def write(self) -> Any:
        self.tries += 1
        if self.tries == 1:
            raise Unsure("Was it stored?")
        raise NotFound("There is no such run.")

    read = write


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.drop_points("a", 3),
        lambda store: store.beat("holder", 60),
        lambda store: store.reap_runs("holder"),
    ],
    ids=["drop_points", "beat", "reap_runs"],
)
def test_what_may_be_done_twice(call: Callable[[Any], None]) -> None:
    database: Any = LosesItsFirstAnswer()
    with pytest.raises(NotFound):
        call(tracking_store(database))
    assert database.tries == 2


def test_what_may_not() -> None:
    database: Any = LosesItsFirstAnswer()
    with pytest.raises(Unsure):
        tracking_store(database).create_experiment("wine")
