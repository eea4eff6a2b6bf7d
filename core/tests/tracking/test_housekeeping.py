"""Emptying the bin: what goes, what stays, and what becomes of it when something is in the way."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import dovetail
from dovetail import Client, hookimpl, plugins, uris
from dovetail.errors import InvalidInput, InvalidState, NotFound, PluginMissing, StoreUnavailable
from dovetail.testing.memory import MemoryTrackingStore
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.testing.memory_registry import MemoryRegistryStore
from dovetail.tracking import places
from dovetail.tracking.own_folder import place_below, place_of
from dovetail.values import NewLoggedModel, NewModelVersion, NewRun
from dovetail.values.measure import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dovetail.registry.store import RegistryStore
    from dovetail.tracking.housekeeping import Collected, GarbageReport
    from dovetail.tracking.store import TrackingStore


class Brittle(MemoryArtifactStore):
    """Artifacts that cannot be deleted while it is away, and only in part where that is said."""

    away = False
    shelves: ClassVar[dict[str, Brittle]] = {}

    def delete(self, path: str) -> None:
        if Brittle.away:
            raise StoreUnavailable("Cannot delete: the place is away.")
        super().delete(path)


class BrittlePlaces:
    @hookimpl
    def dovetail_artifact_stores(self) -> dict[str, Callable[[str], Brittle]]:
        return {"brittle": lambda uri: Brittle.shelves.setdefault(uri, Brittle(uri))}


class Forgetful(MemoryTrackingStore):
    """A store whose process is killed, as it were, before it purges."""

    killed = False

    def purge(self, item: Any) -> bool:
        if self.killed:
            raise KeyboardInterrupt
        return super().purge(item)


class ForgetfulStores:
    @hookimpl
    def dovetail_tracking_stores(self) -> dict[str, Callable[[str], TrackingStore]]:
        return {"forgetful": Forgetful}


plugins.register(BrittlePlaces(), "artifact_stores", "brittle")
plugins.register(ForgetfulStores(), "tracking_stores", "forgetful")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the experiment ``wine`` keeps its artifacts."""
    return tmp_path / "wine"


@pytest.fixture
def wine(store: TrackingStore, folder: Path) -> str:
    return dovetail.create_experiment("wine", artifact_location=str(folder))


@pytest.fixture
def registry(store: TrackingStore) -> RegistryStore:
    return places.registry_store()


def logged(experiment_id: str, text: str = "x" * 100, **options: Any) -> str:
    """A run with two artifacts, one in a folder."""
    run_id = Client().create_run(experiment_id, **options).info.run_id
    Client().log_text(run_id, text, "notes.txt")
    Client().log_text(run_id, text, "deep/er/notes.txt")
    return run_id


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def outcomes(report: GarbageReport) -> dict[str, str]:
    return {each.id: each.outcome for each in report.collected}


def only(report: GarbageReport) -> Collected:
    (collected,) = report.collected
    return collected


class TestGoing:
    def test_an_empty_bin(self, store: TrackingStore) -> None:
        assert dovetail.collect_garbage() == dovetail.collect_garbage(dry_run=True).__class__(())

    def test_a_deleted_run_goes_with_its_artifacts_and_leaves_no_folder(self, wine: str, folder: Path) -> None:
        gone, kept = logged(wine), logged(wine, "y")
        dovetail.delete_run(gone)
        collected = only(dovetail.collect_garbage())
        assert (collected.kind, collected.id, collected.outcome, collected.size) == ("run", gone, "removed", 200)
        assert files(folder) == [f"{kept}/artifacts/deep/er/notes.txt", f"{kept}/artifacts/notes.txt"]
        assert not (folder / gone).exists()
        with pytest.raises(NotFound):
            dovetail.get_run(gone)
        assert dovetail.get_run(kept).info.lifecycle_stage == "active"

    def test_a_dry_run_changes_nothing(self, store: TrackingStore, wine: str, folder: Path) -> None:
        gone = logged(wine)
        dovetail.delete_run(gone)
        before = files(folder)
        report = dovetail.collect_garbage(dry_run=True)
        assert (report.dry_run, outcomes(report), report.size) == (True, {gone: "removed"}, 200)
        assert files(folder) == before
        dovetail.restore_run(gone)
        assert dovetail.get_run(gone).info.lifecycle_stage == "active"

    def test_what_is_restored_stays(self, wine: str, folder: Path) -> None:
        run_id = logged(wine)
        dovetail.delete_run(run_id)
        dovetail.restore_run(run_id)
        assert dovetail.collect_garbage().collected == ()
        assert len(files(folder)) == 2

    def test_an_experiment_goes_last_and_its_name_is_free(self, store: TrackingStore, wine: str, folder: Path) -> None:
        run_id = logged(wine)
        model = store.create_logged_model(NewLoggedModel(wine))
        dovetail.delete_experiment(wine)
        report = dovetail.collect_garbage()
        assert [(each.kind, each.outcome) for each in report.collected] == [
            ("run", "removed"), ("logged_model", "removed"), ("experiment", "removed"),
        ]  # fmt: skip
        assert [each.id for each in report.removed] == [run_id, model.model_id, wine]
        assert int(dovetail.create_experiment("wine")) > int(wine)

    def test_a_logged_model_goes_with_its_files(self, store: TrackingStore, wine: str, folder: Path) -> None:
        model = store.create_logged_model(NewLoggedModel(wine))
        place = folder / "models" / model.model_id / "artifacts"
        place.mkdir(parents=True)
        (place / "model.pkl").write_bytes(b"12345")
        store.delete_logged_model(model.model_id)
        assert only(dovetail.collect_garbage()).size == 5
        assert not (folder / "models").exists()

    def test_artifacts_that_are_gone_already_are_no_trouble(self, wine: str, folder: Path) -> None:
        import shutil

        run_id = logged(wine)
        dovetail.delete_run(run_id)
        shutil.rmtree(folder)
        assert only(dovetail.collect_garbage()).size == 0

    def test_runs_without_artifacts_go_too(self, wine: str) -> None:
        run_id = Client().create_run(wine).info.run_id
        dovetail.delete_run(run_id)
        assert outcomes(dovetail.collect_garbage()) == {run_id: "removed"}

    def test_somebody_may_follow(self, wine: str) -> None:
        runs = [logged(wine) for _ in range(3)]
        for run_id in runs:
            dovetail.delete_run(run_id)
            time.sleep(0.002)
        heard: list[Collected] = []
        report = dovetail.collect_garbage(progress=heard.append)
        assert tuple(heard) == report.collected
        assert [each.id for each in heard] == runs

    def test_another_place(self, wine: str) -> None:
        elsewhere = f"memory://{uuid.uuid4().hex}"
        run_id = Client(elsewhere).create_run("0").info.run_id
        Client(elsewhere).delete_run(run_id)
        dovetail.delete_run(logged(wine))
        assert outcomes(dovetail.collect_garbage(tracking_uri=elsewhere)) == {run_id: "removed"}
        assert len(dovetail.collect_garbage().collected) == 1

    def test_a_moved_run_is_removed_where_its_artifacts_are(self, wine: str, folder: Path) -> None:
        run_id = logged(wine)
        dovetail.move_runs(run_id, "Default")
        dovetail.delete_experiment(wine)
        assert outcomes(dovetail.collect_garbage()) == {wine: "removed"}
        assert len(files(folder)) == 2
        dovetail.delete_run(run_id)
        assert only(dovetail.collect_garbage()).size == 200
        assert files(folder) == []


class TestChoosing:
    def test_how_long_something_was_in_the_bin(self, wine: str) -> None:
        run_id = logged(wine)
        dovetail.delete_run(run_id)
        for age in ("1h", 3600, "1d2h3m4s"):
            assert dovetail.collect_garbage(age).collected == ()
        time.sleep(0.01)
        assert outcomes(dovetail.collect_garbage(0.005)) == {run_id: "removed"}

    def test_the_setting_holds_where_nothing_is_said(self, wine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = logged(wine)
        dovetail.delete_run(run_id)
        monkeypatch.setenv("DOVETAIL_RETENTION", "30d")
        assert dovetail.collect_garbage().collected == ()
        assert outcomes(dovetail.collect_garbage(0)) == {run_id: "removed"}

    def test_nothing_was_in_the_bin_forever(self, wine: str) -> None:
        dovetail.delete_run(logged(wine))
        for age in (float("inf"), 1e308, "999999999w"):
            assert dovetail.collect_garbage(age).collected == ()

    @pytest.mark.parametrize("age", ["", "3", "-1d", "1h1d", "soon", float("nan"), -1, "9" * 5000 + "d", [], 10**400])
    def test_what_is_no_length_of_time(self, store: TrackingStore, age: Any) -> None:
        with pytest.raises(InvalidInput, match="no length of time"):
            dovetail.collect_garbage(age)

    def test_only_what_is_named(self, store: TrackingStore, wine: str) -> None:
        runs = [logged(wine) for _ in range(3)]
        other = dovetail.create_experiment("other")
        inside = Client().create_run(other).info.run_id
        model = store.create_logged_model(NewLoggedModel(wine)).model_id
        for run_id in runs:
            dovetail.delete_run(run_id)
        dovetail.delete_experiment(other)
        store.delete_logged_model(model)
        assert outcomes(dovetail.collect_garbage(run_ids=runs[0])) == {runs[0]: "removed"}
        assert outcomes(dovetail.collect_garbage(run_ids=[runs[1]], logged_model_ids=[model])) == {
            runs[1]: "removed", model: "removed"
        }  # fmt: skip
        assert outcomes(dovetail.collect_garbage(experiment_ids=other)) == {inside: "removed", other: "removed"}
        assert outcomes(dovetail.collect_garbage()) == {runs[2]: "removed"}

    def test_what_is_named_and_not_in_the_bin(self, wine: str) -> None:
        gone, active = logged(wine), logged(wine)
        dovetail.delete_run(gone)
        for named in ({"run_ids": [gone, active]}, {"run_ids": [gone, "nobody"]}, {"experiment_ids": [wine]}):
            with pytest.raises(InvalidState, match="Nothing was removed"):
                dovetail.collect_garbage(**named)
        with pytest.raises(InvalidState, match="long enough"):
            dovetail.collect_garbage("1h", run_ids=[gone])
        assert dovetail.get_run(gone).info.lifecycle_stage == "deleted"

    @pytest.mark.parametrize("ids", [5, [None], [5], {"a": 1}])
    def test_what_are_no_ids(self, wine: str, ids: Any) -> None:
        dovetail.delete_run(logged(wine))
        for kind in ("run_ids", "experiment_ids", "logged_model_ids"):
            with pytest.raises(InvalidInput, match=f"of (a )?{kind.removesuffix('_ids').replace('_', ' ')}"):
                dovetail.collect_garbage(**{kind: ids})
        assert len(dovetail.collect_garbage(dry_run=True).removed) == 1

    def test_only_what_was_agreed_to(self, wine: str, folder: Path, registry: RegistryStore) -> None:
        agreed, restored, needed = logged(wine), logged(wine), logged(wine)
        registry.create_registered_model("forest")
        registry.create_model_version(NewModelVersion("forest", f"runs:/{needed}/deep"))
        for run_id in (agreed, restored, needed):
            dovetail.delete_run(run_id)
        shown = dovetail.collect_garbage(dry_run=True)
        later = logged(wine)
        dovetail.delete_run(later)
        dovetail.restore_run(restored)
        registry.delete_registered_model("forest")
        report = dovetail.collect_garbage(confirmed=shown)
        assert outcomes(report) == {agreed: "removed", needed: "kept"}
        assert {name.split("/")[0] for name in files(folder)} == {restored, needed, later}

    def test_an_experiment_that_was_agreed_to_stays_with_what_came_into_it(self, wine: str) -> None:
        agreed, later = logged(wine), logged(wine)
        dovetail.delete_run(agreed)
        elsewhere = dovetail.create_experiment("elsewhere")
        dovetail.move_runs(later, "elsewhere")
        dovetail.delete_experiment(wine)
        shown = dovetail.collect_garbage(dry_run=True)
        dovetail.restore_experiment(wine)
        dovetail.move_runs(later, "wine")
        dovetail.delete_experiment(wine)
        assert outcomes(dovetail.collect_garbage(confirmed=shown)) == {agreed: "removed", wine: "kept"}
        assert dovetail.get_run(later).info.experiment_id == wine != elsewhere


class Faltering(MemoryRegistryStore):
    """A registry that is away after it was read once, and takes its time to say so."""

    asked = 0

    def search_model_versions(self, *arguments: Any, **options: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            return super().search_model_versions(*arguments, **options)
        time.sleep(0.1)
        raise StoreUnavailable("The registry is away.")


class FalteringRegistries:
    @hookimpl
    def dovetail_registry_stores(self) -> dict[str, Callable[[str], RegistryStore]]:
        return {"faltering": Faltering}


plugins.register(FalteringRegistries(), "registry_stores", "faltering")


class TestRegistered:
    def version(self, registry: RegistryStore, source: str, **fields: Any) -> None:
        if not list(registry.search_registered_models("name = 'forest'")):
            registry.create_registered_model("forest")
        registry.create_model_version(NewModelVersion("forest", source, **fields))

    def test_what_a_version_refers_to_stays_whole(self, wine: str, folder: Path, registry: RegistryStore) -> None:
        run_id = logged(wine)
        self.version(registry, "s3://elsewhere/model", run_id=run_id)
        registry.move_alias("forest", "champion", 1)
        dovetail.delete_run(run_id)
        kept = only(dovetail.collect_garbage())
        assert kept.outcome == "kept"
        assert kept.reason == "forest version 1 (@champion) refers to it"
        assert len(files(folder)) == 2
        dovetail.restore_run(run_id)
        assert dovetail.get_run(run_id).info.lifecycle_stage == "active"

    @pytest.mark.parametrize(
        "source",
        [
            "runs:/{run}/deep",
            "{folder}/{run}/artifacts/deep",
            "{uri}/{run}/artifacts",
            "local://{folder}/{run}/artifacts/deep",
            "simplecache::{uri}/{run}/artifacts/deep",
        ],
    )
    def test_a_source_inside_refers_to_it(self, wine: str, folder: Path, registry: RegistryStore, source: str) -> None:
        run_id, other = logged(wine), logged(wine)
        self.version(registry, source.format(run=run_id, folder=folder, uri=folder.as_uri()))
        self.version(registry, f"{folder}/{other}-not/artifacts")
        for each in (run_id, other):
            dovetail.delete_run(each)
        assert outcomes(dovetail.collect_garbage()) == {run_id: "kept", other: "removed"}

    @pytest.mark.parametrize("source", ["{folder}/{run}", "{folder}", "{uri}/"])
    def test_a_source_above_refers_to_it(self, wine: str, folder: Path, registry: RegistryStore, source: str) -> None:
        run_id = logged(wine)
        self.version(registry, source.format(run=run_id, folder=folder, uri=folder.as_uri()))
        dovetail.delete_run(run_id)
        assert outcomes(dovetail.collect_garbage()) == {run_id: "kept"}
        assert len(files(folder)) == 2

    @pytest.mark.parametrize("source", ["runs:/{run}/deep", "{folder}/{run}/artifacts/deep"])
    def test_what_is_registered_meanwhile_counts(
        self, wine: str, folder: Path, registry: RegistryStore, source: str
    ) -> None:
        runs = {logged(wine) for _ in range(3)}
        for run_id in runs:
            dovetail.delete_run(run_id)
        gone: list[str] = []

        def follow(collected: Collected) -> None:
            if not gone:
                gone.append(collected.id)
                for run_id in runs - {collected.id}:
                    self.version(registry, source.format(run=run_id, folder=folder))

        found = outcomes(dovetail.collect_garbage(progress=follow))
        assert found == {run_id: "removed" if run_id in gone else "kept" for run_id in runs}
        assert len(gone) == 1
        assert len(files(folder)) == 4

    def test_a_logged_model_that_came_to_be_what_a_version_names(
        self, store: TrackingStore, wine: str, registry: RegistryStore
    ) -> None:
        run_id = logged(wine)
        self.version(registry, f"runs:/{run_id}/net/weights", run_id=run_id)
        models = [
            store.create_logged_model(NewLoggedModel(wine, name=name, source_run_id=run_id)).model_id
            for name in ("net", "other")
        ]
        for model_id in models:
            store.delete_logged_model(model_id)
        assert outcomes(dovetail.collect_garbage()) == dict(zip(models, ["kept", "removed"], strict=True))

    def test_a_logged_model(self, store: TrackingStore, wine: str, registry: RegistryStore) -> None:
        models = [store.create_logged_model(NewLoggedModel(wine)) for _ in range(4)]
        self.version(registry, f"models:/{models[0].model_id}")
        self.version(registry, "s3://elsewhere/model", model_id=models[1].model_id)
        self.version(registry, f"{models[2].artifact_location}/data")
        for each in models:
            store.delete_logged_model(each.model_id)
        found = outcomes(dovetail.collect_garbage())
        assert [found[each.model_id] for each in models] == ["kept"] * 3 + ["removed"]

    def test_it_goes_once_the_version_is_gone(self, wine: str, registry: RegistryStore) -> None:
        run_id = logged(wine)
        self.version(registry, f"runs:/{run_id}/m")
        dovetail.delete_run(run_id)
        dovetail.collect_garbage()
        registry.delete_model_version("forest", 1)
        assert outcomes(dovetail.collect_garbage()) == {run_id: "removed"}

    def test_its_experiment_stays(self, wine: str, registry: RegistryStore) -> None:
        run_id, other = logged(wine), logged(wine)
        self.version(registry, f"runs:/{run_id}/m")
        dovetail.delete_experiment(wine)
        for dry_run in (True, False):
            report = dovetail.collect_garbage(dry_run=dry_run)
            assert outcomes(report) == {run_id: "kept", other: "removed", wine: "kept"}
            assert report.kept[-1].reason == f"run {run_id} stays in it"
        dovetail.restore_experiment(wine)
        assert dovetail.get_run(run_id).info.lifecycle_stage == "active"

    def test_many_versions_are_named_by_a_few(self, wine: str, registry: RegistryStore) -> None:
        run_id = logged(wine)
        for _ in range(5):
            self.version(registry, f"runs:/{run_id}/m")
        registry.transition_stage("forest", 2, "Production")
        dovetail.delete_run(run_id)
        reason = only(dovetail.collect_garbage()).reason
        assert "forest version 2 (Production)" in reason
        assert reason.endswith(" and 2 more refer to it")

    def test_another_registry_counts_and_so_does_the_one_beside_the_runs(
        self, wine: str, registry: RegistryStore
    ) -> None:
        first, second = logged(wine), logged(wine)
        self.version(registry, f"runs:/{first}/m")
        dovetail.set_registry_uri(f"memory://{uuid.uuid4().hex}")
        self.version(places.registry_store(), f"runs:/{second}/m")
        for each in (first, second):
            dovetail.delete_run(each)
        assert set(outcomes(dovetail.collect_garbage()).values()) == {"kept"}

    def test_a_registry_that_goes_away_is_not_waited_for_again_and_again(self, wine: str, folder: Path) -> None:
        runs = [logged(wine) for _ in range(6)]
        for run_id in runs:
            dovetail.delete_run(run_id)
        dovetail.set_registry_uri(f"faltering://{uuid.uuid4().hex}")
        report = dovetail.collect_garbage()
        assert {each.reason for each in report.failed} == {"The registry is away."}
        assert outcomes(report) == dict.fromkeys(runs, "failed")
        registry = places.registry_store()
        assert isinstance(registry, Faltering)
        assert registry.asked == 2
        dovetail.restore_run(runs[0])
        assert len(files(folder)) == 12

    def test_a_registry_that_cannot_be_asked_keeps_everything(self, wine: str) -> None:
        dovetail.delete_run(logged(wine))
        dovetail.set_registry_uri("nosuch://place")
        with pytest.raises(PluginMissing):
            dovetail.collect_garbage()
        dovetail.set_registry_uri(None)
        assert len(dovetail.collect_garbage().removed) == 1


class TestFolders:
    """Nothing is removed but a thing's own folder."""

    def test_files_of_others_beside_the_runs_stay(self, wine: str, folder: Path) -> None:
        dovetail.delete_run(logged(wine))
        (folder / "mine.txt").write_text("mine")
        dovetail.delete_experiment(wine)
        assert {each.outcome for each in dovetail.collect_garbage().collected} == {"removed"}
        assert files(folder) == ["mine.txt"]

    def test_the_folder_an_experiment_got_goes_when_it_is_empty(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dovetail.set_tracking_uri(f"memory://{uuid.uuid4().hex}")
        full, empty = (
            dovetail.create_experiment(name, artifact_location=str(tmp_path / number))
            for name, number in (("full", "1"), ("empty", "2"))
        )
        for each in (full, empty):
            logged(each)
            dovetail.delete_experiment(each)
        (tmp_path / "1" / "mine.txt").write_text("mine")
        dovetail.collect_garbage()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["1"]

    @pytest.mark.parametrize(
        "place", ["", "/", "{folder}", "{folder}/{run}", "s3://bucket", "{folder}/other/artifacts"]
    )
    def test_a_place_that_is_not_its_own_is_left_alone(
        self, store: TrackingStore, wine: str, folder: Path, place: str
    ) -> None:
        run_id, other = logged(wine), logged(wine)
        put_elsewhere(store, run_id, place.format(folder=folder, run=run_id))
        dovetail.delete_run(run_id)
        kept = only(dovetail.collect_garbage())
        assert (kept.outcome, "may not be its own" in kept.reason) == ("kept", True)
        assert len(files(folder)) == 4
        assert dovetail.get_run(other)

    def test_two_things_in_one_folder(self, store: TrackingStore, wine: str, folder: Path) -> None:
        run_id, other = logged(wine), Client().create_run("0").info.run_id
        put_elsewhere(store, other, f"{folder}/./{run_id}/artifacts/")
        dovetail.delete_run(run_id)
        kept = only(dovetail.collect_garbage())
        assert (kept.outcome, kept.reason.startswith(f"run {other} has its artifacts there")) == ("kept", True)
        assert len(files(folder)) == 2

    def test_a_folder_with_others_in_it(self, wine: str, folder: Path) -> None:
        run_id = logged(wine)
        inner = dovetail.create_experiment("inner", artifact_location=f"{folder}/{run_id}/artifacts/inner")
        dovetail.delete_run(run_id)
        kept = only(dovetail.collect_garbage())
        assert (kept.outcome, kept.reason.startswith(f"experiment {inner} has its artifacts there")) == ("kept", True)

    def test_an_experiment_that_is_made_meanwhile_in_a_folder(self, wine: str, folder: Path) -> None:
        runs = {logged(wine), logged(wine)}
        for run_id in runs:
            dovetail.delete_run(run_id)
        held: list[str] = []

        def follow(collected: Collected) -> None:
            if not held:
                held.extend(runs - {collected.id})
                below = folder / held[0] / "artifacts" / "below"
                logged(dovetail.create_experiment("below", artifact_location=str(below)))

        found = outcomes(dovetail.collect_garbage(progress=follow))
        assert found == {run_id: "kept" if run_id in held else "removed" for run_id in runs}
        assert len(files(folder)) == 4

    def test_a_run_that_moved_out_of_a_folder_keeps_it(self, wine: str, folder: Path) -> None:
        run_id = logged(wine)
        inner = dovetail.create_experiment("inner", artifact_location=f"{folder}/{run_id}/artifacts/inner")
        moved = logged(inner)
        dovetail.move_runs(moved, "Default")
        dovetail.delete_experiment(inner)
        dovetail.collect_garbage()
        dovetail.delete_run(run_id)
        assert only(dovetail.collect_garbage()).reason.startswith(f"run {moved} has its artifacts there")

    @pytest.mark.parametrize("at", ["{run}", "{run}/artifacts"])
    def test_a_link_instead_of_the_folder(self, wine: str, folder: Path, tmp_path: Path, at: str) -> None:
        run_id, other = logged(wine), logged(wine)
        link = folder / at.format(run=run_id)
        link.rename(tmp_path / "aside")
        link.symlink_to(folder / at.format(run=other))
        dovetail.delete_run(run_id)
        kept = only(dovetail.collect_garbage())
        assert (kept.outcome, "symbolic link" in kept.reason) == ("kept", True)
        assert len(files(folder / other)) == 2

    def test_a_location_that_is_a_link_itself_is_followed(self, store: TrackingStore, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        experiment_id = dovetail.create_experiment("linked", artifact_location=str(tmp_path / "link"))
        dovetail.delete_run(logged(experiment_id))
        assert only(dovetail.collect_garbage()).size == 200
        assert list((tmp_path / "real").iterdir()) == []
        assert (tmp_path / "link").is_symlink()

    def test_links_inside_go_without_what_they_lead_to(self, wine: str, folder: Path, tmp_path: Path) -> None:
        run_id = logged(wine)
        (tmp_path / "precious").mkdir()
        (tmp_path / "precious" / "file").write_text("mine")
        (folder / run_id / "artifacts" / "out").symlink_to(tmp_path / "precious")
        dovetail.delete_run(run_id)
        assert only(dovetail.collect_garbage()).outcome == "removed"
        assert not (folder / run_id).exists()
        assert (tmp_path / "precious" / "file").read_text() == "mine"

    def test_names_that_are_percent_encoded(self, store: TrackingStore, tmp_path: Path) -> None:
        folder = tmp_path / "a b%41é"
        experiment_id = dovetail.create_experiment("odd", artifact_location=str(folder))
        dovetail.delete_run(logged(experiment_id))
        assert only(dovetail.collect_garbage()).size == 200
        assert files(tmp_path) == []

    def test_the_root_of_a_bucket_as_location(self, store: TrackingStore) -> None:
        experiment_id = dovetail.create_experiment("bucket", artifact_location="brittle://bucket?region=x")
        run_id = logged(experiment_id)
        dovetail.delete_run(run_id)
        assert only(dovetail.collect_garbage()).size == 200
        assert Brittle.shelves[f"brittle://bucket/{run_id}/artifacts?region=x"].files == {}


def put_elsewhere(store: TrackingStore, run_id: str, place: str) -> None:
    """Let a run keep its artifacts in some place, as somebody with access to the store could."""
    from dataclasses import replace

    assert isinstance(store, MemoryTrackingStore)
    record = store._runs[run_id]
    store._runs[run_id] = replace(record, info=replace(record.info, artifact_uri=place))


@pytest.mark.parametrize(
    "location",
    ["memory://", "memory://name", "s3://bucket", "S3://bucket/a/?region=x", "file:///srv/a%20b", "/srv/a b", "/", "file:///",
     "mlflow-artifacts:/0", "relative", "/srv/../srv/a//b/", "odd:"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["run-1/artifacts", "models/m-1/artifacts"])
def test_the_quick_spelling_of_a_place_is_the_careful_one(location: str, name: str) -> None:
    place = uris.join(location, *name.split("/"))
    assert place_below(place) == place_of(place)


class TestTrouble:
    @pytest.fixture
    def far(self, store: TrackingStore) -> str:
        """An experiment whose artifacts may be out of reach."""
        Brittle.away = False
        return dovetail.create_experiment("far", artifact_location=f"brittle://{uuid.uuid4().hex}")

    def test_artifacts_out_of_reach_are_taken_up_the_next_time(self, far: str) -> None:
        run_id = logged(far)
        dovetail.delete_experiment(far)
        Brittle.away = True
        for _ in range(2):
            report = dovetail.collect_garbage()
            assert outcomes(report) == {run_id: "failed", far: "kept"}
            assert report.failed[0].reason == "Cannot delete: the place is away."
            assert report.size == 0
        with pytest.raises(NotFound):
            dovetail.restore_run(run_id)
        Brittle.away = False
        assert outcomes(dovetail.collect_garbage("30d")) == {run_id: "removed"}
        assert outcomes(dovetail.collect_garbage()) == {far: "removed"}

    def test_others_go_on(self, far: str, wine: str) -> None:
        runs = [logged(far), logged(wine)]
        for run_id in runs:
            dovetail.delete_run(run_id)
        Brittle.away = True
        assert outcomes(dovetail.collect_garbage()) == {runs[0]: "failed", runs[1]: "removed"}
        Brittle.away = False

    def test_a_place_that_no_plugin_opens(self, store: TrackingStore, wine: str) -> None:
        run_id = logged(wine)
        put_elsewhere(store, run_id, f"nosuch-scheme-{uuid.uuid4().hex}://x/{run_id}/artifacts")
        dovetail.delete_run(run_id)
        assert outcomes(dovetail.collect_garbage(dry_run=True)) == {run_id: "failed"}
        assert outcomes(dovetail.collect_garbage()) == {run_id: "failed"}

    def test_killed_between_artifacts_and_the_rest(self, folder: Path) -> None:
        dovetail.set_tracking_uri("forgetful://store")
        store = places.tracking_store()
        assert isinstance(store, Forgetful)
        wine = dovetail.create_experiment("wine", artifact_location=str(folder))
        run_id, later = logged(wine), logged(wine)
        for each in (run_id, later):
            dovetail.delete_run(each)
            time.sleep(0.002)
        store.killed = True
        with pytest.raises(KeyboardInterrupt):
            dovetail.collect_garbage()
        store.killed = False
        assert not (folder / run_id).exists()
        dovetail.restore_run(later)
        assert outcomes(dovetail.collect_garbage("30d")) == {run_id: "removed"}
        assert dovetail.get_run(later).info.lifecycle_stage == "active"

    def test_the_default_experiment_stays_without_its_runs(self, store: TrackingStore) -> None:
        run_id = Client().create_run("0").info.run_id
        dovetail.delete_experiment("0")
        report = dovetail.collect_garbage()
        assert outcomes(report) == {run_id: "removed", "0": "kept"}
        assert "default experiment" in report.kept[0].reason
        dovetail.restore_experiment("0")

    def test_restored_in_the_last_moment(self, store: TrackingStore, wine: str) -> None:
        runs = [logged(wine), logged(wine)]
        for run_id in runs:
            dovetail.delete_run(run_id)
            time.sleep(0.002)
        report = dovetail.collect_garbage(
            progress=lambda each: dovetail.restore_run(runs[1]) if each.id == runs[0] else None
        )
        assert outcomes(report) == {runs[0]: "removed", runs[1]: "kept"}
        assert "restored" in report.kept[0].reason
        assert len(Client().list_artifacts(runs[1])) == 2


class TestManyAtOnce:
    def test_two_processes_share_the_work(self, script: Any, tmp_path: Path) -> None:
        import subprocess
        import sys

        dovetail.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
        experiment_id = dovetail.create_experiment("wine")
        for _ in range(30):
            logged(experiment_id)
        dovetail.delete_experiment(experiment_id)
        program = "import dovetail; r = dovetail.collect_garbage(); print(len(r.removed), len(r.failed))"
        both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=60)[0].split() for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert [failed for _, failed in said] == ["0", "0"]
        dovetail.collect_garbage()
        assert list(places.tracking_store().discarded()) == []
        assert files(tmp_path / "dovetail-artifacts") == []

    def test_killed_at_any_moment_the_next_one_finishes(self, tmp_path: Path) -> None:
        import random
        import subprocess
        import sys

        dovetail.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
        kept = logged("0")
        experiment_id = dovetail.create_experiment("wine")
        for _ in range(60):
            logged(experiment_id)
        dovetail.delete_experiment(experiment_id)
        program = "import dovetail; dovetail.collect_garbage(progress=lambda each: print(each.id, flush=True))"
        chance = random.Random(5)
        for _ in range(3):
            process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            for _ in range(chance.randint(1, 8)):
                process.stdout.readline()
            time.sleep(chance.random() / 100)
            process.kill()
            process.communicate()
        report = dovetail.collect_garbage()
        assert not report.failed
        assert report.collected[-1].kind == "experiment"
        assert list(places.tracking_store().discarded()) == []
        assert len(files(tmp_path / "dovetail-artifacts")) == 2
        assert len(Client().list_artifacts(kept)) == 2
        dovetail.create_experiment("wine")


def test_run_ids_of_clients_lead_nowhere_else(store: TrackingStore, wine: str, folder: Path) -> None:
    """Ids are text of clients' choice, but none of them is a way out of the experiment's folder."""
    run_id = store.create_run(NewRun(wine, run_id="artifacts", start_time=now_ms())).info.run_id
    Client().log_text(run_id, "x", "a.txt")
    other = logged(wine)
    dovetail.delete_run(run_id)
    assert only(dovetail.collect_garbage()).outcome == "removed"
    assert len(files(folder / other)) == 2
