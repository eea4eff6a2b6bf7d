"""Programs that run projects: workflows of several steps, searches, jobs in the background."""

from __future__ import annotations

import json
from typing import Any

import pytest

STEP = """
import sys
import dovetail as mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("score", float(sys.argv[1]))
    mlflow.log_text(f"score {sys.argv[1]}", "data/score.txt")
"""
MLPROJECT = """
name: workflow
entry_points:
  main:
    command: "python driver.py"
  step:
    parameters:
      score: float
    command: "python step.py {score}"
  read:
    parameters:
      data: path
    command: "cat {data}"
  sleep:
    command: "sleep 60"
"""


@pytest.fixture
def driver(project: Any) -> Any:
    """``driver(source)`` runs a driver as the main entry point; what it prints as JSON is the answer."""

    def run(source: str, *, exit_code: int = 0) -> Any:
        head = "import json\nimport dovetail as mlflow\n"
        outcome = project({"MLproject": MLPROJECT, "step.py": STEP, "driver.py": head + source}).run()
        assert outcome.exit_code == exit_code, outcome.out + outcome.err
        said = outcome.log.decode().splitlines()
        return outcome, json.loads(said[-1]) if said and not exit_code else said

    return run


def test_a_nested_run_is_a_child_of_the_drivers_run(driver: Any) -> None:
    outcome, ids = driver("""
with mlflow.start_run() as parent:
    child = mlflow.projects.run(".", "step", parameters={"score": 0.5}, echo=None)
    print(json.dumps([parent.info.run_id, child.run_id]))
""")
    parent, child = ids
    assert outcome.run.info.run_id == parent
    run = outcome.place.client.get_run(child)
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"score": 0.5}
    assert len(outcome.place.runs()) == 2


def test_a_search_hands_each_child_run_to_the_entry_point(driver: Any) -> None:
    """The driver makes the child itself, nested, and has an entry point fill it."""
    outcome, ids = driver("""
with mlflow.start_run() as parent:
    children = []
    for score in (0.1, 0.9):
        with mlflow.start_run(nested=True) as child:
            submitted = mlflow.projects.run(
                ".", "step", run_id=child.info.run_id, experiment_id=child.info.experiment_id,
                parameters={"score": score}, synchronous=False,
            )
            assert submitted.wait()
            children.append(child.info.run_id)
    best = mlflow.search_runs(
        filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
        order_by=["metrics.score DESC"], output_format="list",
    )
    print(json.dumps([parent.info.run_id, children, [run.info.run_id for run in best]]))
""")
    parent, children, best = ids
    runs = [outcome.place.client.get_run(child) for child in children]
    assert [run.data.tags["mlflow.parentRunId"] for run in runs] == [parent, parent], "not its own parent"
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    assert best == children[::-1]
    assert len(outcome.place.runs()) == 3


def test_artifacts_of_one_step_are_parameters_of_the_next(driver: Any) -> None:
    _, said = driver("""
with mlflow.start_run():
    first = mlflow.projects.run(".", "step", parameters={"score": 3})
    second = mlflow.projects.run(".", "read", parameters={"data": f"runs:/{first.run_id}/data/score.txt"}, echo=None)
    log = mlflow.MlflowClient().download_artifacts(second.run_id, "logs/output.log")
    print(json.dumps(open(log).read()))
""")
    assert said == "score 3"


def test_a_step_in_the_background_is_followed_and_ended(driver: Any) -> None:
    outcome, said = driver("""
with mlflow.start_run():
    sleeping = mlflow.projects.run(".", "sleep", synchronous=False)
    before = sleeping.get_status()
    sleeping.cancel()
    print(json.dumps([sleeping.run_id, before, sleeping.get_status(), sleeping.wait()]))
""")
    run_id, *told = said
    assert told == ["RUNNING", "KILLED", False]
    assert outcome.place.client.get_run(run_id).info.status == "KILLED"


def test_a_step_that_nobody_waits_for_is_recorded_to_its_end(driver: Any) -> None:
    outcome, run_id = driver("""
with mlflow.start_run():
    submitted = mlflow.projects.run(".", "step", parameters={"score": 1}, synchronous=False)
print(json.dumps(submitted.run_id))
""")
    run = outcome.place.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert [each.path for each in outcome.place.client.list_artifacts(run_id)] == ["data", "logs"]


def test_steps_run_beside_one_another(driver: Any) -> None:
    outcome, ids = driver("""
with mlflow.start_run():
    steps = [mlflow.projects.run(".", "step", parameters={"score": i}, synchronous=False) for i in range(4)]
    assert all([step.wait() for step in steps])
    print(json.dumps([step.run_id for step in steps]))
""")
    scores = [outcome.place.client.get_run(run_id).data.metrics["score"] for run_id in ids]
    assert scores == [0.0, 1.0, 2.0, 3.0]


def test_a_failing_step_fails_its_driver_unless_it_is_checked_for(driver: Any) -> None:
    outcome, said = driver(
        """
with mlflow.start_run():
    mlflow.projects.run(".", "read", parameters={"data": "step.py", "no-such-option": 1}, echo=None)
""",
        exit_code=1,
    )
    assert outcome.run.info.status == "FAILED"
    assert any("ended as FAILED" in line for line in said)
    _, said = driver("""
with mlflow.start_run():
    step = mlflow.projects.run(".", "read", parameters={"data": "step.py", "no-such-option": 1}, echo=None, check=False)
    print(json.dumps([step.get_status(), step.wait()]))
""")
    assert said == ["FAILED", False]


def test_a_project_runs_from_a_script_without_any_run(place: Any, project: Any) -> None:
    folder = project({"MLproject": MLPROJECT, "step.py": STEP}).folder
    program = f"import dovetail\nprint(dovetail.run({str(folder)!r}, 'step', parameters={{'score': 1}}).run_id)"
    outcome = place.call(__import__("sys").executable, "-c", program)
    assert outcome.exit_code == 0, outcome.err
    run = place.client.get_run(outcome.out.split()[-1])
    assert "mlflow.parentRunId" not in run.data.tags
