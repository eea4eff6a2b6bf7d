"""``dovetail gc``, and the commands that delete, restore and move whole families of runs."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import Client, hookimpl, plugins
from dovetail.errors import StoreUnavailable
from dovetail.testing import memory_registry
from dovetail.testing.memory_artifacts import MemoryArtifactStore
from dovetail.tracking import places
from dovetail.values import NewModelVersion, Param

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Stuck(MemoryArtifactStore):
    """Artifacts that cannot be deleted."""

    def delete(self, path: str) -> None:
        raise StoreUnavailable("Cannot delete: the place is away.")


class StuckPlaces:
    @hookimpl
    def dovetail_artifact_stores(self) -> Any:
        return {"stuck": Stuck}


plugins.register(StuckPlaces(), "artifact_stores", "stuck")


@pytest.fixture
def wine(drawer: None, tmp_path: Path) -> str:
    """An experiment whose artifacts are files of this machine."""
    return Client().create_experiment("wine", artifact_location=str(tmp_path / "wine"))


@pytest.fixture
def registered(drawer: None, tmp_path: Path) -> Iterator[Any]:
    """A registry in memory; ``registered(run_id)`` makes a version of the run, with an alias."""
    os.environ["DOVETAIL_REGISTRY_URI"] = f"memory://{tmp_path.name}"
    plugins.register(memory_registry, "registry_stores", "memory")

    def register(run_id: str) -> None:
        registry = places.registry_store()
        registry.create_registered_model("forest")
        registry.create_model_version(NewModelVersion("forest", f"runs:/{run_id}/model", run_id=run_id))
        registry.move_alias("forest", "champion", 1)

    yield register
    del os.environ["DOVETAIL_REGISTRY_URI"]


def deleted(experiment_id: str, size: int = 1500) -> str:
    """A run in the bin with one artifact."""
    run_id = Client().create_run(experiment_id, run_name="fox").info.run_id
    Client().log_text(run_id, "x" * size, "a.txt")
    Client().delete_run(run_id)
    return run_id


class TestGc:
    def test_nothing_to_do(self, dovetail: Any) -> None:
        for arguments in ((), ("--dry-run",), ("--yes",)):
            ended = dovetail("gc", *arguments)
            assert (ended.exit_code, ended.out, ended.err) == (0, "There is nothing to remove.\n", "")

    def test_what_would_go_and_what_went(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        run_id = deleted(wine)
        dry = dovetail("gc", "--dry-run").out.splitlines()
        assert [line.split() for line in dry[:2]] == [
            ["Kind", "Id", "Name", "Size", "Outcome"], ["run", run_id, "fox", "1.5", "kB", "to", "be", "removed"],
        ]  # fmt: skip
        assert dry[2] == "Would remove 1 thing, 1.5 kB."
        assert dovetail("gc", "-y").out.splitlines()[2] == "Removed 1 thing, 1.5 kB."
        assert list((tmp_path / "wine").iterdir()) == []
        assert dovetail("runs", "restore", run_id).exit_code == 3

    def test_as_json(self, dovetail: Any, wine: str) -> None:
        run_id = deleted(wine)
        for arguments in (("--dry-run",), ("--yes",)):
            said = json.loads(dovetail("gc", "--json", *arguments).out)
            assert said == {
                "dry_run": arguments == ("--dry-run",),
                "bytes": 1500,
                "given_back": None,
                "items": [
                    {"kind": "run", "id": run_id, "name": "fox", "outcome": "removed", "size": 1500, "reason": ""}
                ],
            }

    def test_where_nobody_can_be_asked_it_must_be_said(self, dovetail: Any, wine: str) -> None:
        run_id = deleted(wine)
        for arguments in ((), ("--json",)):
            ended = dovetail("gc", *arguments)
            assert (ended.exit_code, ended.out) == (2, "")
            assert "1 thing would be removed for good, and there is nobody to ask." in ended.err
            assert "--yes" in ended.err
        assert "is back" in dovetail("runs", "restore", run_id).out

    @pytest.mark.parametrize(("age", "goes"), [("1h", False), ("1d2h3m4s", False), ("0", True), ("0s", True)])
    def test_older_than(self, dovetail: Any, wine: str, age: str, goes: bool) -> None:
        deleted(wine)
        assert ("Removed" in dovetail("gc", "--yes", "--older-than", age).out) == goes

    def test_retention(self, dovetail: Any, wine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        deleted(wine)
        monkeypatch.setenv("DOVETAIL_RETENTION", "30d")
        assert dovetail("gc", "--yes").out == "There is nothing to remove.\n"
        assert "Removed 1 thing" in dovetail("gc", "--yes", "--older-than", "0").out

    @pytest.mark.parametrize("age", ["", "30", "soon", "1h1d"])
    def test_what_is_no_age(self, dovetail: Any, age: str) -> None:
        ended = dovetail("gc", "--yes", f"--older-than={age}")
        assert (ended.exit_code, "no length of time" in ended.err) == (2, True)

    def test_only_what_is_named(self, dovetail: Any, wine: str) -> None:
        runs = [deleted(wine) for _ in range(3)]
        named = ",".join(runs[:2])
        assert {each["id"] for each in json.loads(dovetail("gc", "-y", "--run-ids", named, "--json").out)["items"]} == {
            *runs[:2]
        }
        Client().delete_experiment(wine)
        said = json.loads(dovetail("gc", "--yes", "--experiment-ids", wine, "--json").out)
        assert [each["id"] for each in said["items"]] == [runs[2], wine]
        assert dovetail("experiments", "create", "-n", "wine").exit_code == 0

    @pytest.mark.parametrize("option", ["--run-ids", "--experiment-ids", "--logged-model-ids"])
    def test_ids_of_nothing_do_not_mean_everything(self, dovetail: Any, wine: str, option: str) -> None:
        deleted(wine)
        for ids in ("", " , "):
            ended = dovetail("gc", "--yes", option, ids)
            assert (ended.exit_code, "names no ids" in ended.err) == (2, True)
        ended = dovetail("gc", "--yes", option, "nobody")
        assert (ended.exit_code, "is not in the bin" in ended.err) == (5, True)
        assert "Would remove 1 thing" in dovetail("gc", "--dry-run").out

    def test_another_place(self, dovetail: Any, wine: str, tmp_path: Path) -> None:
        elsewhere = f"drawer://{tmp_path.name}-elsewhere"
        run_id = Client(elsewhere).create_run("0").info.run_id
        Client(elsewhere).delete_run(run_id)
        deleted(wine)
        for option in ("--backend-store-uri", "--tracking-uri"):
            assert run_id in dovetail("gc", "--dry-run", option, elsewhere).out
        assert dovetail("gc", "--yes", "--backend-store-uri", elsewhere, "--tracking-uri", elsewhere).exit_code == 0
        assert "Would remove 1 thing, 1.5 kB." in dovetail("gc", "--dry-run").out
        ended = dovetail("gc", "--yes", "--backend-store-uri", elsewhere, "--tracking-uri", "drawer://x")
        assert (ended.exit_code, "two places" in ended.err) == (2, True)

    def test_space_is_given_back_on_request(self, dovetail: Any, tmp_path: Path) -> None:
        place = f"sqlite:///{tmp_path}/runs.db"
        client = Client(place)
        run_id = client.create_run("0").info.run_id
        client.log_batch(run_id, params=[Param(f"p{number}", "x" * 5000) for number in range(500)])
        client.delete_run(run_id)
        assert dovetail("gc", "--yes", "--vacuum", "--dry-run", "--tracking-uri", place).exit_code == 2
        ended = dovetail("gc", "--yes", "--vacuum", "--tracking-uri", place)
        assert ended.exit_code == 0
        assert re.fullmatch(r"The database gave [2-9]\.\d MB back\.", ended.out.splitlines()[-1])
        assert (tmp_path / "runs.db").stat().st_size < 500_000
        assert json.loads(dovetail("gc", "--vacuum", "--json", "--tracking-uri", place).out)["given_back"] == 0
        assert dovetail("gc", "--vacuum").out.splitlines()[-1] == "The store sees to its space by itself."

    def test_what_is_registered_stays(self, dovetail: Any, wine: str, registered: Any) -> None:
        run_id = deleted(wine)
        registered(run_id)
        ended = dovetail("gc", "--yes")
        assert ended.exit_code == 0
        assert "kept: forest version 1 (@champion) refers to it" in ended.out
        assert ended.out.splitlines()[-1] == "Removed 0 things, 0 B; 1 thing stays."
        assert dovetail("gc").exit_code == 0

    def test_what_cannot_be_removed_is_an_error(self, dovetail: Any) -> None:
        experiment_id = Client().create_experiment("stuck", artifact_location="stuck://place")
        run_id = Client().create_run(experiment_id).info.run_id
        Client().delete_run(run_id)
        ended = dovetail("gc", "--yes")
        assert (ended.exit_code, "failed: Cannot delete: the place is away." in ended.out) == (7, True)
        assert f"1 thing could not be removed; the first is run {run_id}" in ended.err
        assert json.loads(dovetail("gc", "--yes", "--json").out)["items"][0]["outcome"] == "failed"
        assert dovetail("runs", "restore", run_id).exit_code == 3

    @pytest.mark.parametrize(
        "option", ["--artifacts-destination", "--jobs", "--job-ids", "--workspace", "--all-workspaces"]
    )
    def test_options_that_would_be_ignored_are_not_taken(self, dovetail: Any, option: str) -> None:
        assert dovetail("gc", "--yes", option, "x").exit_code == 2

    @pytest.mark.parametrize(("answer", "goes"), [("n", False), ("y", True)])
    def test_a_person_is_asked(self, screen: Any, answer: str, goes: bool) -> None:
        ended = screen("gc", story='client.delete_run(add("fox", 1))', typed=f"{answer}\n")
        assert "Remove 1 thing for good, 0 B? [y/N]" in ended.out
        assert ("Removed 1 thing, 0 B." in ended.out, ended.exit_code) == (goes, 0 if goes else 1)

    def test_only_what_was_shown_goes(self, screen: Any) -> None:
        """Somebody deletes another run while the question stands."""
        story = (
            "client.delete_run(add('fox', 1)); other = add('owl', 1)\n"
            "import atexit, typer\n"
            "answered = typer.confirm\n"
            "def confirm(*arguments, **options):\n"
            "    client.delete_run(other); return answered(*arguments, **options)\n"
            "typer.confirm = confirm\n"
            "atexit.register(lambda: print('left:', client.get_run(other).info.run_name))"
        )
        ended = screen("gc", story=story, typed="y\n")
        assert "Removed 1 thing, 0 B." in ended.out
        assert "left: owl" in ended.out


class TestFamilies:
    @pytest.fixture
    def family(self, drawer: None) -> tuple[str, str, str]:
        top = Client().create_run("0").info.run_id
        child = Client().create_run("0", tags={"mlflow.parentRunId": top}).info.run_id
        return top, child, Client().create_run("0", tags={"mlflow.parentRunId": child}).info.run_id

    def stages(self, *run_ids: str) -> list[str]:
        return [Client().get_run(each).info.lifecycle_stage for each in run_ids]

    def test_deleted_and_restored_together(self, dovetail: Any, family: tuple[str, ...]) -> None:
        said = dovetail("runs", "delete", family[0], "--cascade").out
        assert said == (
            f"Run {family[0]} and 2 below it are in the bin; "
            f"`dovetail runs restore {family[0]} --cascade` brings them back.\n"
        )
        assert self.stages(*family) == ["deleted"] * 3
        assert dovetail("runs", "restore", family[0], "--cascade").out == f"Run {family[0]} and 2 below it are back.\n"
        assert self.stages(*family) == ["active"] * 3

    def test_alone(self, dovetail: Any, family: tuple[str, ...]) -> None:
        dovetail("runs", "delete", family[0])
        assert self.stages(*family) == ["deleted", "active", "active"]
        said = dovetail("runs", "delete", family[2], "--cascade").out
        assert said == f"Run {family[2]} is in the bin; `dovetail runs restore {family[2]}` brings it back.\n"

    def test_moved(self, dovetail: Any, family: tuple[str, ...]) -> None:
        there = Client().create_experiment("there")
        assert dovetail("runs", "move", family[0][:12], "--to", "there").out == (
            f"1 run is in experiment {there} (there) now.\n"
        )
        said = json.loads(dovetail("runs", "move", family[0], "--to", there, "--children", "--json").out)
        assert said == {"experiment_id": there, "run_ids": list(family)}
        assert [Client().get_run(each).info.experiment_id for each in family] == [there] * 3

    def test_moved_wrongly(self, dovetail: Any, family: tuple[str, ...]) -> None:
        assert dovetail("runs", "move", family[0]).exit_code == 2
        assert dovetail("runs", "move", "--to", "0").exit_code == 2
        assert dovetail("runs", "move", family[0], "--to", "nowhere").exit_code == 3
        assert dovetail("runs", "move", "nobody", "--to", "0").exit_code == 3
        Client().delete_experiment(Client().create_experiment("gone"))
        assert dovetail("runs", "move", family[0], "--to", "gone").exit_code == 2
