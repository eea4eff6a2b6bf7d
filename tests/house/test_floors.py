"""The floors of the core: who may import whom, and no circles, imports inside functions counted."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "dovetail"

# The first line that fits a module says its floor. A module imports lower floors, or its own folder on its own floor.
FLOORS = {
    # values
    "errors": 0,
    "lazy": 0,
    "posix": 0,
    "interrupts": 0,
    "values": 0.1,
    "uris": 0.05,
    "durations": 0.05,
    "setting_files": 0.05,
    "setting_table": 0.05,
    "settings": 0.1,
    "folders": 0.2,
    "documents": 0.05,
    "concealment": 0.2,
    "environments.spec": 0.2,
    # lookup
    "entrypoints": 1,
    "hookspecs": 1,
    "install_hint": 0,
    "plugins": 1.1,
    # seams, and what needs nothing but values to do its work
    "tracking.store": 2,
    "tracking.made_models": 2,
    "tracking.bin": 2,
    "tracking.leases": 2,
    "tracking.history_store": 2,
    "tracking.link_store": 2,
    "tracking.log_store": 2,
    "tracking.holder": 2,
    "tracking.logged_model_store": 2,
    "registry.store": 2,
    "registry.refusals": 2,
    **dict.fromkeys([f"registry.{name}" for name in ("alias", "backtracking", "finding", "model_uri", "tags")], 2),
    "tracking.schema": 2,
    "tracking.source": 2,
    "tracking.repository": 2,
    "tracking.packages": 2,
    "tracking.console_relay": 2,
    "tracking.console_capture": 2,
    "tracking.filters": 2,
    "tracking.filter_": 2,
    "tracking.series": 2,
    "tracking.thinning": 2,
    "tracking.columns": 2,
    "tracking.dataset_summaries": 2,
    "tracking.pages": 2,
    "tracking.params": 2,
    "tracking.stages": 2,
    "tracking.subjects": 2,
    "tracking.model_changes": 2,
    "tracking.reference_search": 2,
    "tracking.walking": 2,
    "tracking.tracking_uri": 2,
    "artifacts": 2,
    "environments": 2,
    "models.flavor": 2,
    "models.manifest": 2,
    "models.info": 2,
    "models.example": 2,
    "models.payload": 2,
    **dict.fromkeys(
        [
            f"models.{name}"
            for name in (
                "columns",
                "datatypes",
                "enforcement",
                "fitting",
                "inference",
                "params",
                "recognition",
                "schema",
                "signature",
                "tensors",
            )
        ],
        2,
    ),
    "projects.backend": 2,
    "projects.project": 2,
    "projects.conda_env": 2,
    "projects.quoting": 2,
    # values and calls as they cross the network
    "wire": 2.5,
    # what looks at plugins of every kind
    "inspection": 2.9,
    # MLflow's names for what stands below; nothing is made here
    **dict.fromkeys(["client", "config", "data", "entities", "exceptions", "system_metrics", "types", "utils"], 5),
    **dict.fromkeys(["models.model", "tracking.fluent"], 5),
    # verbs: first where things are, then what is done with them
    "tracking.choice": 3,
    "tracking.modes": 3,
    "tracking.offline": 3,
    "tracking.system_metrics": 3,
    "tracking.news": 3,
    "tracking.termination": 3,
    "tracking.places": 3,
    "tracking.recorder": 3,
    "tracking.recorders": 3,
    "tracking.shipper": 3,
    "tracking.journal": 3,
    "tracking.operations": 3,
    "locations": 3.1,
    # what the client inherits, and below it; fluent verbs stand on the client
    "registry.models": 3.3,
    "registry": 3.15,
    "datasets": 3.15,
    "tracking": 3.2,
    # verbs that stand on tracking
    "models": 4,
    "projects": 4,
    # what looks at the whole installation
    "diagnosis": 4.5,
    # surfaces
    "cli": 6,
    "testing": 6,
}


def modules() -> dict[str, Path]:
    """Every module of the core by its name below ``dovetail``; façades (``__init__``) name others and are left out."""
    paths = [path for path in CORE.rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.relative_to(CORE).with_suffix("").parts): path for path in paths}


def floor(name: str) -> float:
    for known, number in FLOORS.items():
        if name == known or name.startswith((f"{known}.", known if known.endswith("_") else f"{known}.")):
            return number
    pytest.fail(f"core/dovetail/{name.replace('.', '/')}.py stands on no floor: name it in {__file__}")


def hidden(tree: ast.AST) -> set[int]:
    """Imports that only type checkers see."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {id(inner) for block in blocks for child in block.body for inner in ast.walk(child)}


def imported(path: Path, known: set[str]) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unseen = hidden(tree)
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide the floor"
            names |= {target(str(node.module), alias.name, known) for alias in node.names}
    return {name.removeprefix("dovetail.") for name in names if name.startswith("dovetail.")} - {""}


def target(module: str, name: str, known: set[str]) -> str:
    """What `from module import name` imports: a module below it, the module itself, or the folder's façade."""
    below = f"{module}.{name}".removeprefix("dovetail.")
    return f"dovetail.{below}" if below in known else module


GRAPH = {name: imported(path, set(modules())) for name, path in modules().items()}


def folder(name: str) -> str:
    """The folder a module lies in; modules that lie in the core itself are a floor of their own each."""
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_a_module_imports_only_what_stands_below_it(name: str) -> None:
    for target in GRAPH[name]:
        below = floor(target) < floor(name) or (floor(target) == floor(name) and folder(target) == folder(name))
        assert below, f"{name} (floor {floor(name)}) imports {target} (floor {floor(target)})"


def everything() -> dict[str, Path]:
    """Every module of every distribution, packages included."""
    roots = [CORE, *ROOT.glob("plugins/[!_]*/*/dovetail_*")]
    paths = [(root, path) for root in roots for path in root.rglob("*.py")]
    names = [(path.relative_to(root.parent).with_suffix(""), path) for root, path in paths]
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in names}


def reached(path: Path, known: set[str]) -> set[str]:
    """The modules that importing a module loads, the packages they lie in included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unseen = hidden(tree)
    nodes = [node for node in ast.walk(tree) if id(node) not in unseen]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names & known


def test_there_are_no_circles() -> None:
    found = everything()
    graph = {name: reached(path, set(found)) - {name} for name, path in found.items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_core_imports_no_plugin() -> None:
    for name, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            targets = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            targets += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [target for target in targets if target.startswith("dovetail_")], f"{name} imports a plugin"


def test_no_heap_of_leftovers() -> None:
    # Scripts import MLflow's tags by this path; nothing else may lie there.
    names = {part for name in modules() if name != "utils.mlflow_tags" for part in name.split(".")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
