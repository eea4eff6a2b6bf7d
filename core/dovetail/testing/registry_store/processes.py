"""Stories about processes: opening a registry again, sharing it, dying in the middle."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from dovetail import plugins, uris
from dovetail.testing.registry_store.base import TAGS, Stories, added, everything, labels, registered
from dovetail.testing.writer_process import WriterProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.registry.store import RegistryStore

__all__ = ["ProcessStories", "ReopenStories"]

WRITER = "dovetail.testing.registry_store.writer"
STEPS = ("version", "stage", "alias", "model")
"""What a releasing writer acknowledges, in turn, once for each version."""


class ReopenStories(Stories):
    """What a registry holds is there when it is opened again."""

    def test_closing_twice_does_nothing(self, store: RegistryStore) -> None:
        """A registry may be closed again."""
        registered(store)
        store.close()
        store.close()

    def test_everything_is_there_after_opening_again(
        self, store: RegistryStore, reopen: Callable[[RegistryStore], RegistryStore]
    ) -> None:
        """Models, versions, aliases, stages and histories are there in another instance, and numbers count on."""
        store.create_registered_model("wine", "größe 🎉", labels(a="1"))
        for _ in range(3):
            added(store, tags=labels(b="2"), description="d", user_id="ada")
        store.move_alias("wine", "champion", 2, user_id="ada", reason="better")
        store.transition_stage("wine", 2, "Production")
        store.delete_model_version("wine", 3)
        registered(store, "gone", versions=1)
        store.move_alias("gone", "champion", 1)
        store.delete_registered_model("gone")
        before, gone = everything(store), list(store.get_history("gone"))
        store.close()
        with closing(reopen(store)) as again:
            assert again.uri == store.uri
            assert everything(again) == before
            assert list(again.get_history("gone")) == gone
            assert added(again) == 4
            move = again.move_alias("wine", "champion", 4, expected=2)
            assert move is not None
            assert move.number > max(each.number for each in gone)


class ProcessStories(Stories):
    """Several processes use one registry, its very first use included.

    Attributes:
        processes: How many touch a fresh registry at once.
        kills: How many writers are killed in the middle of writing.
    """

    processes: ClassVar[int] = 8
    kills: ClassVar[int] = 5

    def test_processes_that_touch_a_fresh_registry_together_lose_nothing(self, uri: str, tmp_path: Path) -> None:
        """All succeed where none was; versions are numbered one by one, and one of them gets the alias."""
        with ExitStack() as stack:
            start = [uri, "touch", "wine", "5"]
            writers = [stack.enter_context(WriterProcess(WRITER, start, tmp_path)) for _ in range(self.processes)]
            for writer in writers:
                writer.go()
            ends = [writer.end() for writer in writers]
        assert [code for code, _ in ends] == [0] * self.processes
        numbers = [int(number) for _, (line, _) in ends for number in line.split()]
        assert sorted(numbers) == list(range(1, 5 * self.processes + 1))
        winners = [int(line.split()[0]) for _, (line, outcome) in ends if outcome == "won"]
        with closing(_opened(uri)) as store:
            versions = store.search_model_versions("name = 'wine'")
            assert sorted(each.version for each in versions) == sorted(numbers)
            assert all(each.tags == TAG_VALUES for each in versions)
            assert [store.get_registered_model("wine").aliases] == [{"champion": number} for number in winners]

    def test_a_killed_writer_leaves_nothing_half_registered(self, uri: str, tmp_path: Path) -> None:
        """After kill -9 all that was acknowledged is there, nothing is there in part, and the registry goes on."""
        with closing(_opened(uri)) as store:
            registered(store)
        chance = random.Random(7)  # noqa: S311 - any moments will do
        for _ in range(self.kills):
            with closing(_opened(uri)) as store:
                before = len(store.search_model_versions("name = 'wine'"))
            with WriterProcess(WRITER, [uri, "release", "wine"], tmp_path) as writer:
                writer.go()
                acknowledged = writer.kill_after(chance.randint(1, 30), chance.random())
            with closing(_opened(uri)) as store:
                whole, rest = divmod(acknowledged, len(STEPS))
                done = {step: before + whole + (number < rest) for number, step in enumerate(STEPS)}
                _require_whole(store, before, done)
                # What the killed one did not get to is done by another.
                added(store, tags=TAGS)

    def test_two_instances_see_each_others_moves(self, uri: str) -> None:
        """A read that starts after a write of another instance returned sees it."""
        with closing(_opened(uri)) as one, closing(_opened(uri)) as other:
            registered(one, versions=1)
            other.move_alias("wine", "champion", 1)
            assert one.get_model_version("wine", 1).aliases == ["champion"]
            assert added(other) == 2
            assert added(one) == 3
            other.delete_registered_model("wine")
            assert list(one.search_registered_models()) == []

    def test_the_uri_of_a_registry_opens_it_from_anywhere(self, uri: str, tmp_path: Path) -> None:
        """``store.uri`` opens the same registry in another process with another working folder."""
        with closing(_opened(uri)) as store:
            registered(store)
            elsewhere = tmp_path / "elsewhere"
            elsewhere.mkdir()
            with WriterProcess(WRITER, [store.uri, "tag", "wine", "seen"], elsewhere) as writer:
                writer.go()
                assert writer.end() == (0, ["tagged"])
            assert store.get_registered_model("wine").tags == {"seen": "1"}


TAG_VALUES = {tag.key: tag.value for tag in TAGS}


def _opened(uri: str) -> RegistryStore:
    store: RegistryStore = plugins.find("registry_stores", uris.scheme_of(uri))(uri)
    return store


def _require_whole(store: RegistryStore, before: int, done: dict[str, int]) -> None:
    """See to it that what was acknowledged is there, at most one step more, and each step whole.

    Args:
        store: The registry.
        before: The highest version before the writer began.
        done: The highest version that each step was acknowledged for.
    """
    versions = sorted(store.search_model_versions("name = 'wine'"), key=lambda each: each.version)
    assert [each.version for each in versions] == list(range(1, len(versions) + 1))
    assert len(versions) - done["version"] in (0, 1)
    assert [each.version for each in versions if each.tags != TAG_VALUES] == []
    in_production = [each.version for each in versions if each.current_stage == "Production"]
    model = store.get_registered_model("wine")
    if done["stage"] > before:
        assert len(in_production) == 1
        assert in_production[0] - done["stage"] in (0, 1)
    if done["alias"] > before:
        assert model.aliases["champion"] - done["alias"] in (0, 1)
    _require_history(store, in_production)
    named = [each for each in store.search_registered_models(max_results=1000) if each.name != "wine"]
    assert [each.name for each in named if each.tags != TAG_VALUES] == []
    if done["model"] > before:
        assert f"wine-{done['model']}" in {each.name for each in named}


def _require_history(store: RegistryStore, in_production: list[int]) -> None:
    """See to it that each entry begins where the one before it ended, and that the last says what is so now."""
    champion = list(store.get_history("wine", "champion", 1000))[::-1]
    assert [(one, other) for one, other in pairwise(champion) if one.after != other.before] == []
    at = {alias: str(version) for alias, version in store.get_registered_model("wine").aliases.items()}
    assert {move.what: move.after for move in champion} == at
    stages: dict[str, str | None] = {}
    for move in reversed(store.get_history("wine", max_results=100_000)):
        if move.kind == "stage":
            assert stages.get(move.what, "None") == move.before
            stages[move.what] = move.after
    assert [int(what) for what, stage in stages.items() if stage == "Production"] == in_production
