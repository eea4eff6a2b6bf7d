"""Metrics of the machine, as scripts get them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import dovetail as mlflow
from dovetail.errors import InvalidInput, InvalidName, PluginMissing
from dovetail.testing import PluginSuite

if TYPE_CHECKING:
    from collections.abc import Callable

MACHINE = {
    "cpu_utilization_percentage",
    "disk_available_megabytes",
    "disk_usage_megabytes",
    "disk_usage_percentage",
    "network_receive_megabytes",
    "network_transmit_megabytes",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
}
GPU = {
    "memory_usage_megabytes",
    "memory_usage_percentage",
    "power_usage_percentage",
    "power_usage_watts",
    "utilization_percentage",
}
ONE_RUN = """
mlflow.set_system_metrics_sampling_interval(0.05)
with mlflow.start_run(log_system_metrics=True) as run:
    wait_for(run, 2)
print(json.dumps(histories(run)))
"""


class TestPlugin(PluginSuite):
    module, heavy, key = "dovetail_system_metrics", ("psutil", "pynvml"), "system-metrics"


class TestWhatIsLogged:
    def test_goes_by_the_names_that_mlflow_writes(self, script: Callable[..., Any]) -> None:
        assert set(script(ONE_RUN)) == {f"system/{name}" for name in MACHINE}

    def test_steps_count_the_points(self, script: Callable[..., Any]) -> None:
        for points in script(ONE_RUN).values():
            assert [step for step, _ in points] == list(range(len(points)))

    def test_is_in_megabytes_of_a_million_and_in_percent(self, script: Callable[..., Any]) -> None:
        logged = {key.removeprefix("system/"): points[0][1] for key, points in script(ONE_RUN).items()}
        assert logged["disk_available_megabytes"] == pytest.approx(psutil.disk_usage("/").free / 1e6, rel=0.2)
        assert logged["system_memory_usage_megabytes"] < psutil.virtual_memory().total / 1e6
        for name in MACHINE:
            assert logged[name] >= 0
            assert logged[name] <= 100 or not name.endswith("percentage")

    def test_the_first_look_at_the_processor_says_something(self, script: Callable[..., Any]) -> None:
        script_that_works = ONE_RUN.replace("    wait_for(run, 2)", "    while not histories(run): pass")
        assert script(script_that_works)["system/cpu_utilization_percentage"][0][1] > 0

    def test_short_runs_have_a_point(self, script: Callable[..., Any]) -> None:
        logged = script("""
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 1)
            print(json.dumps(histories(run)))
        """)
        assert {len(points) for points in logged.values()} == {1}  # with ten seconds to the next look

    def test_may_be_the_mean_of_several_looks(self, script: Callable[..., Any]) -> None:
        logged = script("""
            mlflow.set_system_metrics_sampling_interval(0.1)
            mlflow.set_system_metrics_samples_before_logging(4)
            began = time.monotonic()
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 2)
            print(json.dumps([time.monotonic() - began, histories(run)]))
        """)
        assert logged[0] >= 0.7
        assert {len(points) for points in logged[1].values()} == {2}

    def test_names_the_machine_where_there_are_several(self, script: Callable[..., Any]) -> None:
        logged = script("""
            mlflow.set_system_metrics_sampling_interval(0.05)
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 3)
            mlflow.set_system_metrics_node_id("rank 1")
            with mlflow.start_run(run_id=run.info.run_id, log_system_metrics=True):
                wait_for(run, 1, "system/rank 1/cpu_utilization_percentage")
            print(json.dumps(histories(run)))
        """)
        assert {f"system/rank 1/{name}" for name in MACHINE} < set(logged)
        assert logged["system/rank 1/cpu_utilization_percentage"][0][0] == 0


class TestGpus:
    def test_are_looked_at_where_there_are_any(self, script: Callable[..., Any], gpus: Callable[..., str]) -> None:
        logged = script(ONE_RUN, PYTHONPATH=gpus())
        first = {name: logged[f"system/gpu_0_{name}"][0][1] for name in GPU}
        assert first == {
            "memory_usage_megabytes": 4000,
            "memory_usage_percentage": 25,
            "power_usage_percentage": 50,
            "power_usage_watts": 125,
            "utilization_percentage": 37,
        }

    def test_need_not_answer_everything(self, script: Callable[..., Any], gpus: Callable[..., str]) -> None:
        named = {key.removeprefix("system/gpu_1_") for key in script(ONE_RUN, PYTHONPATH=gpus()) if "gpu_1_" in key}
        assert named == {name for name in GPU if not name.startswith("power")}

    def test_that_fail_are_reported_once_and_hurt_nothing_else(
        self, script: Callable[..., Any], gpus: Callable[..., str]
    ) -> None:
        lost = "def nvmlDeviceGetUtilizationRates(gpu): raise NVMLError_GpuIsLost('fell off the bus')"
        logged = script(ONE_RUN, PYTHONPATH=gpus(lost), errors="GPU 0 cannot be looked at: NVMLError_GpuIsLost")
        assert set(logged) == {f"system/{name}" for name in MACHINE}

    def test_without_a_driver_are_none(self, script: Callable[..., Any], gpus: Callable[..., str]) -> None:
        away = "def nvmlInit(): raise NVMLError('Driver Not Loaded')"
        assert set(script(ONE_RUN, PYTHONPATH=gpus(away))) == {f"system/{name}" for name in MACHINE}


class TestWhoAsksForIt:
    @pytest.mark.parametrize("prefix", ["DOVETAIL", "MLFLOW"])
    def test_variables_do(self, script: Callable[..., Any], prefix: str) -> None:
        source = ONE_RUN.replace("log_system_metrics=True", "").replace("mlflow.set", "# mlflow.set")
        variables = {
            f"{prefix}_ENABLE_SYSTEM_METRICS_LOGGING": "true",
            f"{prefix}_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.05",
            f"{prefix}_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING": "2",
            f"{prefix}_SYSTEM_METRICS_NODE_ID": "a/b",
        }
        source = source.replace("wait_for(run, 2)", "wait_for(run, 2, 'system/a/b/cpu_utilization_percentage')")
        assert set(script(source, **variables)) == {f"system/a/b/{name}" for name in MACHINE}

    def test_the_verb_does_until_it_is_taken_back(self, script: Callable[..., Any]) -> None:
        before, after = script("""
            mlflow.enable_system_metrics_logging()
            with mlflow.start_run() as run:
                wait_for(run, 1)
            mlflow.disable_system_metrics_logging()
            with mlflow.start_run() as other:
                time.sleep(0.5)
            print(json.dumps([histories(run), histories(other)]))
        """)
        assert len(before) == len(MACHINE)
        assert after == {}

    def test_processes_that_are_started_do_as_this_one(self, script: Callable[..., Any]) -> None:
        assert (
            script("""
            import subprocess
            mlflow.enable_system_metrics_logging()
            mlflow.set_system_metrics_sampling_interval(2)
            child = "from dovetail import settings as s; print(s.get('enable_system_metrics_logging')"
            child += " and s.get('system_metrics_sampling_interval') == 2)"
            told = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout
            print(json.dumps(told.strip()))
        """)
            == "True"
        )

    def test_a_run_may_decide_otherwise(self, script: Callable[..., Any]) -> None:
        assert (
            script("""
            mlflow.enable_system_metrics_logging()
            with mlflow.start_run(log_system_metrics=False) as run:
                time.sleep(0.5)
            print(json.dumps(histories(run)))
        """)
            == {}
        )

    @pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "often", True])
    def test_an_interval_is_seconds(self, wrong: Any) -> None:
        with pytest.raises(InvalidInput, match="interval"):
            mlflow.set_system_metrics_sampling_interval(wrong)

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, "two", True])
    def test_samples_are_a_count(self, wrong: Any) -> None:
        with pytest.raises(InvalidInput, match="samples"):
            mlflow.set_system_metrics_samples_before_logging(wrong)

    @pytest.mark.parametrize("wrong", ["", "a//b", "../up", "a\nb", "x" * 250])
    def test_a_node_id_can_stand_in_a_name(self, wrong: str) -> None:
        with pytest.raises(InvalidName):
            mlflow.set_system_metrics_node_id(wrong)

    def test_none_goes_back_to_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_SYSTEM_METRICS_NODE_ID", "mine")
        mlflow.set_system_metrics_node_id("other")
        assert os.environ["DOVETAIL_SYSTEM_METRICS_NODE_ID"] == "other"
        mlflow.set_system_metrics_node_id(None)
        assert os.environ["DOVETAIL_SYSTEM_METRICS_NODE_ID"] == "mine"

    def test_who_blocks_the_plugin_is_told_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_PLUGINS_BLOCK", "dovetail-system-metrics")
        mlflow.set_tracking_uri("memory://blocked")
        with pytest.raises(PluginMissing, match="keeps dovetail-system-metrics out"):
            mlflow.start_run(log_system_metrics=True)
        assert mlflow.search_runs(search_all_experiments=True, output_format="list") == []


class TestARunsLife:
    def test_a_run_that_is_taken_up_goes_on_counting(self, script: Callable[..., Any]) -> None:
        logged = script("""
            mlflow.set_system_metrics_sampling_interval(0.05)
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 2)
            with mlflow.start_run(run_id=run.info.run_id, log_system_metrics=True):
                wait_for(run, 4)
            print(json.dumps(histories(run)))
        """)
        for points in logged.values():
            assert [step for step, _ in points] == list(range(len(points)))
            assert len(points) >= 4

    def test_the_thread_ends_with_the_run(self, script: Callable[..., Any]) -> None:
        during, after = script("""
            import threading
            def watching():
                return [thread.name for thread in threading.enumerate()].count("dovetail-system-metrics")
            with mlflow.start_run(log_system_metrics=True):
                with mlflow.start_run(nested=True, log_system_metrics=True):
                    during = watching()
            print(json.dumps([during, watching()]))
        """)
        assert (during, after) == (2, 0)

    def test_a_run_that_the_script_leaves_open_ends_as_ever(self, script: Callable[..., Any]) -> None:
        began = time.monotonic()
        script("""
            mlflow.set_tracking_uri("sqlite:///runs.db")
            run = mlflow.start_run(log_system_metrics=True)
            wait_for(run, 1)
            print("null")
        """)
        assert time.monotonic() - began < 30
        mlflow.set_tracking_uri("sqlite:///runs.db")
        (run,) = mlflow.search_runs(output_format="list")
        assert run.info.status == "FINISHED"

    def test_two_threads_in_one_run_have_it_looked_at_once(self, script: Callable[..., Any]) -> None:
        logged = script("""
            from threading import Thread
            mlflow.set_system_metrics_sampling_interval(0.05)
            def take_up():
                with mlflow.start_run(run_id=run.info.run_id, log_system_metrics=True):
                    wait_for(run, 3)
            with mlflow.start_run(log_system_metrics=True) as run:
                thread = Thread(target=take_up)
                thread.start()
                thread.join()
            print(json.dumps(histories(run)))
        """)
        for points in logged.values():
            assert [step for step, _ in points] == list(range(len(points)))

    def test_a_run_that_is_deleted_meanwhile_ends_the_thread_in_silence(self, script: Callable[..., Any]) -> None:
        script("""
            import threading
            mlflow.set_system_metrics_sampling_interval(0.05)
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 1)
                mlflow.delete_run(run.info.run_id)
                deadline = time.monotonic() + 20
                while "dovetail-system-metrics" in [thread.name for thread in threading.enumerate()]:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            print("null")
        """)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    def test_a_forked_child_leaves_the_run_of_its_parent_alone(self, script: Callable[..., Any]) -> None:
        logged = script("""
            import warnings
            warnings.simplefilter("ignore")  # newer versions of Python warn of forks beside threads
            mlflow.set_tracking_uri("sqlite:///runs.db")
            mlflow.set_system_metrics_sampling_interval(0.05)
            with mlflow.start_run(log_system_metrics=True) as run:
                wait_for(run, 1)
                child = os.fork()
                if child == 0:
                    import threading
                    with mlflow.start_run(run_id=run.info.run_id, log_system_metrics=True):
                        mlflow.log_metric("threads", sum("metrics" in t.name for t in threading.enumerate()))
                        mlflow.end_run()
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
                wait_for(run, 4)
            print(json.dumps(histories(run)))
        """)
        assert logged.pop("threads") == [[0, 0]]
        for points in logged.values():
            assert [step for step, _ in points] == list(range(len(points)))

    def test_costs_the_start_of_a_run_next_to_nothing_where_it_is_off(self, script: Callable[..., Any]) -> None:
        assert (
            script("""
            with mlflow.start_run():
                pass
            print(json.dumps([name for name in sys.modules if name in ("psutil", "pynvml")]))
        """)
            == []
        )
