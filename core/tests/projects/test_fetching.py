"""Getting at a project's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dovetail.errors import InvalidInput, InvalidProject
from dovetail.projects.fetching import fetch, source_name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(folder: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = folder({"inner/MLproject": ""})
    monkeypatch.chdir(place)
    return place


def test_a_local_folder_is_used_where_it_lies(here: Path) -> None:
    for spelling in (".", str(here), here, here.as_uri()):
        assert fetch(spelling) == here
        assert source_name(spelling) == str(here)


def test_a_fragment_is_a_subfolder(here: Path) -> None:
    assert fetch(f"{here}#inner") == here / "inner"
    assert fetch(f"{here.as_uri()}#inner") == here / "inner"
    assert source_name(".#inner") == f"{here}#inner"


@pytest.mark.parametrize(
    "fragment", ["..", "../project", "/etc", "inner/../..", "%2e%2e", "a\\..\\b", "missing", "inner/MLproject"]
)
def test_a_fragment_stays_in_the_project(fragment: str) -> None:
    with pytest.raises(InvalidInput):
        fetch(f".#{fragment}")


def test_a_folder_that_is_missing_is_named(here: Path) -> None:
    with pytest.raises(InvalidProject, match=f"There is no project folder {here}/nowhere"):
        fetch("nowhere")
    with pytest.raises(InvalidProject, match="There is no project folder"):
        fetch("inner/MLproject")


def test_local_folders_have_no_versions() -> None:
    with pytest.raises(InvalidProject, match="a version can only be chosen"):
        fetch(".", "v1")


@pytest.mark.parametrize(
    "uri", ["https://me:secret@host/x.git", "git@host:me/x.git", "ssh://host/x", "git+ssh://host/x", "ext::sh -c id"]
)
def test_other_places_need_a_plugin(uri: str) -> None:
    with pytest.raises(InvalidProject, match="No plugin can fetch") as caught:
        fetch(uri)
    assert "secret" not in str(caught.value)
    assert "secret" not in source_name(uri)


@pytest.mark.parametrize("uri", ["", " "])
def test_nothing_is_no_project(uri: str) -> None:
    with pytest.raises(InvalidInput):
        fetch(uri)
