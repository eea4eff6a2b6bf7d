from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail import plugins
from dovetail.models import flavors

if TYPE_CHECKING:
    from types import ModuleType

    from dovetail.models.flavor import Flavor


@pytest.fixture(scope="session")
def lines() -> ModuleType:
    """The third-party flavor of ``flavor_of_lines.py``, registered by hand under the key ``lines``."""
    spec = importlib.util.spec_from_file_location("flavor_of_lines", Path(__file__).with_name("flavor_of_lines.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    plugins.register(module, "flavors", "lines")
    return module


@pytest.fixture
def flavor(lines: ModuleType) -> Flavor:
    return flavors.flavor("lines")


@pytest.fixture
def line(lines: ModuleType) -> Any:
    return lines.Line(2.0, 1.0)
