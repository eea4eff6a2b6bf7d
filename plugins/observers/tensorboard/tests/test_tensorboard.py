"""What TensorBoard shows of runs, read by its own reader."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tensorboard.plugins.hparams import metadata as hparams

import dovetail as mlflow
from dovetail import hookimpl, plugins
from dovetail.testing import PluginSuite
from dovetail.tracking import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from dovetail.values import Event

    Shown = Callable[[mlflow.Run], EventAccumulator]


def points(shown: EventAccumulator, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in shown.Scalars(key)]


def tables(shown: EventAccumulator, name: str) -> list[str]:
    return [str(each.tensor_proto.string_val[0], "utf-8") for each in shown.Tensors(f"{name}/text_summary")]


class TestPlugin(PluginSuite):
    module, heavy = "dovetail_tensorboard", ("tensorboardX", "google.protobuf")


class TestMetrics:
    def test_are_scalars_at_their_steps(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            for step in range(100):
                mlflow.log_metric("train/loss", 2.0**-step, step=step)
        assert points(shown(run), "train/loss") == [(step, 2.0**-step) for step in range(100)]

    def test_are_scalars_at_their_times(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.5, timestamp=1_700_000_000_250)
        assert [point.wall_time for point in shown(run).Scalars("loss")] == [1_700_000_000.25]

    def test_that_are_logged_together_are_all_there(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            mlflow.log_metrics({"loss": 0.5, "accuracy": 0.75}, step=3)
        assert {key: points(shown(run), key) for key in ("loss", "accuracy")} == {
            "loss": [(3, 0.5)],
            "accuracy": [(3, 0.75)],
        }

    def test_may_be_no_numbers(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            for step, value in enumerate([math.nan, math.inf, -math.inf, 1e300]):
                mlflow.log_metric("loss", value, step=step)
        nan, *others = [value for _, value in points(shown(run), "loss")]
        assert math.isnan(nan)
        assert others == [math.inf, -math.inf, math.inf]  # single precision ends at 3e38

    def test_are_shown_while_the_run_lasts(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.5)
            deadline = time.monotonic() + 20
            while "loss" not in shown(run).Tags()["scalars"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def test_of_a_run_in_memory_are_shown_too(self, shown: Shown) -> None:
        mlflow.set_tracking_uri("memory://mirrored")
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 0.5)
        assert points(shown(run), "loss") == [(0, 0.5)]


class TestParamsAndTags:
    def test_stand_in_tables(self, shown: Shown) -> None:
        with mlflow.start_run(tags={"stage": "first"}) as run:
            mlflow.log_params({"lr": 0.1, "model": "tree"})
        assert tables(shown(run), "params") == ["| key | value |\n| --- | --- |\n| lr | 0.1 |\n| model | tree |"]
        assert "| stage | first |" in tables(shown(run), "tags")[0]

    def test_stand_in_new_tables_when_they_change(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            for stage in ("first", "second"):
                mlflow.set_tag("stage", stage)
                places.recorder().flush()
        assert "| stage | second |" in tables(shown(run), "tags")[-1]
        assert "| stage | first |" in tables(shown(run), "tags")[-2]

    def test_that_would_break_a_table_do_not(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            mlflow.log_param("layers", "64|32\nrelu")
        assert tables(shown(run), "params")[0].endswith("\n| layers | 64\\|32<br>relu |")

    def test_are_hyperparameters_when_the_run_has_ended(self, shown: Shown) -> None:
        with mlflow.start_run() as run:
            mlflow.log_params({"lr": 0.1, "model": "tree"})
            mlflow.log_metric("loss", 0.5)
        found = shown(run).PluginTagToContent("hparams")
        start = hparams.parse_session_start_info_plugin_data(found[hparams.SESSION_START_INFO_TAG]).hparams
        assert (start["lr"].number_value, start["model"].string_value) == (0.1, "tree")
        experiment = hparams.parse_experiment_plugin_data(found[hparams.EXPERIMENT_TAG])
        assert [info.name.tag for info in experiment.metric_infos] == ["loss"]
        assert hparams.SESSION_END_INFO_TAG in found

    def test_of_a_run_that_failed_have_no_end(self, shown: Shown) -> None:
        run = mlflow.start_run()
        mlflow.log_param("lr", 0.1)
        mlflow.end_run("FAILED")
        found = shown(run).PluginTagToContent("hparams")
        assert hparams.SESSION_START_INFO_TAG in found
        assert hparams.SESSION_END_INFO_TAG not in found


class TestRuns:
    def test_are_called_by_their_name(self) -> None:
        with mlflow.start_run(run_name="../deep/net: première") as run:
            pass
        assert [path.name for path in Path("tensorboard").iterdir()] == [f"deep-net-première-{run.info.run_id[:8]}"]

    def test_that_are_taken_up_go_on_in_their_folder(self, shown: Shown) -> None:
        with mlflow.start_run(run_name="before") as run:
            mlflow.log_metric("loss", 0.5, step=0)
        with mlflow.start_run(run_id=run.info.run_id, run_name="after"):
            mlflow.log_metric("loss", 0.25, step=1)
        assert points(shown(run), "loss") == [(0, 0.5), (1, 0.25)]
        assert len(list(Path("tensorboard").iterdir())) == 1

    def test_that_run_side_by_side_do_not_mix(self, shown: Shown) -> None:
        with mlflow.start_run() as parent:
            mlflow.log_metric("loss", 1)
            with mlflow.start_run(nested=True) as child:
                mlflow.log_metric("loss", 2)
            mlflow.log_metric("loss", 3, step=1)
        assert points(shown(parent), "loss") == [(0, 1), (1, 3)]
        assert points(shown(child), "loss") == [(0, 2)]

    def test_of_others_are_passed_over(self) -> None:
        other = mlflow.Client().create_run("0")
        mlflow.log_metric("loss", 0.5, run_id=other.info.run_id)
        places.recorder().flush()
        assert not Path("tensorboard").exists()

    def test_are_not_mirrored_unless_a_directory_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DOVETAIL_TENSORBOARD_DIR")
        with mlflow.start_run():
            mlflow.log_metric("loss", 0.5)
        assert sorted(path.suffix for path in Path().iterdir() if path.suffix == ".db") == [".db"]
        assert not Path("tensorboard").exists()


class TestTroubles:
    def test_a_directory_that_cannot_be_made_is_said_and_the_run_goes_on(self) -> None:
        Path("tensorboard").write_text("a file", encoding="utf-8")
        with pytest.warns(UserWarning, match="dovetail_tensorboard"):
            run = mlflow.start_run()
        mlflow.log_metric("loss", 0.5)
        mlflow.end_run()
        assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 0.5}

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
    def test_a_full_disk_is_said_once_and_the_run_goes_on(self) -> None:
        script = """
            import os, sys, time
            import dovetail as mlflow
            mlflow.set_tracking_uri("memory://full")
            with mlflow.start_run() as run:
                (folder,) = os.listdir("tensorboard")
                log = os.open("/dev/full", os.O_WRONLY)
                for number in map(int, os.listdir("/proc/self/fd")):
                    if number != log and os.path.exists(f"/proc/self/fd/{number}"):
                        if "tfevents" in os.readlink(f"/proc/self/fd/{number}"):
                            os.dup2(log, number)
                for step in range(3):
                    mlflow.log_metric("loss", 0.5, step=step)
            print(len(mlflow.Client().get_metric_history(run.info.run_id, "loss")))
        """
        done = run_script(script)
        assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
        assert done.stderr.count("No space left on device") == 1

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    def test_a_forked_child_leaves_the_log_of_its_parent_alone(self, shown: Shown) -> None:
        done = run_script("""
            import os, sys, warnings
            import dovetail as mlflow
            warnings.simplefilter("ignore")  # newer versions of Python warn of forks beside threads
            mlflow.set_tracking_uri("sqlite:///runs.db")
            with mlflow.start_run() as run:
                for step in range(200):
                    mlflow.log_metric("loss", step, step=step)
                    if step % 50 == 0:
                        child = os.fork()
                        if child == 0:
                            with mlflow.start_run():
                                mlflow.log_metric("of the child", 1)
                                grandchild = os.fork()
                                if grandchild == 0:
                                    os._exit(0)
                                os.waitpid(grandchild, 0)
                            sys.exit()
                        assert os.waitpid(child, 0)[1] == 0
            print(run.info.run_id)
        """)
        assert done.returncode == 0, done.stderr
        run = mlflow.get_run(done.stdout.strip())
        assert points(shown(run), "loss") == [(step, step) for step in range(200)]
        found = [
            shown(each) for each in mlflow.search_runs(output_format="list") if each.info.run_id != run.info.run_id
        ]
        assert [points(each, "of the child") for each in found] == [[(0, 1)]] * 4


class TestTheNews:
    """What the mirror stands on, as any observer hears it."""

    def test_comes_in_order_once_and_before_the_end_of_the_run(self) -> None:
        with listening() as heard, mlflow.start_run() as run:
            for step in range(20_000):
                mlflow.log_metric("loss", step, step=step)
            mlflow.set_tag("a", "b")
        *logged, ended = [news for news in heard if run.info.run_id in news]
        assert ended == (run.info.run_id, "ended")
        assert [value for _, batch in logged for value in batch] == [*range(20_000), "b"]

    def test_may_be_answered_by_reading_and_logging(self) -> None:
        answers = []

        def answer(event: Event) -> None:
            answers.append(len(mlflow.Client().get_metric_history(event.run_id, "loss")))
            if event.batch.points() and len(answers) < 5:
                mlflow.log_metric("echo", len(answers), step=len(answers), run_id=event.run_id)

        with listening(answer), mlflow.start_run() as run:
            for step in range(1000):
                mlflow.log_metric("loss", step, step=step)
        client = mlflow.Client()
        assert [p.step for p in client.get_metric_history(run.info.run_id, "loss")] == list(range(1000))
        assert 1 <= len(client.get_metric_history(run.info.run_id, "echo")) <= 5
        assert answers[-1] == 1000


class listening:  # noqa: N801 - reads as a verb
    """An observer for the length of a block; what it heard is the block's value."""

    def __init__(self, answer: Callable[[Event], None] | None = None) -> None:
        self.heard: list[tuple[str, object]] = []
        self.answer, self.active = answer, True

    def __enter__(self) -> list[tuple[str, object]]:
        plugins.register(self)
        return self.heard

    def __exit__(self, *exception: object) -> None:
        self.active = False  # plugins stay; this one is inert from now on

    @hookimpl
    def dovetail_event(self, event: Event) -> None:
        if self.active:
            values = [point.value for point in event.batch.points()]
            self.heard.append((event.run_id, [*values, *(tag.value for tag in event.batch.tags)]))
            if self.answer is not None:
                self.answer(event)

    @hookimpl
    def dovetail_run_ended(self, run: mlflow.Run) -> None:
        if self.active:
            self.heard.append((run.info.run_id, "ended"))


def run_script(source: str) -> subprocess.CompletedProcess[str]:
    path = Path("script.py")
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=60)
