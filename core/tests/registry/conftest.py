"""A client whose runs and registered models lie in memory, artifacts on this machine, and runs with models in them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

import dovetail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def client(tmp_path: Path) -> dovetail.Client:
    """A new place for runs and models, which is the one in force."""
    dovetail.set_tracking_uri(f"memory://{uuid.uuid4().hex}")
    place = str(tmp_path / "artifacts")
    dovetail.set_experiment(experiment_id=dovetail.create_experiment("wine", artifact_location=place))
    return dovetail.Client()


@pytest.fixture
def logged(client: dovetail.Client) -> Callable[..., str]:
    """``logged("model")`` logs something that looks like a model to a new run and says where it is."""

    def log(path: str = "model") -> str:
        with dovetail.start_run() as run:
            dovetail.log_text("flavors: {}\n", f"{path}/MLmodel")
            dovetail.log_text("weights", f"{path}/data/weights.txt")
        return f"runs:/{run.info.run_id}/{path}"

    return log


@pytest.fixture
def wine(client: dovetail.Client) -> dovetail.Client:
    """A client that knows a registered model ``wine`` with three versions."""
    client.create_registered_model("wine")
    for number in (1, 2, 3):
        client.create_model_version("wine", f"s3://bucket/{number}")
    return client
