"""``dovetail logged-models``."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from dovetail import Client
from dovetail.cli import completion
from dovetail.values import Batch, Dataset, DatasetInput, LoggedModelOutput, Metric, NewLoggedModel, Param, Tag

RUN = "aaa1" + "0" * 28
FIRST, SECOND, OTHER = "m-abc1" + "0" * 28, "m-abc2" + "0" * 28, "m-f" + "0" * 31
GONE = "m-e" + "0" * 31


def told(done: Any) -> Any:
    """What a command told machines."""
    assert done.exit_code == 0, done.err
    return json.loads(done.out)


def names(done: Any) -> list[str]:
    return [each["name"] for each in told(done)]


@pytest.fixture
def models(drawer: None) -> None:
    """Two measured models of a run, one of another experiment, and one in the bin; the second is the newest."""
    client = Client()
    store, wine = client.store, client.create_experiment("wine")
    client.create_run("0", run_id=RUN)
    for number, (model_id, name) in enumerate(((FIRST, "tree"), (SECOND, "forest"))):
        store.create_logged_model(
            NewLoggedModel(
                "0", name, model_id, source_run_id=RUN, model_type="classifier", creation_timestamp=1000 + number,
                params=(Param("depth", str(number)),), tags=(Tag("team", "a"), Tag("mlflow.user", "me")),
            )
        )  # fmt: skip
        store.update_logged_model(model_id, status="READY")
    store.log_inputs(RUN, [DatasetInput(Dataset(name, f"{name} 1", "local", "{}")) for name in ("train", "test")])
    points = [(FIRST, 0.9, "train"), (FIRST, 0.6, "test"), (SECOND, 0.7, "train")]
    for step, (model_id, value, data) in enumerate(points):
        store.log_batch(RUN, Batch([Metric("acc", value, 5, step, model_id, data, f"{data} 1")]))
    store.create_logged_model(NewLoggedModel(wine, "net", OTHER, creation_timestamp=10))
    store.create_logged_model(NewLoggedModel("0", "old", GONE, creation_timestamp=20))
    store.delete_logged_model(GONE)


class TestSearch:
    def test_a_table_has_the_newest_first(self, dovetail: Any, models: None) -> None:
        lines = [line.split() for line in dovetail("logged-models", "search").out.splitlines()]
        assert lines[0] == ["Model", "Name", "Status", "Type", "Created", "acc", "Run", "Experiment"]
        assert [(line[0], line[1], line[2], line[3], line[-1]) for line in lines[1:]] == [
            (SECOND, "forest", "READY", "classifier", "Default"),
            (FIRST, "tree", "READY", "classifier", "Default"),
            (OTHER, "net", "PENDING", "-", "wine"),
        ]
        assert [line[-3] for line in lines[1:]] == ["0.7", "0.6", "-"], "the latest point"
        assert dovetail("logged-models", "list").out.split() == [word for line in lines for word in line]

    def test_where_there_are_none_it_says_how_one_is_made(self, dovetail: Any, drawer: None) -> None:
        done = dovetail("logged-models", "search")
        assert done.exit_code == 0
        assert "step=" in done.out + done.err

    def test_json_has_everything_and_the_stage(self, dovetail: Any, models: None) -> None:
        newest = told(dovetail("logged-models", "search", "--json"))[0]
        assert (newest["model_id"], newest["lifecycle_stage"], newest["status"]) == (SECOND, "active", "READY")
        assert newest["params"] == {"depth": "1"}
        assert [(point["value"], point["dataset_name"]) for point in newest["metrics"]] == [(0.7, "train")]

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (("-x", "0"), ["forest", "tree"]),
            (("--experiment-id", "1"), ["net"]),
            (("-n", "wine"), ["net"]),
            (("-f", "metrics.acc > 0.8"), ["tree"]),
            (("--filter", "params.depth = '1'"), ["forest"]),
            (("-o", "metrics.acc"), ["tree", "forest", "net"]),
            (("--order-by", "status DESC", "-o", "name DESC"), ["tree", "forest", "net"]),
            (("-m", "1"), ["forest"]),
            (("-d", "test"), ["tree"]),
            (("-d", "test", "-f", "metrics.acc > 0.8"), []),
            (("-d", "test", "-d", "train"), ["forest", "tree"]),
            (("--dataset", "train", "--digest", "train 1"), ["forest", "tree"]),
            (("--dataset", "train", "--digest", "train 2"), []),
            (("-v", "deleted_only"), ["old"]),
            (("--view", "all"), ["forest", "tree", "old", "net"]),
            (("-v", "all", "-f", "name LIKE 'o%'"), ["old"]),
        ],
    )
    def test_options_say_which(self, dovetail: Any, models: None, arguments: tuple[str, ...], found: list[str]) -> None:
        assert names(dovetail("logged-models", "search", *arguments, "--json")) == found

    def test_only_points_on_the_dataset_are_shown(self, dovetail: Any, models: None) -> None:
        assert "0.9" in dovetail("logged-models", "search", "-d", "train", "-f", "name = 'tree'").out
        assert "0.6" in dovetail("logged-models", "search", "-d", "test").out

    def test_columns_are_chosen(self, dovetail: Any, models: None) -> None:
        wanted = "name, metrics.acc,params.depth,tags.team,name,lifecycle_stage,status"
        lines = dovetail("logged-models", "search", "--columns", wanted, "-v", "all").out.splitlines()
        assert [line.split() for line in lines] == [
            ["name", "metrics.acc", "params.depth", "tags.team", "lifecycle_stage", "status"],
            ["forest", "0.7", "1", "a", "active", "READY"],
            ["tree", "0.6", "0", "a", "active", "READY"],
            ["old", "-", "-", "-", "deleted", "PENDING"],
            ["net", "-", "-", "-", "active", "PENDING"],
        ]
        chosen = told(
            dovetail("logged-models", "search", "--columns", "name,metrics.acc,metrics.no", "-m", "1", "--json")
        )
        assert chosen == [{"name": "forest", "metrics.acc": 0.7, "metrics.no": None}]

    def test_views_that_show_deleted_ones_say_so(self, dovetail: Any, models: None) -> None:
        lines = dovetail("logged-models", "search", "-v", "all", "-x", "0").out.splitlines()
        assert [line.split()[-1] for line in lines] == ["Stage", "active", "active", "deleted"]
        assert (
            told(dovetail("logged-models", "search", "-v", "deleted_only", "--json"))[0]["lifecycle_stage"] == "deleted"
        )

    def test_what_is_left_out_is_said(self, dovetail: Any, models: None) -> None:
        shown = dovetail("logged-models", "search", "-m", "2")
        assert (len(shown.out.splitlines()), shown.err) == (3, "These are the first 2; -m says how many.\n")
        assert dovetail("logged-models", "search", "-m", "3").err == ""

    def test_more_than_a_page_of_the_store(self, dovetail: Any, drawer: None) -> None:
        for _ in range(1005):
            Client().create_logged_model("0", "many")
        assert len(told(dovetail("logged-models", "search", "-m", "1003", "--json"))) == 1003

    def test_none_are_listed_with_what_to_do(self, dovetail: Any) -> None:
        assert "log_model" in dovetail("logged-models", "search").out
        assert dovetail("logged-models", "search", "--json").out == "[]\n"

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("-f", "nonsense !"), 2), (("-o", "metrics.acc SIDEWAYS"), 2), (("-m", "0"), 2), (("-v", "some"), 2),
            (("-x", "0", "-n", "Default"), 2), (("-n", "nowhere"), 3), (("-x", "99"), 3), (("--digest", "d"), 2),
            (("-d", "a", "-d", "b", "--digest", "d"), 2), (("--columns", "nonsense"), 2), (("--columns", ","), 2),
            (("--columns", "metrics."), 2), (("--columns", "params"), 2),
        ],
    )  # fmt: skip
    def test_what_cannot_be_right_is_refused(
        self, dovetail: Any, models: None, arguments: tuple[str, ...], code: int
    ) -> None:
        ended = dovetail("logged-models", "search", *arguments)
        assert (ended.exit_code, ended.out) == (code, "")
        assert ended.err


class TestShow:
    def test_what_it_is_and_what_was_measured_on_it(self, dovetail: Any, models: None) -> None:
        Client().store.update_logged_model(FIRST, status_message="all went well")
        out = dovetail("logged-models", "show", FIRST).out
        for line in (
            f"{FIRST} (tree)",
            "all went well",
            "classifier",
            RUN,
            "0 (Default)",
            "Params\n  depth  0",
            "Tags\n",
        ):
            assert line in out
        assert "mlflow.user" not in out
        rows = [line.split()[:5] for line in out.splitlines() if line.startswith("acc")]
        assert rows == [["acc", "0.9", "0", "train", "(train"], ["acc", "0.6", "1", "test", "(test"]]
        assert f"dovetail models predict -m models:/{FIRST}" in out
        assert f"dovetail registry register models:/{FIRST} tree" in out

    def test_json(self, dovetail: Any, models: None) -> None:
        shown = told(dovetail("logged-models", "show", "m-abc1", "--json"))
        assert shown == {
            **json.loads(json.dumps(Client().get_logged_model(FIRST).to_dictionary())),
            "lifecycle_stage": "active",
        }

    def test_one_without_files_of_its_own_is_not_offered_for_predicting(self, dovetail: Any, models: None) -> None:
        for model_id in (OTHER, GONE):
            assert "predict" not in dovetail("logged-models", "show", model_id).out
        Client().set_logged_model_tags(FIRST, {"mlflow.model.isExternal": "true"})
        assert "predict" not in dovetail("logged-models", "show", FIRST).out

    def test_one_in_the_bin_says_how_it_comes_back(self, dovetail: Any, models: None) -> None:
        out = dovetail("logged-models", "show", GONE).out
        assert "\nstage        deleted" in out
        assert f"dovetail logged-models restore {GONE}" in out
        assert told(dovetail("logged-models", "show", GONE, "--json"))["lifecycle_stage"] == "deleted"

    def test_one_of_a_deleted_experiment_says_so(self, dovetail: Any, models: None) -> None:
        Client().delete_experiment("1")
        assert "1 (wine) and deleted" in dovetail("logged-models", "show", OTHER).out

    def test_a_number_that_is_none_is_not_the_latest_of_equals(self, dovetail: Any, models: None) -> None:
        points = [Metric("f1", value, 9, 9, OTHER) for value in (math.nan, 0.5, -math.inf)]
        Client().log_batch(RUN, points)
        rows = [line.split()[:2] for line in dovetail("logged-models", "show", OTHER).out.splitlines()]
        assert ["f1", "0.5"] in rows

    def test_passwords_and_commands_do_not_reach_the_terminal(self, dovetail: Any, models: None) -> None:
        Client().set_logged_model_tags(FIRST, {"place": "postgresql://me:secret@host/db", "odd": "\x1b[31mred\n"})
        for arguments in (("show", FIRST), ("search", "--columns", "tags.place,tags.odd")):
            out = dovetail("logged-models", *arguments).out
            assert "secret" not in out
            assert "\x1b" not in out


class TestIds:
    def test_the_beginning_is_enough_where_it_is_the_only_one(self, dovetail: Any, models: None) -> None:
        assert FIRST in dovetail("logged-models", "show", "m-abc1").out
        assert GONE in dovetail("logged-models", "show", "m-e").out
        several = dovetail("logged-models", "show", "m-abc")
        assert (several.exit_code, "Several logged models begin with 'm-abc'" in several.err) == (2, True)

    @pytest.mark.parametrize("command", [("show",), ("delete",), ("restore",), ("tag", "a=b"), ("untag", "a")])
    @pytest.mark.parametrize("model_id", ["m-zzz", "nonsense", "m_abc", "", "m-abc1' OR name = 'x", "%"])
    def test_one_that_is_not_there_is_not_found(
        self, dovetail: Any, models: None, command: tuple[str, ...], model_id: str
    ) -> None:
        ended = dovetail("logged-models", command[0], model_id, *command[1:])
        assert (ended.exit_code, ended.out) == (3, "")
        assert "dovetail logged-models search" in ended.err

    def test_are_completed(self, dovetail: Any, models: None) -> None:
        assert completion.logged_model_ids("m-abc") == [(SECOND, "forest"), (FIRST, "tree")]
        assert [each for each, _ in completion.logged_model_ids("")] == [SECOND, FIRST, GONE, OTHER]
        assert completion.logged_model_ids("'") == []


class TestChanges:
    def test_tags_are_set_and_removed(self, dovetail: Any, models: None) -> None:
        said = dovetail("logged-models", "tag", "m-abc1", "stage=x=y", "team=b")
        assert said.out == f"Set stage, team of logged model {FIRST}.\n"
        assert {"stage": "x=y", "team": "b"}.items() <= Client().get_logged_model(FIRST).tags.items()
        left = told(dovetail("logged-models", "untag", FIRST, "stage", "team", "--json"))
        assert left["tags"] == {"mlflow.user": "me"}
        assert dovetail("logged-models", "untag", FIRST, "team").exit_code == 3
        assert told(dovetail("logged-models", "tag", FIRST, "a=b", "--json"))["tags"]["a"] == "b"
        refused = dovetail("logged-models", "untag", FIRST, "a", "nothing")
        assert refused.exit_code == 3
        assert "nothing was removed" in refused.err
        assert "Removed a from" in dovetail("logged-models", "untag", FIRST, "a").out

    @pytest.mark.parametrize("tags", [("novalue",), ("=v",), ("a=1", "a=2")])
    def test_what_is_no_tag_is_refused(self, dovetail: Any, models: None, tags: tuple[str, ...]) -> None:
        assert dovetail("logged-models", "tag", FIRST, *tags).exit_code == 2

    def test_one_goes_into_the_bin_and_comes_back(self, dovetail: Any, models: None) -> None:
        said = dovetail("logged-models", "delete", "m-abc1")
        assert f"`dovetail logged-models restore {FIRST}` brings it back" in said.out
        assert FIRST not in dovetail("logged-models", "search").out
        assert dovetail("logged-models", "delete", FIRST).exit_code == 3
        assert dovetail("logged-models", "tag", FIRST, "a=b").exit_code == 3
        assert dovetail("logged-models", "restore", "m-abc1").out == f"Logged model {FIRST} is back.\n"
        assert "0.6" in dovetail("logged-models", "search", "-f", "name = 'tree'").out
        assert dovetail("logged-models", "restore", FIRST).exit_code == 0, "what is back is back"

    def test_machines_are_told_what_it_is_then(self, dovetail: Any, models: None) -> None:
        assert told(dovetail("logged-models", "delete", FIRST, "--json"))["lifecycle_stage"] == "deleted"
        assert told(dovetail("logged-models", "restore", FIRST, "--json"))["lifecycle_stage"] == "active"

    def test_none_comes_back_into_an_experiment_that_is_gone(self, dovetail: Any, models: None) -> None:
        Client().delete_experiment("0")
        ended = dovetail("logged-models", "restore", GONE)
        assert (ended.exit_code, "Restore the experiment first" in ended.err) == (5, True)


class TestRuns:
    def test_show_what_they_used_and_made(self, dovetail: Any, models: None) -> None:
        Client().log_outputs(RUN, [LoggedModelOutput(FIRST, 3), LoggedModelOutput(OTHER)])
        out = dovetail("runs", "show", RUN).out
        assert "Datasets\n  train  train 1, local\n  test   test 1, local\n" in out
        assert f"Logged models\n  {FIRST}  step 3  tree\n  {OTHER}  step 0\n" in out
        assert f"dovetail logged-models show {OTHER}" in out
        assert "dovetail datasets show train --digest 'train 1'" in out
        shown = told(dovetail("runs", "show", RUN, "--json"))
        assert [each["dataset"]["name"] for each in shown["inputs"]["dataset_inputs"]] == ["train", "test"]
        assert shown["outputs"]["model_outputs"] == [{"model_id": FIRST, "step": 3}, {"model_id": OTHER, "step": 0}]

    def test_show_models_that_they_used(self, dovetail: Any, models: None) -> None:
        from dovetail.values import LoggedModelInput

        other = Client().create_run("0").info.run_id
        assert "models" not in dovetail("runs", "show", other).out
        Client().log_inputs(other, models=[LoggedModelInput(SECOND)])
        assert f"Used models\n  {SECOND}\n" in dovetail("runs", "show", other).out


class TestTerminal:
    STORY = """
from dovetail.values import NewLoggedModel
model = NewLoggedModel("0", "tree", "m-" + "ab" * 16, source_run_id=add("fox", 0.1), status="READY")
client.store.create_logged_model(model)
"""

    def test_ids_are_short_and_statuses_coloured(self, screen: Any) -> None:
        shown = screen("logged-models", "search", story=self.STORY)
        assert shown.exit_code == 0
        assert "m-abababab " in shown.out
        assert "m-ababababab" not in shown.out
        assert "\x1b[" in shown.out
