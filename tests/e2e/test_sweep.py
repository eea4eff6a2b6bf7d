"""The second example: code for MLflow, with MLflow's own client in its environment, run and tracked by dovetail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SWEEP = Path(__file__).parents[2] / "examples" / "sweep"

pytestmark = [pytest.mark.index, pytest.mark.timeout(600)]


def test_mlflow_s_own_client_tracks_where_dovetail_does(place: Any) -> None:
    ran = place.cli("run", str(SWEEP), "-P", "alphas=0.1,1", timeout=500)
    assert ran.exit_code == 0, ran.err
    parent, run_id = ran.run, ran.run.info.run_id
    assert parent.info.status == "FINISHED"
    assert "best: alpha 0.1" in ran.out
    children = place.client.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'", order_by=["metrics.rmse"]
    )
    assert [child.data.params["alpha"] for child in children] == ["0.1", "1.0"]
    assert [child.info.status for child in children] == ["FINISHED"] * 2
    assert len(place.client.get_metric_history(children[0].info.run_id, "fold_rmse")) == 5
    assert parent.data.tags["best"] == children[0].info.run_id
    assert parent.data.metrics["best_rmse"] == pytest.approx(children[0].data.metrics["rmse"])

    listed = place.cli("artifacts", "list", "-r", run_id).out
    assert "best.txt" in listed
    assert "errors.json" in place.cli("artifacts", "list", "-r", children[0].info.run_id).out
    folder = Path(children[0].info.artifact_uri.removeprefix("file://"))
    assert (folder / "errors.json").is_file(), "it lies where it would without a server"
