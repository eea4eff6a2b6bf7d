"""Predicting inside a model's own environment; started as a file, with one JSON job on standard input.

Old models name old Pythons, so this file needs only Python 3.8 and the standard library. The job says where things
are, never what to import: the flavor's runtime is a file of an installed plugin, named by the launcher.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
import types
from pathlib import Path
from typing import Any

OK, BAD_INPUT, BROKEN = 0, 2, 1


def main() -> int:
    """Read the job, predict, write the answer; errors go to standard error as one JSON line."""
    # A program's own folder is importable, and modules of this one would hide others of their names.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    job = json.load(sys.stdin)
    if job["library"] and importlib.util.find_spec("dovetail") is None:
        _offer_library(job["library"])
    from dovetail.errors import DovetailError

    try:
        answer = _predict(job)
    except DovetailError as error:
        return _report(BAD_INPUT, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - whatever the model's code raises is told to the caller
        traceback.print_exc()
        return _report(BROKEN, f"{type(error).__name__}: {error}", _advice(error))
    Path(job["output"]).write_text(answer + "\n", encoding="utf-8")
    return OK


def _offer_library(folder: str) -> None:
    """Let ``dovetail.models.*`` be imported from the launcher's files."""
    for name, path in (("dovetail", folder), ("dovetail.models", f"{folder}/models")):
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package


def _predict(job: dict[str, Any]) -> str:
    from dovetail.models.payload import dump_predictions, read_payload

    for path in job["code"]:
        sys.path.insert(0, path)
    data, params = read_payload(Path(job["input"]).read_text(encoding="utf-8"), job["content_type"])
    data, params = _enforced(job["signature"], data, params)
    runtime = _runtime(job["runtime"])
    model = runtime.load(job["model"], job["conf"])
    return dump_predictions(runtime.predict(model, data, params))


def _enforced(signature: dict[str, Any] | None, data: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if signature is None:
        return data, params
    from dovetail.models.enforcement import enforce_params, enforce_schema
    from dovetail.models.json_input import as_signature
    from dovetail.models.signature import ModelSignature

    known = ModelSignature.from_dict(signature)
    if known.inputs is not None:
        data = enforce_schema(as_signature(data, known.inputs), known.inputs)
    return data, enforce_params(params, known.params)


def _runtime(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("dovetail_model_runtime", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _advice(error: Exception) -> str | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    return (
        "Try it with pip_requirements_override=[...] (on the command line -r/--pip-requirements-override) naming what "
        f"provides {error.name}, then log the model again with extra_pip_requirements=[...], or with code_paths=[...] "
        "if the code is yours."
    )


def _report(code: int, message: str, hint: str | None) -> int:
    sys.stderr.write("\n" + json.dumps({"dovetail_error": message, "hint": hint}) + "\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
