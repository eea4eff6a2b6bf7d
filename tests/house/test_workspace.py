"""The folders are the registry: every distribution is complete, and whatever lists them is up to date."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"
PLUGINS = sorted(path for path in ROOT.glob("plugins/[!_]*/[!_.]*") if path.is_dir())
DISTRIBUTIONS = [CORE, *PLUGINS, ROOT]
GROUPS = {
    "tracking_stores", "registry_stores", "artifact_stores", "env_managers", "backends", "flavors", "autologgers",
    "commands", "deployment_targets", "dataset_sources", "evaluators", "samplers", "hooks", "flavor_packages",
}  # fmt: skip
# What a distribution may be called by beside its own key, and why.
OTHER_NAMES = {
    "dovetail-core": {"memory"},  # the reference store that tests stand on
    "dovetail-mysql": {"mariadb"},  # what speaks the same language has a name of its own
    "dovetail-file": {"dir"},  # `file:` is how people write where a database lies
    "dovetail-fsspec": {"file", "memory", "*"},  # one plugin for schemes without one of their own
    "dovetail-http": {"https", "mlflow-artifacts"},  # the same by TLS, and the files of the runs there
    "dovetail-system": {"local"},  # the name that existing projects use
}

requirements = runpy.run_path(str(ROOT / "scripts" / "requirements.py"))
VERSION = tomllib.loads((CORE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
SERIES = requirements["series"](VERSION)
each_plugin = pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
each_distribution = pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda folder: folder.name)


def project(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def package_of(folder: Path) -> str:
    """The package of a plugin, which cannot have a dash in its name."""
    return f"dovetail_{folder.name}".replace("-", "_")


def entry_points(folder: Path) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = project(folder).get("entry-points", {})
    return groups


class TestEveryPlugin:
    @each_plugin
    def test_is_complete(self, folder: Path) -> None:
        package = package_of(folder)
        expected = ["pyproject.toml", "README.md", f"{package}/__init__.py", f"{package}/py.typed", "tests"]
        assert [part for part in expected if not (folder / part).exists()] == []

    @each_plugin
    def test_has_tests(self, folder: Path) -> None:
        assert list(folder.glob("tests/**/test_*.py")) != []

    @each_plugin
    def test_has_a_pyproject_of_at_most_20_lines(self, folder: Path) -> None:
        assert len((folder / "pyproject.toml").read_text(encoding="utf-8").splitlines()) <= 20

    @each_plugin
    def test_leaves_tool_settings_to_the_root(self, folder: Path) -> None:
        assert "[tool." not in (folder / "pyproject.toml").read_text(encoding="utf-8")

    @each_plugin
    def test_has_one_name_in_every_place(self, folder: Path) -> None:
        assert project(folder)["name"] == f"dovetail-{folder.name}"
        assert [path.parent.name for path in folder.glob("*/__init__.py")] == [package_of(folder)]

    @each_plugin
    def test_requires_the_core_of_its_own_series(self, folder: Path) -> None:
        assert f"dovetail-core{SERIES}" in project(folder)["dependencies"]

    def test_has_a_name_no_other_has(self) -> None:
        names = [folder.name for folder in PLUGINS]
        assert sorted(names) == sorted(set(names))


class TestEntryPoints:
    @each_distribution
    def test_stand_in_known_groups(self, folder: Path) -> None:
        assert [group for group in entry_points(folder) if group.removeprefix("dovetail.") not in GROUPS] == []

    @each_plugin
    def test_are_named_by_the_key_of_the_plugin(self, folder: Path) -> None:
        allowed = {folder.name, *OTHER_NAMES.get(project(folder)["name"], set())}
        # flavor_packages names the libraries a flavor covers; hooks answer for no name.
        named = {g: names for g, names in entry_points(folder).items() if not g.endswith(("flavor_packages", "hooks"))}
        assert {name for names in named.values() for name in names} <= allowed

    @each_plugin
    def test_point_into_the_package_of_the_plugin(self, folder: Path) -> None:
        modules = {module for names in entry_points(folder).values() for module in names.values()}
        assert {module.split(".")[0] for module in modules} <= {package_of(folder)}

    @each_plugin
    def test_point_at_modules_that_are_there(self, folder: Path) -> None:
        paths = {folder / Path(*m.split(".")) for names in entry_points(folder).values() for m in names.values()}
        assert [p for p in paths if not (p / "__init__.py").exists() and not p.with_suffix(".py").exists()] == []

    def test_of_flavors_say_which_packages_they_cover_or_none(self) -> None:
        both = [folder for folder in PLUGINS if "dovetail.flavor_packages" in entry_points(folder)]
        assert [folder.name for folder in both if "dovetail.flavors" not in entry_points(folder)] == []


class TestEveryDistribution:
    @each_distribution
    def test_has_the_one_version(self, folder: Path) -> None:
        assert project(folder)["version"] == VERSION

    def test_core_says_its_version_itself(self) -> None:
        assert f'__version__ = "{VERSION}"' in (CORE / "dovetail" / "__init__.py").read_text(encoding="utf-8")

    @each_distribution
    def test_runs_on_the_same_pythons(self, folder: Path) -> None:
        assert project(folder)["requires-python"] == ">=3.10"

    @each_distribution
    def test_has_one_license(self, folder: Path) -> None:
        assert project(folder)["license"] == "Apache-2.0"

    @each_distribution
    def test_bounds_its_siblings(self, folder: Path) -> None:
        table = project(folder)
        wanted = [
            *table["dependencies"],
            *(w for extra in table.get("optional-dependencies", {}).values() for w in extra),
        ]
        ours = [requirement for requirement in wanted if requirement.startswith("dovetail")]
        assert [requirement for requirement in ours if not requirement.endswith(SERIES)] == []

    def test_core_carries_the_license_text(self) -> None:
        assert (CORE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


class TestRequirements:
    def test_are_what_the_script_writes(self) -> None:
        assert requirements["stale"]() == [], "run: python scripts/requirements.py"

    def test_constraints_pin_every_third_party_requirement(self) -> None:
        pinned = {requirements["name_of"](line) for line in constraints()}
        wanted = {requirements["name_of"](requirement) for requirement in requirements["third_party"]()}
        assert sorted(wanted - pinned) == [], "run: python scripts/requirements.py --pin"

    def test_constraints_are_nothing_but_pins(self) -> None:
        pin = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*(post\d+)?( ; .+)?")
        assert [line for line in constraints() if not pin.fullmatch(line)] == []

    def test_constraints_leave_our_own_distributions_alone(self) -> None:
        assert [line for line in constraints() if requirements["is_ours"](line)] == []


class TestTemplate:
    def test_is_in_no_list_of_distributions(self) -> None:
        listed = [*requirements["folders"](), *PLUGINS]
        assert [folder for folder in listed if "_template" in folder.parts] == []

    def test_is_as_complete_as_a_plugin(self) -> None:
        template = ROOT / "plugins" / "_template" / "flavor"
        expected = ["pyproject.toml", "README.md", "dovetail_example/__init__.py", "dovetail_example/py.typed", "tests"]
        assert [part for part in expected if not (template / part).exists()] == []
        assert len((template / "pyproject.toml").read_text(encoding="utf-8").splitlines()) <= 20


def constraints() -> list[str]:
    return (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()
