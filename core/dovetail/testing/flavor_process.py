"""A process that loads a model and predicts, having seen nothing of how it was made; started as a file.

One JSON job on standard input; the answer is the last line of standard output.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
import sys
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any


def main() -> None:
    """Load the model that the job names, predict, and write the predictions."""
    own = str(Path(__file__).resolve().parent)
    sys.path[:] = [entry for entry in sys.path if entry != own]
    job = json.load(sys.stdin)
    for name, file in job["homes"]:
        _provide(name, file)
    (module, _), qualname = job["flavor"]
    kind: Any = reduce(getattr, qualname.split("."), importlib.import_module(module))
    flavor = kind()
    data = pickle.loads(Path(job["data"]).read_bytes())  # noqa: S301 - the test that started this wrote it
    loaded = flavor.load(Path(job["folder"]), job["conf"])
    from dovetail.models.payload import dump_predictions

    sys.stdout.write(f"\n{dump_predictions(flavor.predict(loaded, data, {}))}\n")


def _provide(name: str, file: str) -> Any:
    """Import a module by its name, or from its file where the name alone does not lead to it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise
        parents = name.split(".")[:-1]
        for length in range(1, len(parents) + 1):
            sys.modules.setdefault(".".join(parents[:length]), ModuleType(".".join(parents[:length])))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


if __name__ == "__main__":
    main()
