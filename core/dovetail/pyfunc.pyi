# Written by scripts/facades.py. Whether the plugin is installed shows when it is used.

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dovetail.models.info import ModelInfo
from dovetail.models.requirements import CondaEnv, Lines
from dovetail.models.signature import ModelSignature
from dovetail_pyfunc import PyfuncFlavor as PyfuncFlavor
from dovetail_pyfunc import PyfuncOptions as PyfuncOptions
from dovetail_pyfunc import PythonModel as PythonModel
from dovetail_pyfunc import PythonModelContext as PythonModelContext
from dovetail_pyfunc import get_model_dependencies as get_model_dependencies
from dovetail_pyfunc import load_model as load_model

def log_model(
    python_model: Any,
    name: str = "model",
    *,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
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
    python_model: Any,
    path: str,
    *,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None: ...
