"""What Ctrl-C may leave behind, and who is called in the midst of what."""

from __future__ import annotations

import threading

from dovetail.interrupts import give_back, is_within


class Errand:
    """Something that calls others."""

    def run(self, call: object) -> bool:
        return is_within(call)


def test_a_turn_is_given_back_however_often_it_was_taken() -> None:
    turn = threading.RLock()
    turn.acquire()
    turn.acquire()
    give_back(turn)
    thread = threading.Thread(target=turn.acquire, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_the_turn_of_another_thread_is_left_alone() -> None:
    turn = threading.RLock()
    thread = threading.Thread(target=turn.acquire, daemon=True)
    thread.start()
    thread.join()
    give_back(turn)
    assert not turn.acquire(blocking=False)


def test_whoever_is_called_by_a_method_knows_it_of_this_object_alone() -> None:
    errand, other = Errand(), Errand()
    assert errand.run(errand.run)
    assert not errand.run(other.run)
    assert not is_within(errand.run)
