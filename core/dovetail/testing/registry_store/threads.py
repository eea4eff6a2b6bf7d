"""Stories about threads that share one registry."""

from __future__ import annotations

from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING

from dovetail.errors import AliasMoved, AlreadyExists, NotFound, StageMoved
from dovetail.testing.concurrency import THREADS, attempted, together
from dovetail.testing.registry_store.base import Stories, added, labels, registered, triple

if TYPE_CHECKING:
    from dovetail.registry.store import RegistryStore

__all__ = ["ThreadStories"]


class ThreadStories(Stories):
    """Any number of threads may share one instance."""

    def test_versions_that_are_registered_at_once_are_numbered_one_by_one(self, store: RegistryStore) -> None:
        """No number is given twice or left out, and each version is the one its caller registered."""
        registered(store)
        numbers = together(lambda thread: [(thread, added(store, user_id=str(thread))) for _ in range(10)])
        given = {number: thread for of_thread in numbers for thread, number in of_thread}
        assert sorted(given) == list(range(1, THREADS * 10 + 1))
        kept = {each.version: each.user_id for each in store.search_model_versions()}
        assert kept == {number: str(thread) for number, thread in given.items()}

    def test_one_of_several_threads_creates_a_model(self, store: RegistryStore) -> None:
        """Of threads that create one name at once exactly one succeeds; the others get AlreadyExists."""
        for attempt in range(5):
            name = f"wine-{attempt}"

            def work(number: int, name: str = name) -> str | None:
                mine = labels(mine=str(number), **{f"t{number}": "1"})
                return attempted(lambda: store.create_registered_model(name, str(number), mine).name, AlreadyExists)

            assert sorted(together(work), key=str) == [*[None] * (THREADS - 1), name]
            model = store.get_registered_model(name)
            winner = str(model.description)
            assert model.tags == {"mine": winner, f"t{winner}": "1"}

    def test_one_of_several_expected_moves_wins(self, store: RegistryStore) -> None:
        """Of threads that expect an alias at the same place one moves it; the others get AliasMoved."""
        registered(store, versions=THREADS + 1)
        for expected in (None, *range(1, 5)):
            here = None if expected is None else store.get_registered_model("wine").aliases["champion"]

            def work(number: int, here: int | None = here) -> int | None:
                # Nobody moves it to where it is: that would be no move.
                target = number + 1 if number + 1 != here else THREADS + 1
                done = attempted(lambda: store.move_alias("wine", "champion", target, expected=here), AliasMoved)
                return None if done is None else target

            winners = [target for target in together(work) if target is not None]
            assert len(winners) == 1
            assert store.get_registered_model("wine").aliases == {"champion": winners[0]}
        assert len(store.get_history("wine")) == 5

    def test_one_of_several_expected_transitions_wins(self, store: RegistryStore) -> None:
        """All expect the stage that the version is in; one moves it, and the others are told."""
        registered(store, versions=1)
        here = "None"
        for target in ("Staging", "Production", "Archived", "None"):

            def work(_: int, here: str = here, target: str = target) -> bool:
                done = attempted(lambda: store.transition_stage("wine", 1, target, expected=here), StageMoved)
                return done is not None

            assert sum(together(work)) == 1
            here = target
        assert len(store.get_history("wine")) == 4

    def test_moves_at_once_are_a_chain(self, store: RegistryStore) -> None:
        """In the history each move begins where the one before it ended, and the last ends where the alias points."""
        registered(store, versions=THREADS)
        together(lambda number: [store.move_alias("wine", "champion", 1 + (number + each) % 4) for each in range(5)])
        moves = list(store.get_history("wine", max_results=1000))[::-1]
        assert moves[0].before is None
        assert [(one.after, other.before) for one, other in pairwise(moves) if one.after != other.before] == []
        assert moves[-1].after == str(store.get_registered_model("wine").aliases["champion"])

    def test_one_version_is_in_production_in_the_end(self, store: RegistryStore) -> None:
        """Of transitions that archive the others the last one holds, and the history tells of all of them."""
        registered(store, versions=THREADS)
        together(lambda number: store.transition_stage("wine", number + 1, "Production", archive_existing=True))
        stages = sorted(each.current_stage for each in store.search_model_versions())
        assert stages == ["Archived"] * (THREADS - 1) + ["Production"]
        noted = [triple(move)[1:] for move in store.get_history("wine")]
        assert sorted(noted, key=str) == (
            [("None", "Production")] * THREADS + [("Production", "Archived")] * (THREADS - 1)
        )

    def test_an_alias_never_points_at_a_deleted_version(self, store: RegistryStore) -> None:
        """Where a version is deleted while aliases are moved to it, each move comes first or is refused."""
        for attempt in range(5):
            name = registered(store, f"wine-{attempt}", versions=1)

            def work(number: int, name: str = name) -> None:
                if number == 0:
                    store.delete_model_version(name, 1)
                else:
                    attempted(lambda: store.move_alias(name, f"a{number}", 1), NotFound)

            together(work)
            assert store.get_registered_model(name).aliases == {}
            ends = {move.what: move.after for move in list(store.get_history(name))[::-1]}
            assert set(ends.values()) <= {None}

    def test_threads_that_tag_one_model_lose_nothing(self, store: RegistryStore) -> None:
        """All tags of all threads are there, on the model and on its version."""
        registered(store, versions=1)

        def work(number: int) -> None:
            for each in range(5):
                tags = labels(**{f"t{number}-{each}": str(each)})
                store.set_registered_model_tags("wine", tags)
                store.set_model_version_tags("wine", 1, tags)

        together(work)
        wanted = {f"t{number}-{each}": str(each) for number in range(THREADS) for each in range(5)}
        assert store.get_registered_model("wine").tags == wanted
        assert store.get_model_version("wine", 1).tags == wanted

    def test_versions_registered_while_the_model_is_renamed_go_along(self, store: RegistryStore) -> None:
        """Each is registered before the renaming, or refused; all that were are found by the new name."""
        for attempt in range(3):
            old, new = f"wine-{attempt}", f"vino-{attempt}"
            registered(store, old)

            def work(number: int, old: str = old, new: str = new) -> int | None:
                if number == 0:
                    store.update_registered_model(old, new_name=new)
                    return None
                return attempted(lambda: added(store, old), NotFound)

            numbers = sorted(number for number in together(work) if number is not None)
            found = store.search_model_versions(f"name = '{new}'")
            assert numbers == sorted(each.version for each in found) == list(range(1, len(numbers) + 1))
            assert list(store.search_model_versions(f"name = '{old}'")) == []

    def test_a_model_that_is_deleted_meanwhile_leaves_nothing(self, store: RegistryStore) -> None:
        """Where a model is deleted while others register versions and tag it, nothing of it is left over."""
        for attempt in range(3):
            name = registered(store, f"wine-{attempt}", versions=1)

            def work(number: int, name: str = name) -> None:
                if number == 0:
                    store.delete_registered_model(name)
                elif number % 2:
                    attempted(lambda: added(store, name, tags=labels(a="1")), NotFound)
                else:
                    attempted(lambda: store.move_alias(name, f"a{number}", 1), NotFound)

            together(work)
            assert list(store.search_model_versions(f"name = '{name}'")) == []
            again = store.create_registered_model(name)
            assert (again.aliases, again.latest_versions) == ({}, [])
            assert store.get_registered_model(name) == again

    def test_readers_see_moves_whole(self, store: RegistryStore) -> None:
        """While an alias and a stage are moved, every reader sees each version and model as it was at one moment."""
        registered(store, versions=2)
        store.transition_stage("wine", 1, "Production")
        looking, moved = Event(), Event()

        def move() -> None:
            for each in range(20):
                looking.clear()
                looking.wait(timeout=10)  # somebody looks at each move, however the threads take turns
                store.transition_stage("wine", 1 + (each + 1) % 2, "Production", archive_existing=True)

        def work(number: int) -> list[tuple[str, ...]]:
            if number == 0:
                try:
                    move()
                finally:
                    moved.set()
                return []
            seen = []
            while not moved.is_set():
                looking.set()
                seen.append(store.search_model_versions())
            return [tuple(sorted(each.current_stage for each in page)) for page in seen]

        shown = {stages for seen in together(work) for stages in seen}
        assert shown <= {("Archived", "Production"), ("None", "Production")}
