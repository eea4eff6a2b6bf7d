"""``dovetail datasets``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dovetail import Client
from dovetail.cli import completion
from dovetail.values import Dataset, DatasetInput, InputTag

SCHEMA = json.dumps({"mlflow_colspec": [
    {"name": "size", "type": "long", "required": True}, {"name": "price", "type": "double", "required": False},
    {"name": "rooms", "type": "array", "items": {"type": "string"}, "required": True}, {"type": "string"},
]})  # fmt: skip
FEATURES = json.dumps([{"name": "x", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}])
TARGETS = json.dumps([{"tensor-spec": {"dtype": "int64", "shape": [-1]}}])
TENSORS = json.dumps({"mlflow_tensorspec": {"features": FEATURES, "targets": TARGETS, "more": None}})
HOUSES = Dataset("houses", "abc123", "local", '{"uri": "houses.csv"}', SCHEMA, '{"num_rows": 3, "shape": [3, 2]}')
NEWER = Dataset("houses", "abd456", "s3", '{"uri": "s3://bucket/houses.csv"}')


def told(done: Any) -> Any:
    """What a command told machines."""
    assert done.exit_code == 0, done.err
    return json.loads(done.out)


def used(run_id: str, dataset: Dataset, context: str | None = None) -> None:
    tags = () if context is None else (InputTag("mlflow.data.context", context),)
    Client().log_inputs(run_id, [DatasetInput(dataset, tags)])


@pytest.fixture
def datasets(drawer: None) -> None:
    """Two runs that used one dataset, one of them another as well; a third in another experiment, and one deleted."""
    client = Client()
    wine = client.create_experiment("wine")
    for run_id, experiment, started in (
        ("one", "0", 1000),
        ("two", "0", 2000),
        ("far", wine, 500),
        ("gone", "0", 3000),
    ):
        client.create_run(experiment, run_id=run_id, run_name=f"run {run_id}", start_time=started)
    client.create_run("0", run_id="none")
    used("one", HOUSES, "training")
    used("two", HOUSES, "testing")
    used("one", NEWER)
    used("far", Dataset("it's", "d", "code", '{"tags": {"a": "b", "c": "d"}}', TENSORS), "training")
    used("gone", Dataset("lost", "e", "local", "{}"))
    client.delete_run("gone")


class TestList:
    def test_a_table_has_the_one_used_last_first(self, dovetail: Any, datasets: None) -> None:
        lines = dovetail("datasets", "list").out.splitlines()
        assert [line.split()[:3] for line in lines] == [
            ["Name", "Digest", "Source"],
            ["houses", "abc123", "local"],
            ["houses", "abd456", "s3"],
            ["it's", "d", "code"],
        ]
        assert "testing, training     2  1970-01-01" in lines[1]
        for part in (
            "num_rows 3, shape [3, 2]",
            "size: long, price: double (optional), rooms: {",
            "… 1 more",
            "Default",
        ):
            assert part in lines[1]
        assert "x: float64 (any, 2), targets: int64 (any)" in lines[3].replace("features.", "")

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (("-x", "0"), ["abc123", "abd456"]),
            (("-n", "wine"), ["d"]),
            (("--name", "houses"), ["abc123", "abd456"]),
            (("--name", "it's"), ["d"]),
            (("-c", "training"), ["abc123", "d"]),
            (("--context", "testing", "--name", "houses"), ["abc123"]),
            (("-m", "1"), ["abc123"]),
            (("-v", "deleted_only"), ["e"]),
            (("--view", "all", "--name", "lost"), ["e"]),
            (("--name", "lost"), []),
        ],
    )
    def test_options_say_which(
        self, dovetail: Any, datasets: None, arguments: tuple[str, ...], found: list[str]
    ) -> None:
        assert [each["digest"] for each in told(dovetail("datasets", "list", *arguments, "--json"))] == found

    def test_json_says_which_runs_used_it_for_what(self, dovetail: Any, datasets: None) -> None:
        first = told(dovetail("datasets", "list", "--json"))[0]
        assert (first["schema"], first["experiment_id"]) == (SCHEMA, "0")
        assert first["runs"] == [
            {"run_id": "two", "run_name": "run two", "status": "RUNNING", "context": "testing"},
            {"run_id": "one", "run_name": "run one", "status": "RUNNING", "context": "training"},
        ]

    def test_what_is_left_out_is_said(self, dovetail: Any, datasets: None) -> None:
        shown = dovetail("datasets", "list", "-m", "2")
        assert (len(shown.out.splitlines()), shown.err) == (3, "2 of 3 datasets; -m says how many.\n")

    def test_none_are_listed_with_what_to_do(self, dovetail: Any) -> None:
        assert "log_input" in dovetail("datasets", "list").out
        assert dovetail("datasets", "list", "--json").out == "[]\n"

    def test_more_runs_than_a_page_of_the_store(self, dovetail: Any, drawer: None) -> None:
        client = Client()
        for number in range(1001):
            used(client.create_run("0", run_id=f"r{number}").info.run_id, HOUSES)
        assert len(told(dovetail("datasets", "list", "--json"))[0]["runs"]) == 1001
        assert "and 981 earlier runs" in dovetail("datasets", "show", "houses").out

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(("-x", "0", "-n", "wine"), 2), (("-n", "nowhere"), 3), (("-m", "0"), 2), (("-v", "some"), 2)],
    )
    def test_what_cannot_be_right_is_refused(
        self, dovetail: Any, datasets: None, arguments: tuple[str, ...], code: int
    ) -> None:
        assert dovetail("datasets", "list", *arguments).exit_code == code


class TestShow:
    def test_where_it_came_from_what_it_holds_and_who_used_it(self, dovetail: Any, datasets: None) -> None:
        out = dovetail("datasets", "show", "houses", "--digest", "abc").out
        for line in ("dataset      houses\n", "digest       abc123\n", "source       houses.csv\n", "num_rows     3\n"):
            assert line in out
        rows = [line.split() for line in out.splitlines()]
        assert ["price", "double", "(optional)"] in rows
        assert ["-", "string"] in rows
        assert [row[0] for row in rows if "RUNNING" in row] == ["two", "one"]
        assert "dovetail runs show two" in out

    def test_sources_of_several_parts_are_shown_whole(self, dovetail: Any, datasets: None) -> None:
        assert '{"tags": {"a": "b", "c": "d"}}' in dovetail("datasets", "show", "it's").out

    def test_json(self, dovetail: Any, datasets: None) -> None:
        shown = told(dovetail("datasets", "show", "houses", "--digest", "abd456", "--json"))
        assert (shown["source_type"], shown["profile"], len(shown["runs"])) == ("s3", None, 1)

    def test_one_that_only_a_deleted_run_used(self, dovetail: Any, datasets: None) -> None:
        assert "gone" in dovetail("datasets", "show", "lost").out

    def test_several_of_that_name_have_to_be_told_apart(self, dovetail: Any, datasets: None) -> None:
        ended = dovetail("datasets", "show", "houses")
        assert (ended.exit_code, ended.out) == (2, "")
        assert "abc123 in experiment 0, abd456 in experiment 0" in ended.err
        used("far", HOUSES)
        assert dovetail("datasets", "show", "houses", "--digest", "abc123").exit_code == 2
        assert (
            told(dovetail("datasets", "show", "houses", "--digest", "abc123", "-n", "wine", "--json"))["experiment_id"]
            == "1"
        )
        assert dovetail("datasets", "show", "houses", "-x", "1").exit_code == 0

    @pytest.mark.parametrize("arguments", [("nobody",), ("houses", "--digest", "x"), ("houses", "-n", "wine"), ("%",)])
    def test_one_that_is_not_there_is_not_found(
        self, dovetail: Any, datasets: None, arguments: tuple[str, ...]
    ) -> None:
        ended = dovetail("datasets", "show", *arguments)
        assert (ended.exit_code, "dovetail datasets list" in ended.err) == (3, True)

    @pytest.mark.parametrize(
        "text",
        ["no json", "[]", "3", "null", "{}", '{"mlflow_colspec": 3}', '{"mlflow_colspec": [3]}',
         '{"mlflow_colspec": [{}]}', '{"mlflow_tensorspec": {"features": "x"}}',
         '{"mlflow_tensorspec": []}', "[" * 100_000, "\x1b[31m" * 999,
         '"postgresql://me:secret@host/db"', '{"uri": "postgresql://me:secret@host/db"}'],
    )  # fmt: skip
    def test_what_others_wrote_is_shown_harmlessly(self, dovetail: Any, drawer: None, text: str) -> None:
        used(Client().create_run("0").info.run_id, Dataset("odd", "d", "odd", text[:60_000], text, text))
        for arguments in (("list",), ("show", "odd")):
            shown = dovetail("datasets", *arguments)
            assert (shown.exit_code, shown.err) == (0, "")
            assert "\x1b" not in shown.out
            assert "secret" not in shown.out


def test_names_are_completed(dovetail: Any, datasets: None) -> None:
    assert completion.dataset_names("hou") == [("houses", "abc123")]


def test_ids_and_digests_are_short_in_a_terminal(screen: Any) -> None:
    story = """
from dovetail.values import Dataset, DatasetInput
client.log_inputs(add("fox", 0.1), [DatasetInput(Dataset("houses", "0123456789abcdef", "local", "{}"))])
"""
    shown = screen("datasets", "list", story=story)
    assert "0123456789ab " in shown.out
    assert screen("datasets", "show", "houses", story=story).exit_code == 0
