from __future__ import annotations

from typing import Any

import pytest

from dovetail.testing import FlavorSuite, PluginSuite
from dovetail_example import ExampleFlavor


class Doubler:
    """Stands for a small trained model of the library; put one in its place."""

    def predict(self, data: list[float]) -> list[float]:
        return [2 * value for value in data]


class TestExampleFlavor(FlavorSuite):
    @pytest.fixture
    def flavor(self) -> ExampleFlavor:
        return ExampleFlavor()

    @pytest.fixture
    def model(self) -> Any:
        return Doubler()


class TestPlugin(PluginSuite):
    module, heavy = "dovetail_example", ["example"]
