"""Requests in the shapes that MLflow's R and Java clients send. These are stand-ins: neither client is run here.

The shapes are those that both clients' sources document: Java prints protocol buffers as JSON, with whole numbers of 64
bits as text and without fields that have their default; R names runs by both fields, and writes what is not finite as
text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Asking

JAVA = {"user-agent": "mlflow-java-client/2.17.2", "content-type": "application/json; charset=UTF-8"}
R = {"user-agent": "mlflow-r-client/2.17.0", "content-type": "application/json"}


class TestTheJavaClient:
    def test_logs_a_run(self, ask: Asking) -> None:
        made = ask("POST", "experiments/create", {"name": "java"}, headers=JAVA).data["experiment_id"]
        new = {
            "experiment_id": made,
            "user_id": "ada",
            "start_time": "1700000000000",
            "tags": [{"key": "a", "value": "b"}],
        }
        run_id = ask("POST", "runs/create", new, headers=JAVA).data["run"]["info"]["run_uuid"]
        for step in ("0", "3"):
            point = {"run_uuid": run_id, "run_id": run_id, "key": "loss", "value": 0.5, "timestamp": "1700000000001"}
            if step != "0":
                point["step"] = step
            assert ask("POST", "runs/log-metric", point, headers=JAVA).data == {}
        nan = {"run_id": run_id, "key": "loss", "value": "NaN", "timestamp": "1700000000002", "step": "4"}
        assert ask("POST", "runs/log-metric", nan, headers=JAVA).status == 200
        param = {"run_uuid": run_id, "run_id": run_id, "key": "lr", "value": "0.1"}
        assert ask("POST", "runs/log-parameter", param, headers=JAVA).data == {}
        batch = {
            "run_id": run_id,
            "metrics": [{"key": "acc", "value": 1.0, "timestamp": "1700000000003", "step": "9"}],
            "params": [{"key": "depth", "value": "3"}],
            "tags": [{"key": "team", "value": "blue"}],
        }
        assert ask("POST", "runs/log-batch", batch, headers=JAVA).data == {}
        end = {"run_id": run_id, "run_uuid": run_id, "status": "FINISHED", "end_time": "1700000001000"}
        assert ask("POST", "runs/update", end, headers=JAVA).data["run_info"]["status"] == "FINISHED"

        run = ask("GET", "runs/get", query={"run_uuid": run_id, "run_id": run_id}, headers=JAVA).data["run"]
        assert (run["info"]["start_time"], run["info"]["end_time"]) == (1700000000000, 1700000001000)
        assert {each["key"]: each["value"] for each in run["data"]["params"]} == {"lr": "0.1", "depth": "3"}
        history = {"run_uuid": run_id, "run_id": run_id, "metric_key": "loss"}
        points = ask("GET", "metrics/get-history", query=history, headers=JAVA).data["metrics"]
        assert [(each.get("step"), each["value"]) for each in points] == [(0, 0.5), (3, 0.5), (4, "NaN")]

    def test_searches_runs_and_reads_versions(self, ask: Asking) -> None:
        search = {"experiment_ids": ["0"], "filter": "", "run_view_type": "ACTIVE_ONLY", "max_results": 1000}
        assert ask("POST", "runs/search", search, headers=JAVA).data == {}
        ask("POST", "registered-models/create", {"name": "net"}, headers=JAVA)
        assert ask("POST", "registered-models/get-latest-versions", {"name": "net"}, headers=JAVA).data == {}
        assert ask("GET", "registered-models/get-latest-versions", query={"name": "net"}, headers=JAVA).data == {}


class TestTheRClient:
    @pytest.mark.parametrize(("sent", "stored"), [(0.5, 0.5), ("NaN", "NaN"), ("Infinity", "Infinity"), (3, 3)])
    def test_logs_numbers_of_all_kinds(self, ask: Asking, sent: object, stored: object) -> None:
        new = {"experiment_id": "0", "user_id": "ada", "start_time": 1.7e12, "tags": [], "run_name": None}
        run_id = ask("POST", "runs/create", new, headers=R).data["run"]["info"]["run_id"]
        point = {"run_uuid": run_id, "run_id": run_id, "key": "loss", "value": sent, "timestamp": 1.7e12, "step": 1.0}
        assert ask("POST", "runs/log-metric", point, headers=R).status == 200
        run = ask("GET", "runs/get", query={"run_uuid": run_id, "run_id": run_id}, headers=R).data["run"]
        (metric,) = run["data"]["metrics"]
        assert (metric["value"], metric["timestamp"], metric["step"]) == (stored, 1_700_000_000_000, 1)

    def test_looks_for_experiments_by_name(self, ask: Asking) -> None:
        missing = ask("GET", "experiments/get-by-name", query={"experiment_name": "iris"}, headers=R)
        assert (missing.status, missing.data["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        made = ask("POST", "experiments/create", {"name": "iris", "artifact_location": None, "tags": []}, headers=R)
        found = ask("GET", "experiments/get-by-name", query={"experiment_name": "iris"}, headers=R)
        assert found.data["experiment"]["experiment_id"] == made.data["experiment_id"]
        listed = ask("GET", "experiments/search", query={"view_type": "ACTIVE_ONLY", "max_results": 100}, headers=R)
        assert [each["name"] for each in listed.data["experiments"]] == ["iris", "Default"]

    def test_sets_and_deletes_tags(self, ask: Asking) -> None:
        run_id = ask("POST", "runs/create", {"experiment_id": "0"}, headers=R).data["run"]["info"]["run_id"]
        tag = {"run_uuid": run_id, "run_id": run_id, "key": "a", "value": "b"}
        assert ask("POST", "runs/set-tag", tag, headers=R).status == 200
        assert ask("POST", "runs/delete-tag", {"run_id": run_id, "key": "a"}, headers=R).status == 200
        assert ask("POST", "runs/delete-tag", {"run_id": run_id, "key": "a"}, headers=R).status == 404
