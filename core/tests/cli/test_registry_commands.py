"""``dovetail registry``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import hookimpl, plugins
from dovetail.cli import completion
from dovetail.registry.models import register_model
from dovetail.testing import MemoryRegistryStore
from dovetail.tracking.client import Client
from dovetail.values import ModelVersionStatus

if TYPE_CHECKING:
    from dovetail.values import ModelVersion, NewModelVersion


class SlowRegistry(MemoryRegistryStore):
    """Versions are never ready."""

    def create_model_version(self, version: NewModelVersion) -> ModelVersion:
        return replace(super().create_model_version(version), status=ModelVersionStatus.PENDING_REGISTRATION)

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        pending = ModelVersionStatus.PENDING_REGISTRATION
        return replace(super().get_model_version(name, version), status=pending)


class SlowRegistries:
    """A plugin with such a registry."""

    @hookimpl
    def dovetail_registry_stores(self) -> Any:
        return {"slow": SlowRegistry}


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawer: None) -> Client:
    """A registry of the test's own, with two versions of a model."""
    monkeypatch.setenv("DOVETAIL_REGISTRY_URI", f"memory://{tmp_path}")
    Path("saved").mkdir()
    Path("saved/MLmodel").write_text("flavors: {lines: {}}\n")
    for _ in range(2):
        register_model("saved", "wine")
    return Client()


def told(done: Any) -> Any:
    """What a command told machines."""
    assert done.exit_code == 0, done.err
    return json.loads(done.out)


class TestModels:
    def test_are_listed(self, dovetail: Any, registry: Client) -> None:
        registry.create_registered_model("beer")
        registry.set_registered_model_alias("wine", "champion", 2)
        rows = dovetail("registry", "list").out.splitlines()
        assert [row.split()[:4] for row in rows[1:]] == [["beer", "-", "-", "0"], ["wine", "2", "@champion", "2"]]
        assert [each["name"] for each in told(dovetail("registry", "list", "--json"))] == ["beer", "wine"]
        filtered = told(dovetail("registry", "list", "-f", "name = 'wine'", "-o", "name DESC", "-m", "1", "--json"))
        assert filtered[0]["aliases"] == {"champion": 2}

    def test_none_are_listed_with_what_to_do(self, dovetail: Any, registry: Client) -> None:
        registry.delete_registered_model("wine")
        assert "registry register" in dovetail("registry", "list").out

    def test_a_wrong_filter_is_wrong_input(self, dovetail: Any) -> None:
        assert dovetail("registry", "list", "-f", "nonsense").exit_code == 2

    def test_one_is_shown(self, dovetail: Any, registry: Client) -> None:
        registry.set_registered_model_alias("wine", "champion", 2)
        registry.set_registered_model_tag("wine", "place", "postgresql://me:secret@host/db")
        registry.update_registered_model("wine", "reds")
        shown = dovetail("registry", "show", "wine").out
        assert "@champion is version 2" in shown
        assert "reds" in shown
        assert "secret" not in shown
        assert told(dovetail("registry", "show", "wine", "--json"))["latest_versions"][0]["version"] == 2

    def test_one_that_is_not_there_is_not_found(self, dovetail: Any) -> None:
        for words in (
            ["show", "x"], ["versions", "x"], ["history", "x"], ["rename", "x", "y"], ["tag", "x", "a=b"],
            ["untag", "x", "a"], ["describe", "x", "d"], ["delete", "x", "-y"], ["alias", "set", "x", "a", "1"],
            ["alias", "delete", "x", "a"], ["stage", "x", "1", "Staging"], ["rollback", "x", "a"],
            ["copy", "models:/x/1", "y"], ["register", "nothing", "y"], ["show", "wine", "--version", "9"],
            ["show", "x", "--alias", "latest"],
        ):  # fmt: skip
            assert dovetail("registry", *words).exit_code == 3, words

    def test_are_created_renamed_described_and_tagged(self, dovetail: Any, registry: Client) -> None:
        made = told(dovetail("registry", "create", "beer", "--description", "ales", "-t", "a=b=c", "--json"))
        assert (made["description"], made["tags"]) == ("ales", {"a": "b=c"})
        assert dovetail("registry", "create", "beer").exit_code == 4
        assert dovetail("registry", "create", "a/b").exit_code == 2
        assert "is now called 'ale'" in dovetail("registry", "rename", "beer", "ale").out
        assert dovetail("registry", "describe", "ale", "pale").out == "Described registered model 'ale'.\n"
        assert told(dovetail("registry", "tag", "ale", "x=1", "y=2", "--json"))["tags"] == {
            "a": "b=c",
            "x": "1",
            "y": "2",
        }
        assert dovetail("registry", "untag", "ale", "x", "y").exit_code == 0
        assert registry.get_registered_model("ale").tags == {"a": "b=c"}

    @pytest.mark.parametrize("tag", ["a", "=b", ""])
    def test_what_is_no_tag_is_refused(self, tag: str, dovetail: Any) -> None:
        assert dovetail("registry", "tag", "wine", tag).exit_code == 2
        assert dovetail("registry", "tag", "wine", "a=1", "a=2").exit_code == 2

    @pytest.mark.parametrize("words", [[], ["--version", "1"]])
    def test_tags_are_set_and_removed_all_or_none(self, words: list[str], dovetail: Any, registry: Client) -> None:
        assert dovetail("registry", "tag", "wine", "x=1", "bad//k=2", *words).exit_code == 2
        assert registry.get_registered_model("wine").tags == registry.get_model_version("wine", 1).tags == {}
        assert told(dovetail("registry", "tag", "wine", "x=1", "y=2", *words, "--json"))["tags"] == {"x": "1", "y": "2"}
        assert dovetail("registry", "untag", "wine", "x", "bad//k", *words).exit_code == 2
        assert told(dovetail("registry", "untag", "wine", "y", *words, "--json"))["tags"] == {"x": "1"}


class TestVersions:
    def test_are_registered_listed_and_shown(self, dovetail: Any) -> None:
        made = told(dovetail("registry", "register", "saved", "wine", "-t", "a=b", "--json"))
        assert (made["version"], made["tags"]) == (3, {"a": "b"})
        assert "version 1 of 'new'" in dovetail("registry", "register", "saved", "new").out
        rows = dovetail("registry", "versions", "wine").out.splitlines()
        assert [row.split()[0] for row in rows[1:]] == ["3", "2", "1"]
        assert len(told(dovetail("registry", "versions", "wine", "-m", "2", "--json"))) == 2
        assert Path("saved").absolute().as_uri() in dovetail("registry", "show", "wine", "--version", "3").out
        assert told(dovetail("registry", "show", "wine", "--version", "3", "--json"))["tags"] == {"a": "b"}

    def test_are_registered_with_all_that_is_said_of_them(self, dovetail: Any, registry: Client) -> None:
        page = "https://ci.example.org/42"
        made = told(
            dovetail("registry", "register", "saved", "wine", "--description", "reds", "--run-link", page, "--json")
        )
        assert (made["version"], made["description"], made["run_link"]) == (3, "reds", page)
        assert dovetail("registry", "register", "saved", "wine", "--wait", "0").exit_code == 0
        for seconds in ("-1", "soon", "nan"):
            assert dovetail("registry", "register", "saved", "wine", "--wait", seconds).exit_code == 2
        assert len(registry.search_model_versions()) == 4

    def test_that_take_too_long_are_not_waited_for(self, dovetail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plugins.register(SlowRegistries(), "registry_stores", "slow")
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "slow://x")
        late = dovetail("registry", "register", "saved", "wine", "--wait", "0.01")
        assert (late.exit_code, "not ready after 0.01 s" in late.err) == (5, True)
        assert dovetail("registry", "register", "saved", "wine", "--wait", "0").exit_code == 0

    def test_are_shown_by_alias_and_as_the_latest(self, dovetail: Any, registry: Client) -> None:
        registry.set_registered_model_alias("wine", "champion", 1)
        assert told(dovetail("registry", "show", "wine", "--alias", "champion", "--json"))["version"] == 1
        assert told(dovetail("registry", "show", "wine", "--alias", "latest", "--json"))["version"] == 2
        assert "1 of wine" in dovetail("registry", "show", "wine", "--alias", "champion").out
        nobody = dovetail("registry", "show", "wine", "--alias", "nobody")
        assert (nobody.exit_code, "champion" in nobody.err) == (2, True)
        assert dovetail("registry", "show", "wine", "--alias", "champion", "--version", "1").exit_code == 2

    def test_of_all_models_are_searched(self, dovetail: Any, registry: Client) -> None:
        register_model("saved", "beer", tags={"checked": "yes"})
        registry.set_model_version_tag("wine", 1, "checked", "yes")
        rows = dovetail("registry", "versions", "-o", "name", "-o", "version_number DESC").out.splitlines()
        assert rows[0].split()[:2] == ["Name", "Version"]
        assert [row.split()[:2] for row in rows[1:]] == [["beer", "1"], ["wine", "2"], ["wine", "1"]]
        checked = told(dovetail("registry", "versions", "-f", "tags.checked = 'yes'", "-o", "name ASC", "--json"))
        assert [(each["name"], each["version"]) for each in checked] == [("beer", 1), ("wine", 1)]
        assert "registry register" in dovetail("registry", "versions", "-f", "name = 'nobody'").out

    def test_of_one_model_are_searched_among_its_own(self, dovetail: Any, registry: Client) -> None:
        register_model("saved", "beer")
        either = "name = 'beer' OR version_number = 1"
        found = told(dovetail("registry", "versions", "wine", "-f", either, "--json"))
        assert [(each["name"], each["version"]) for each in found] == [("wine", 1)]
        oldest = told(dovetail("registry", "versions", "wine", "-o", "version_number", "-m", "1", "--json"))
        assert [each["version"] for each in oldest] == [1]
        for wrong in ("nonsense", "version_number = 1) OR (name = 'beer'"):
            refused = dovetail("registry", "versions", "wine", "-f", wrong)
            assert (refused.exit_code, "name = 'wine'" in refused.err) == (2, False)
        assert dovetail("registry", "versions", "wine", "-o", "nonsense").exit_code == 2

    def test_whose_run_is_gone_are_still_shown(self, dovetail: Any, registry: Client) -> None:
        from dovetail.values import NewModelVersion

        registry.registry.create_model_version(NewModelVersion("wine", f"runs:/{'0' * 32}/model"))
        shown = dovetail("registry", "show", "wine", "--version", "3")
        assert shown.exit_code == 0
        assert "cannot be found" in shown.out

    def test_are_described_tagged_and_copied(self, dovetail: Any, registry: Client) -> None:
        assert dovetail("registry", "describe", "wine", "first", "--version", "1").exit_code == 0
        assert dovetail("registry", "tag", "wine", "a=b", "c=d", "--version", "1").exit_code == 0
        assert dovetail("registry", "untag", "wine", "c", "--version", "1").exit_code == 0
        copied = told(dovetail("registry", "copy", "models:/wine/1", "prod", "--json"))
        assert (copied["description"], copied["tags"]["a"], copied["version"]) == ("first", "b", 1)

    def test_quotes_in_names_are_names(self, dovetail: Any, registry: Client) -> None:
        register_model("saved", "it's")
        assert len(told(dovetail("registry", "versions", "it's", "--json"))) == 1

    def test_of_odd_numbers_are_wrong_input(self, dovetail: Any) -> None:
        for number in ("x", "0", "-1", "latest"):
            assert dovetail("registry", "show", "wine", f"--version={number}").exit_code == 2

    def test_are_fetched_and_read_by_their_uri(self, dovetail: Any) -> None:
        path = dovetail("artifacts", "download", "-u", "models:/wine/latest/MLmodel").out.strip()
        assert Path(path).read_text() == "flavors: {lines: {}}\n"
        assert "lines" in dovetail("models", "show", "-m", "models:/wine/1").out
        assert dovetail("models", "show", "-m", "models:/wine/9").exit_code == 3
        assert dovetail("models", "predict", "-m", "models:/wine@nobody", "-i", "saved/MLmodel").exit_code == 2


class TestDeleting:
    def test_asks_somebody_or_nobody(self, dovetail: Any, registry: Client) -> None:
        done = dovetail("registry", "delete", "wine")
        assert (done.exit_code, "--yes" in done.err) == (2, True)
        assert dovetail("registry", "delete", "wine", "--json").exit_code == 2
        assert "registered model 'wine' would be deleted, and there is nobody to ask." in done.err
        assert registry.get_registered_model("wine")

    def test_one_version_or_all(self, dovetail: Any, registry: Client) -> None:
        assert dovetail("registry", "delete", "wine", "--version", "1", "-y").out == "Deleted version 1 of 'wine'.\n"
        assert told(dovetail("registry", "delete", "wine", "--yes", "--json"))["name"] == "wine"
        assert registry.search_registered_models() == []

    @pytest.mark.parametrize(("answer", "goes"), [("n", False), ("y", True)])
    def test_a_person_is_asked(self, answer: str, goes: bool, screen: Any) -> None:
        done = screen("registry", "delete", "wine", story='client.create_registered_model("wine")', typed=f"{answer}\n")
        assert "Delete registered model 'wine'? [y/N]" in done.out
        assert ("Deleted registered model 'wine'." in done.out, done.exit_code) == (goes, 0 if goes else 1)


class TestMoves:
    def test_of_aliases(self, dovetail: Any, registry: Client) -> None:
        assert dovetail("registry", "alias", "set", "wine", "champion", "1").out == "wine@champion is version 1.\n"
        moved = dovetail(
            "registry", "alias", "set", "wine", "champion", "2", "--expected", "1", "-r", "better", "--json"
        )
        assert told(moved)["aliases"] == {"champion": 2}
        done = dovetail("registry", "alias", "set", "wine", "champion", "1", "--expected", "NONE")
        assert (done.exit_code, "points at version 2" in done.err) == (5, True)
        assert dovetail("registry", "alias", "delete", "wine", "champion", "--expected", "2").exit_code == 0
        assert registry.get_registered_model("wine").aliases == {}

    @pytest.mark.parametrize("alias", ["latest", "v1", "a b"])
    def test_of_aliases_that_mean_something_else(self, alias: str, dovetail: Any) -> None:
        assert dovetail("registry", "alias", "set", "wine", alias, "1").exit_code == 2

    def test_of_stages(self, dovetail: Any, registry: Client) -> None:
        said = dovetail("registry", "stage", "wine", "1", "production").out
        assert said == "Version 1 of 'wine' is in stage Production.\n"
        moved = told(dovetail("registry", "stage", "wine", "2", "Production", "--archive-existing", "--json"))
        assert moved["current_stage"] == "Production"
        assert registry.get_model_version("wine", 1).current_stage == "Archived"
        assert dovetail("registry", "stage", "wine", "1", "bogus").exit_code == 2

    def test_are_history(self, dovetail: Any, registry: Client) -> None:
        assert "Nothing was moved" in dovetail("registry", "history", "wine").out
        registry.set_registered_model_alias("wine", "champion", 1, reason="the\nfirst")
        registry.transition_model_version_stage("wine", 2, "Staging")
        rows = dovetail("registry", "history", "wine").out.splitlines()
        assert ["version 2" in rows[1], "@champion" in rows[2], len(rows)] == [True, True, 3]
        [move] = told(dovetail("registry", "history", "wine", "champion", "--json"))
        assert (move["after"], move["reason"]) == ("1", "the\nfirst")

    def test_are_undone(self, dovetail: Any, registry: Client) -> None:
        for number in (1, 2):
            registry.set_registered_model_alias("wine", "champion", number)
        assert dovetail("registry", "rollback", "wine", "champion").out == "wine@champion is version 1 again.\n"
        assert dovetail("registry", "rollback", "wine", "champion").exit_code == 5
        registry.transition_model_version_stage("wine", 2, "Staging")
        assert "in stage None again" in dovetail("registry", "rollback", "wine", "--version", "2").out
        assert dovetail("registry", "rollback", "wine").exit_code == 2
        assert dovetail("registry", "rollback", "wine", "champion", "--version", "2").exit_code == 2


class TestHelp:
    @pytest.mark.parametrize("words", [["registry"], ["registry", "--help"], ["registry", "alias", "--help"]])
    def test_lists_the_commands(self, words: list[str], dovetail: Any) -> None:
        done = dovetail(*words)
        assert "set" in done.out + done.err if "alias" in words else "rollback" in done.out + done.err

    def test_after_registering_says_what_to_do_next(self, screen: Any) -> None:
        story = "import pathlib; pathlib.Path('m').mkdir(); pathlib.Path('m/MLmodel').write_text('flavors: {}')"
        done = screen("registry", "register", "m", "red wine", story=story, columns=120)
        assert "registry alias set 'red wine' champion 1" in done.out


class TestCompletion:
    def test_offers_names(self, registry: Client) -> None:
        registry.create_registered_model("winery", description="all of them")
        registry.create_registered_model("red wine")
        assert completion.model_names("wi") == [("wine", ""), ("winery", "all of them")]

    def test_makes_no_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_REGISTRY_URI", "sqlite:///models.db")
        assert completion.model_names("") == []
        assert not Path("models.db").exists()
