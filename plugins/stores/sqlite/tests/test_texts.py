"""What no store can hold is not stored, whoever brings it unchecked."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput
from dovetail_sqlite import open_sqlite, open_sqlite_registry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "größe\udc80"], ids=ascii)
def test_a_name_that_cannot_be_stored_is_refused(tmp_path: Path, text: str) -> None:
    uri = f"sqlite:///{tmp_path}/dovetail.db"
    with closing(open_sqlite(uri)) as store, closing(open_sqlite_registry(uri)) as registry:
        for write in (
            lambda: store.create_experiment(text),
            lambda: store.rename_experiment("0", text),
            lambda: registry.create_registered_model(text),
        ):
            with pytest.raises(InvalidInput, match=r"name .* cannot be stored"):
                write()
        assert [each.name for each in store.search_experiments()] == ["Default"]
        assert list(registry.search_registered_models()) == []
