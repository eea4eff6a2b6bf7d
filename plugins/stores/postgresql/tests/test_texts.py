"""What no store can hold is not stored, whoever brings it unchecked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from dovetail.tracking.store import TrackingStore


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=ascii)
def test_a_name_that_cannot_be_stored_is_refused(store: TrackingStore, text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        store.rename_experiment("0", text)
    assert store.get_experiment("0").name == "Default"
