"""One tree of errors, each with what to do next."""

from __future__ import annotations

import inspect
import multiprocessing
import pickle
import re

import pytest

import dovetail as mlflow
from dovetail import errors
from dovetail.errors import DovetailError, InvalidName, NotFound, RunEnded
from dovetail.values.names import check_run_id

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, DovetailError)]


def test_a_message_and_what_to_do_next_stand_on_lines_of_their_own() -> None:
    assert str(NotFound("There is no run.", hint="Start one.")) == "There is no run.\nStart one."
    assert str(NotFound("There is no run.")) == "There is no run."


@pytest.mark.parametrize("long", ["x" * 100_000, "many words " * 10_000])
def test_a_message_repeats_no_more_of_what_it_is_about_than_people_read(long: str) -> None:
    error = NotFound(f"There is no run {long}, at least not here.", hint=f"Look for {long} elsewhere.")
    assert len(str(error)) < 8000
    assert error.message.startswith(f"There is no run {long[:200]}")
    assert error.message.endswith(", at least not here.")
    assert str(error.hint).startswith("Look for ")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_path_of_usual_length_is_whole() -> None:
    path = "/".join(["folder"] * 60)
    assert path in str(NotFound(f"There is nothing at {path}."))


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_travel_between_processes_with_their_hint(kind: type[DovetailError]) -> None:
    back = pickle.loads(pickle.dumps(kind("what", hint="what next")))
    assert type(back) is kind
    assert (back.message, back.hint, str(back)) == ("what", "what next", "what\nwhat next")


def test_an_error_in_a_worker_arrives_as_it_was_raised() -> None:
    # Workers import what they run: a function of this file they would not find.
    with multiprocessing.get_context("spawn").Pool(1) as pool, pytest.raises(InvalidName) as caught:
        pool.map(check_run_id, ["not a run id"])
    assert "'not a run id'" in caught.value.message
    assert "dovetail runs list" in str(caught.value.hint)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_says_how_it_leaves_the_process_and_the_server(kind: type[DovetailError]) -> None:
    assert 400 <= kind.status < 600
    assert kind.exit_code > 0
    assert re.fullmatch("[A-Z_]+", kind.error_code)
    assert kind.__doc__


def test_the_tree_at_the_top_names_every_class() -> None:
    drawn = set(re.findall(r"─ (\w+)", str(errors.__doc__))) | {"DovetailError"}
    assert {kind.__name__ for kind in CLASSES} == drawn


def test_scripts_catch_the_root_by_its_old_name_and_ask_for_the_code() -> None:
    with pytest.raises(mlflow.MlflowException) as caught:
        raise RunEnded("The run has ended.")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert issubclass(RunEnded, errors.InvalidInput)
