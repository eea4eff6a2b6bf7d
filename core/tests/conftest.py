"""What every test starts with, and distributions made for a test: real folders on ``sys.path``, as installers do it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from dovetail.tracking import experiments, logged_models, places, runs, system_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def fresh_start(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins in an empty folder of an empty home, with no setting made and nothing tracked so far."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("DOVETAIL_", "MLFLOW_"))]:
        if not name.startswith("DOVETAIL_TEST_"):
            monkeypatch.delenv(name)
    for variable in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home))
    work = home / "projects" / "wine"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    forget()
    yield
    forget()


@pytest.fixture
def no_variables_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that lead tests to services are ours too: whoever tells of all variables would tell of them."""
    for name in [each for each in os.environ if each.startswith("DOVETAIL_TEST_")]:
        monkeypatch.delenv(name)


def forget() -> None:
    runs.forget_runs()
    experiments.forget_experiment()
    logged_models.forget_models()
    system_metrics.forget_system_metrics()
    places.forget_places()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on ``sys.path``; what a test imports from it is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def installed(site: Path) -> Callable[..., Path]:
    """``installed("acme-notes", {"flavors": {"notes": "acme_notes"}}, acme_notes="…source…")`` installs a plugin.

    Groups stand without their ``dovetail.``; sources are those of top-level modules.
    """

    def install(
        name: str, points: Mapping[str, Mapping[str, str]] | None = None, *, version: str = "1.2.3", **sources: str
    ) -> Path:
        lines = []
        for group, keys in (points or {}).items():
            lines += [f"[dovetail.{group}]", *(f"{key} = {module}" for key, module in keys.items()), ""]
        metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
        )
        (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        for module, source in sources.items():
            (site / f"{module}.py").write_text(source, encoding="utf-8")
        return metadata

    return install
