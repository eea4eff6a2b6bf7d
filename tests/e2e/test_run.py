"""``dovetail run``: what people see, what is recorded, what is left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

TRAIN = """
import sys
import dovetail as mlflow

with mlflow.start_run() as run:
    mlflow.log_metric("loss", float(sys.argv[1]))
    print("run", run.info.run_id, "in", run.info.experiment_id)
"""
ALPHA = """
name: fit
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
    command: "python train.py {alpha}"
"""


@pytest.fixture
def training(project: Any) -> Any:
    return project({"MLproject": ALPHA, "train.py": TRAIN})


def test_a_run_ends_with_its_status_its_id_and_what_to_do_next(training: Any) -> None:
    outcome = training.run("-P", "alpha=1")
    assert outcome.exit_code == 0, outcome.err
    assert outcome.run.info.status == "FINISHED"
    assert outcome.run.data.params == {"alpha": "1"}
    assert outcome.run.data.metrics == {"loss": 1.0}
    run_id = outcome.run.info.run_id
    assert f"run {run_id} in 0" in outcome.out, "the child uses the run it is given"
    assert f"dovetail runs show {run_id}" in outcome.out.splitlines()[-2]
    assert f"dovetail artifacts list -r {run_id}" in outcome.out.splitlines()[-1]
    assert len(outcome.place.runs()) == 1


def test_it_records_what_was_run(training: Any) -> None:
    tags = training.run().run.data.tags
    assert tags["mlflow.source.type"] == "PROJECT"
    assert tags["mlflow.source.name"] == str(training.folder)
    assert tags["mlflow.project.entryPoint"] == "main"
    assert tags["mlflow.project.backend"] == "local"
    assert tags["mlflow.project.env"] == "system"
    assert tags["mlflow.user"]


def test_output_is_shown_and_kept(training: Any) -> None:
    outcome = training.run()
    assert outcome.log.decode() in outcome.out
    assert not any(path.is_file() for path in (outcome.place.folder / "state").rglob("*")), "no copy is left behind"


def test_quiet_keeps_the_output_to_the_log(training: Any) -> None:
    outcome = training.run("-q")
    assert b"run " in outcome.log
    assert "run " + outcome.run.info.run_id + " in" not in outcome.out


def test_a_failing_command_fails_the_run_and_points_to_its_output(project: Any) -> None:
    outcome = project({"sad.py": "import sys; print('about to fail'); sys.exit(3)"}).run("-e", "sad.py")
    assert outcome.exit_code == 1
    assert outcome.run.info.status == "FAILED"
    assert outcome.run.info.end_time is not None
    assert outcome.log == b"about to fail\n"
    assert "status       FAILED" in outcome.out
    assert f"-r {outcome.run.info.run_id} -a logs/output.log" in outcome.out
    assert "Traceback" not in outcome.err


def test_a_child_that_is_killed_has_failed(project: Any) -> None:
    outcome = project({"gone.py": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"}).run("-e", "gone.py")
    assert (outcome.exit_code, outcome.run.info.status) == (1, "FAILED")


def test_what_the_child_says_of_its_own_run_holds(project: Any) -> None:
    source = "import dovetail; dovetail.start_run(); dovetail.end_run('KILLED')"
    outcome = project({"own.py": source}).run("-e", "own.py")
    assert (outcome.exit_code, outcome.run.info.status) == (1, "KILLED")


def test_a_run_whose_command_fails_after_ending_it_well_has_failed(project: Any) -> None:
    source = "import dovetail\nwith dovetail.start_run(): pass\nraise SystemExit(2)"
    outcome = project({"late.py": source}).run("-e", "late.py")
    assert (outcome.exit_code, outcome.run.info.status) == (1, "FAILED")


def test_a_chatty_child_is_heard_completely_and_in_order(project: Any) -> None:
    source = "import sys\nfor i in range(20000):\n    print(i, file=(sys.stdout, sys.stderr)[i % 2])"
    outcome = project({"chatty.py": source}).run("-e", "chatty.py")
    said = "".join(f"{number}\n" for number in range(20000))
    assert outcome.log.decode() == said
    assert outcome.out.startswith(said)


def test_output_that_is_no_text_is_passed_on_and_kept(project: Any) -> None:
    source = r"import sys; sys.stdout.buffer.write(b'\xff\xfe caf\xe9 \x00\n')"
    outcome = project({"raw.py": source}).run("-e", "raw.py")
    assert outcome.exit_code == 0
    assert outcome.log == b"\xff\xfe caf\xe9 \x00\n"


def test_a_child_that_prints_nothing_has_an_empty_log(project: Any) -> None:
    assert project({"mute.sh": "true"}).run("-e", "mute.sh").log == b""


def test_parameters_arrive_as_they_are(project: Any) -> None:
    files = {
        "MLproject": "entry_points: {main: {parameters: {text: string}, command: 'python show.py {text}'}}",
        "show.py": "import sys; print(sys.argv[1:])",
    }
    nasty = 'it\'s $(touch pwned) `id` "quoted" {braces}\nnext; touch pwned'
    outcome = project(files).run("-P", f"text={nasty}", "-P", f"more={nasty}")
    assert repr([nasty, "--more", nasty]) in outcome.out
    assert outcome.run.data.params == {"text": nasty, "more": nasty}
    assert list((outcome.place.folder / "project").glob("pwned")) == []


def test_a_driver_of_shell_runs_in_the_projects_folder_with_the_runs_variables(project: Any) -> None:
    outcome = project({"go.sh": 'echo "$PWD|$DOVETAIL_RUN_ID|$MLFLOW_RUN_ID|$MLFLOW_EXPERIMENT_ID"'}).run("-e", "go.sh")
    run_id = outcome.run.info.run_id
    assert outcome.log.decode() == f"{outcome.place.folder / 'project'}|{run_id}|{run_id}|0\n"


def test_a_run_that_exists_is_taken_up(training: Any) -> None:
    place = training.place
    made = place.client.create_run("0", run_name="mine", tags={"kept": "yes"})
    outcome = training.run("--run-id", made.info.run_id, "-P", "alpha=2")
    assert outcome.exit_code == 0, outcome.err
    run = place.client.get_run(made.info.run_id)
    assert len(place.runs()) == 1
    assert (run.info.status, run.info.run_name, run.data.tags["kept"]) == ("FINISHED", "mine", "yes")
    assert run.data.params == {"alpha": "2"}


def test_a_run_whose_params_are_others_is_left_as_it_was(training: Any) -> None:
    first = training.run("-P", "alpha=1").run
    outcome = training.run("--run-id", first.info.run_id, "-P", "alpha=2")
    assert outcome.exit_code == 2
    assert "alpha" in outcome.err
    assert outcome.place.client.get_run(first.info.run_id) == first


def test_a_run_that_does_not_exist_or_is_deleted_is_not_taken_up(training: Any) -> None:
    assert training.run("--run-id", "f" * 32).exit_code == 3
    run_id = training.run().run.info.run_id
    training.place.client.delete_run(run_id)
    outcome = training.run("--run-id", run_id)
    assert outcome.exit_code == 2
    assert f"dovetail runs restore --run-id {run_id}" in outcome.err
    assert training.place.client.get_run(run_id).info.status == "FINISHED"


def test_runs_go_into_the_experiment_that_is_asked_for(training: Any) -> None:
    outcome = training.run("--experiment-name", "loan", "--run-name", "first")
    experiment = outcome.place.client.get_experiment_by_name("loan")
    assert outcome.run.info.experiment_id == experiment.experiment_id
    assert outcome.run.info.run_name == "first"
    assert f"in {experiment.experiment_id}" in outcome.out
    assert training.run("--experiment-id", experiment.experiment_id).run.info.experiment_id == experiment.experiment_id
    assert training.run("--experiment-id", experiment.experiment_id, "--experiment-name", "loan").exit_code == 2


def test_the_present_environment_may_be_asked_for(project: Any) -> None:
    files = {
        "MLproject": "python_env: env.yaml\nentry_points: {main: {command: 'python where.py'}}",
        "env.yaml": "dependencies: [no-such-distribution-anywhere]",
        "where.py": "import sys; print(sys.executable)",
    }
    outcome = project(files).run("--env-manager", "local")
    assert outcome.exit_code == 0
    assert outcome.log.decode().strip() == sys.executable
    assert outcome.run.data.tags["mlflow.project.env"] == "local"


def test_an_environment_of_its_own_is_made_by_uv(project: Any) -> None:
    files = {
        "MLproject": "python_env: env.yaml\nentry_points: {main: {command: 'python where.py'}}",
        "env.yaml": "dependencies: []",
        "where.py": "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)",
    }
    outcome = project(files).run(env={"DOVETAIL_ENV_DIR": str(project({}).place.folder / "envs")})
    assert outcome.exit_code == 0, outcome.err
    assert outcome.log.decode().startswith(f"True {outcome.place.folder / 'envs'}")
    assert outcome.run.data.tags["mlflow.project.env"] == "uv"


def test_an_environment_that_cannot_be_made_fails_the_run_with_a_message(project: Any) -> None:
    files = {
        "MLproject": "python_env: env.yaml\nentry_points: {main: {command: 'python x.py'}}",
        "env.yaml": "dependencies: ['./missing-package']",
    }
    outcome = project(files).run("--env-manager", "uv")
    assert outcome.exit_code == 8
    assert outcome.run.info.status == "FAILED"
    assert "missing-package" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("-e", "mian"), 2, "Did you mean 'main'?"),
        (("-e", "../outside.py"), 2, "no entry point"),
        (("-b", "locl"), 6, "Did you mean 'local'?"),
        (("--env-manager", "uvv"), 6, "Did you mean 'uv'?"),
        (("-P", "alpha=high"), 2, "must be a number"),
        (("-P", "alpha"), 2, "NAME=VALUE"),
        (("-P", "alpha=1", "-P", "alpha=2"), 2, "twice"),
        (("-c", "{"), 2, "JSON"),
        (("-c", "[]"), 2, "JSON"),
        (("-c", '{"colour": 1}'), 2, "colour"),
        (("--nonsense",), 2, "--nonsense"),
        (("-v", "abc"), 2, "version"),
    ],
)
def test_what_is_asked_for_wrongly_is_said_in_a_line(
    training: Any, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    outcome = training.run(*arguments)
    assert outcome.exit_code == exit_code
    assert said in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("arguments", [("-e", "mian"), ("-b", "locl"), ("--env-manager", "uvv"), ("-P", "alpha=high")])
def test_nothing_is_recorded_of_what_could_never_start(training: Any, arguments: tuple[str, ...]) -> None:
    assert training.run(*arguments).place.runs() == []


def test_an_unknown_tracking_scheme_says_what_is_installed(training: Any) -> None:
    outcome = training.run(env={"DOVETAIL_TRACKING_URI": "postgres://somewhere"})
    assert outcome.exit_code == 6
    assert "postgres" in outcome.err
    assert "sqlite" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_place_that_no_plugin_can_fetch_from_is_named_without_its_password(place: Any) -> None:
    outcome = place.cli("run", "https://me:secret@example.org/project.git")
    assert outcome.exit_code == 2
    assert "example.org" in outcome.err
    assert "secret" not in outcome.err


def test_a_missing_folder_is_no_project(place: Any) -> None:
    outcome = place.cli("run", "nowhere")
    assert outcome.exit_code == 2
    assert f"There is no project folder {place.work / 'nowhere'}." in outcome.err


def test_a_subfolder_is_a_project(project: Any, place: Any) -> None:
    project({"MLproject": "name: outer", "inner/MLproject": "entry_points: {main: {command: 'echo inner'}}"})
    outcome = place.cli("run", f"{place.folder}/project#inner")
    assert "inner" in outcome.out
    assert outcome.run.data.tags["mlflow.source.name"] == f"{place.folder}/project#inner"
    assert place.cli("run", f"{place.folder}/project#../project").exit_code == 2
    assert place.cli("run", f"{place.folder}/project#elsewhere").exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_clear_error(place: Any, training: Any) -> None:
    place.work.chmod(0o500)
    try:
        outcome = training.run(env={"DOVETAIL_TRACKING_URI": ""})
    finally:
        place.work.chmod(0o700)
    assert outcome.exit_code == 7
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that nobody may write to")
def test_a_place_where_nobody_may_write_is_a_clear_error(place: Any, training: Any) -> None:
    folder = training.folder
    for outcome in (
        place.cli("run", str(folder), env={"DOVETAIL_TRACKING_URI": ""}, cwd=Path("/proc/self")),
        training.run(env={"DOVETAIL_TRACKING_URI": "sqlite:////proc/runs.db"}),
    ):
        assert outcome.exit_code == 7
        assert outcome.err.startswith("Error: ")
        assert "Traceback" not in outcome.err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that nobody may write to")
def test_a_log_that_cannot_be_written_fails_the_run_with_a_message(training: Any) -> None:
    outcome = training.run(env={"DOVETAIL_STATE_DIR": "/proc/state"})
    assert outcome.exit_code == 8
    assert "DOVETAIL_STATE_DIR" in outcome.err
    assert outcome.place.runs()[0].info.status == "FAILED"


def test_a_path_parameter_brings_an_artifact_of_another_run(project: Any, place: Any) -> None:
    source = place.client.create_run("0").info.run_id
    place.client.log_text(source, "1,2,3", "data/rows.csv")
    files = {
        "MLproject": "entry_points: {main: {parameters: {rows: path}, command: 'cat {rows}; echo; echo {rows}'}}",
    }
    outcome = project(files).run("-P", f"rows=runs:/{source}/data/rows.csv", "--storage-dir", "downloads")
    said, path = outcome.log.decode().splitlines()
    assert said == "1,2,3"
    assert path.startswith(str(place.work / "downloads"))
    assert outcome.run.data.params == {"rows": f"runs:/{source}/data/rows.csv"}
