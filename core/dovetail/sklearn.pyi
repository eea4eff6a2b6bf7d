# Written by scripts/facades.py. Whether the plugin is installed shows when it is used.

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dovetail.models.info import ModelInfo
from dovetail.models.requirements import CondaEnv, Lines
from dovetail.models.signature import ModelSignature
from dovetail_sklearn import SklearnFlavor as SklearnFlavor
from dovetail_sklearn import SklearnOptions as SklearnOptions
from dovetail_sklearn import load_model as load_model

def log_model(
    sk_model: Any,
    name: str = "model",
    *,
    serialization_format: str = "cloudpickle",
    pyfunc_predict_fn: str = "predict",
    signature: ModelSignature | None = None,
    input_example: Any = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
    metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    step: int | None = None,
    registered_model_name: str | None = None,
    await_registration_for: float | None = 300,
    artifact_path: str | None = None,
) -> ModelInfo: ...
def save_model(
    sk_model: Any,
    path: str,
    *,
    serialization_format: str = "cloudpickle",
    pyfunc_predict_fn: str = "predict",
    signature: ModelSignature | None = None,
    input_example: Any = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None: ...
