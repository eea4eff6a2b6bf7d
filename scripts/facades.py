"""Write what type checkers and editors see of the façades of first-party flavors: ``core/dovetail/<flavor>.pyi``.

A façade such as ``dovetail.sklearn`` is made by the core when it is used, from what the plugin declares; no source says
what it takes. Run ``python scripts/facades.py`` after changing a flavor's options or what is common to all of them; a
test fails while a file is stale.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dovetail
from dovetail import plugins
from dovetail.models import facade, flavors, saving

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
HEADER = "# Written by scripts/facades.py. Whether the plugin is installed shows when it is used."
RETURNS = {"save_model": "None", "log_model": "ModelInfo", "load_model": "Any"}
# What ``log_model`` takes beside what it shows: the name's former name.
FORMER = "    artifact_path: str | None = None,\n"


def keys() -> list[str]:
    """The flavors that have a distribution in this checkout."""
    ours = {path.name for path in ROOT.glob("plugins/flavors/[!_]*")}
    return sorted(key for key, point in plugins.offers("flavors").items() if point.distribution[9:] in ours)


def stub(key: str) -> str:
    """The text of ``core/dovetail/<key>.pyi``."""
    point = plugins.offers("flavors")[key]
    public = importlib.import_module(point.value).__all__
    shown = getattr(dovetail, key)
    verbs = [function(name, getattr(shown, name)) for name in sorted(RETURNS) if name not in public]
    places = definitions(saving, facade, sys.modules[type(flavors.flavor(key)).__module__])
    used = {node.id for node in ast.walk(ast.parse("".join(verbs))) if isinstance(node, ast.Name)}
    imports = {places[name] for name in used if name in places}
    again = "\n".join(f"from {point.value} import {name} as {name}" for name in sorted(public))
    return f"{HEADER}\n\n{sorted_imports(imports)}\n{again}\n\n{''.join(verbs)}"


def sorted_imports(lines: set[str]) -> str:
    """Import statements as ruff wants them: modules first, the names of one module together, our own modules last."""
    names: dict[str, list[str]] = {}
    for line in sorted(lines):
        module, _, name = line.partition(" import ")
        names.setdefault(module, []).append(name)
    merged = [f"{key} import {', '.join(found)}" if key.startswith("from") else key for key, found in names.items()]
    ordered = sorted(merged, key=lambda line: (line.split()[1].startswith("dovetail"), line.startswith("from"), line))
    first = next(number for number, line in enumerate(ordered) if line.split()[1].startswith("dovetail"))
    return "\n".join([*ordered[:first], "", *ordered[first:]])


def function(name: str, verb: Any) -> str:
    """A verb's definition, one argument a line."""
    lines, by_name = [f"def {name}(\n"], False
    for each in inspect.signature(verb).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not by_name:
            lines.append("    *,\n")
            by_name = True
        default = "" if each.default is each.empty else f" = {written(each.default)}"
        lines.append(f"    {each.name}: {each.annotation}{default},\n")
    lines += [FORMER] if name == "log_model" else []
    return "".join([*lines, f") -> {RETURNS[name]}: ...\n"])


def written(default: Any) -> str:
    """A default as source."""
    return json.dumps(default) if isinstance(default, str) else repr(default)


def definitions(*modules: ModuleType) -> dict[str, str]:
    """Name -> the statement that imports it, for what the modules import, also for type checkers only."""
    found = {}
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Import):
                found.update({each.name: f"import {each.name}" for each in node.names})
            elif isinstance(node, ast.ImportFrom):
                found.update({each.name: f"from {node.module} import {each.name}" for each in node.names})
    return {"ModelInfo": "from dovetail.models.info import ModelInfo", **found}


def main() -> int:
    """Write the files, or with ``--check`` say which are stale."""
    texts = {ROOT / "core" / "dovetail" / f"{key}.pyi": stub(key) for key in keys()}
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path}; run python scripts/facades.py")
        return bool(stale)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
