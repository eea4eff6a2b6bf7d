from __future__ import annotations

import pytest

from dovetail.registry.backtracking import Trail
from dovetail.values import RegistryMove


def trail(*places: str | None) -> Trail:
    """The trail of an alias that was put to one place after the other; None removes it."""
    before = (None, *places)
    return Trail.of(RegistryMove("wine", "alias", "a", here, to, 0) for here, to in zip(before, places, strict=False))


@pytest.mark.parametrize(
    ("moves", "earlier"),
    [
        ((), []),
        (("1",), []),
        (("1", "2"), ["1"]),
        (("1", "2", "3"), ["2", "1"]),
        (("1", "2", "3", "2"), ["1"]),  # going back is no step further
        (("1", "2", "3", "2", "1"), []),
        (("1", "2", "3", "2", "4"), ["2", "1"]),
        (("1", "2", "3", "1"), ["3", "2", "1"]),  # two steps at once are a step like others
        (("1", "2", None), ["2", "1"]),  # what was removed comes back
        (("1", None, "2"), ["1"]),
        (("1", "2", None, "2"), ["1"]),
        (("1", None), ["1"]),
    ],
)
def test_where_to_go_back_to(moves: tuple[str | None, ...], earlier: list[str]) -> None:
    assert trail(*moves).earlier == earlier
    assert trail(*moves).here == (moves[-1] if moves else None)


def test_going_back_again_and_again_ends() -> None:
    moves: list[str | None] = ["1", "2", "3", "1", None, "4"]
    for _ in range(20):
        if not (earlier := trail(*moves).earlier):
            return
        moves.append(earlier[0])
    pytest.fail(f"went in circles: {moves}")


def test_a_version_begins_in_a_stage() -> None:
    moves = [RegistryMove("wine", "stage", "1", "None", "Staging", 0)]
    assert Trail.of(moves).earlier == ["None"]
