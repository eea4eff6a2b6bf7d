from __future__ import annotations

from typing import Any

import pytest

from dovetail.testing import FlavorSuite, PluginSuite
from dovetail_example import Echo, ExampleFlavor


class TestExampleFlavor(FlavorSuite):
    @pytest.fixture
    def flavor(self) -> ExampleFlavor:
        return ExampleFlavor()

    @pytest.fixture
    def model(self) -> Any:
        return Echo("measure twice, cut once")

    @pytest.fixture
    def data(self) -> Any:
        return [1.0, 2.0]


class TestPlugin(PluginSuite):
    module, heavy = "dovetail_example", ()
