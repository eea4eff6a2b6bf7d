"""The example: trained in an environment of its own, looked at, and used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

WINE = Path(__file__).parents[2] / "examples" / "wine"

pytestmark = [pytest.mark.index, pytest.mark.timeout(600)]


def test_the_example_is_trained_looked_at_and_used(place: Any) -> None:
    ran = place.cli("run", str(WINE), "-P", "alpha=0.3", "-P", "epochs=5", timeout=500)
    assert ran.exit_code == 0, ran.err
    run, run_id = ran.run, ran.run.info.run_id
    assert run.info.status == "FINISHED"
    assert run.data.params == {"alpha": "0.3", "epochs": "5", "test_size": "0.25"}
    assert run.data.metrics["accuracy"] > 0.9
    assert [point.step for point in place.client.get_metric_history(run_id, "loss")] == list(range(5))
    assert run.data.tags["mlflow.project.env"] == "uv"
    assert f"dovetail models predict -m runs:/{run_id}/model -i FILE" in ran.out

    assert run_id in place.cli("runs", "list").out
    assert "accuracy" in place.cli("runs", "show", run_id[:8]).out
    listed = place.cli("artifacts", "list", "-r", run_id).out
    for name in ("logs/", "model/", "plots/"):
        assert name in listed
    assert "sklearn" in place.cli("models", "show", "-m", f"runs:/{run_id}/model").out

    model = f"runs:/{run_id}/model"
    predicted = place.cli("models", "predict", "-m", model, "-i", str(WINE / "rows.csv"), timeout=500)
    assert predicted.exit_code == 0, predicted.err
    assert predicted.out.count("0") + predicted.out.count("1") + predicted.out.count("2") >= 6
