"""Entry points are read from metadata, wherever Python would find a distribution."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from dovetail.entrypoints import EntryPoint, read_all, read_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOTES = {"flavors": {"notes": "acme_notes"}}


def points_in(folder: Path) -> list[EntryPoint]:
    return [point for _, points in read_path(str(folder), "dovetail.") for point in points]


def write(folder: Path, text: str, name: str = "entry_points.txt") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


class TestOneDistribution:
    def test_says_who_claims_what(self, installed: Callable[..., Path], site: Path) -> None:
        installed("Acme.Notes", {"flavors": {"notes": "acme_notes"}, "hooks": {"acme": "acme_notes.hooks"}})
        assert points_in(site) == [
            EntryPoint("dovetail.flavors", "notes", "acme_notes", "acme-notes", "1.2.3", str(site)),
            EntryPoint("dovetail.hooks", "acme", "acme_notes.hooks", "acme-notes", "1.2.3", str(site)),
        ]
        assert points_in(site)[0].origin == "acme-notes 1.2.3"

    def test_groups_of_others_are_left_out(self, site: Path) -> None:
        text = "[console_scripts]\nx = y:z\n[dovetail.flavors]\nnotes = acme\n[pytest11]\np = q\n[dovetails]\na = b\n"
        write(site / "acme-1.0.dist-info", text)
        assert [(point.group, point.name) for point in points_in(site)] == [("dovetail.flavors", "notes")]

    def test_comments_blanks_and_extras_are_read_as_python_reads_them(self, site: Path) -> None:
        text = "# c\n\n[dovetail.flavors]\n  notes=acme.notes [pdf]\n* = acme\n# a = b\nS3-x.y =  acme\n"
        write(site / "acme-1.0.dist-info", text)
        assert [(point.name, point.value) for point in points_in(site)] == [
            ("notes", "acme.notes"),
            ("*", "acme"),
            ("S3-x.y", "acme"),
        ]
        theirs = metadata.PathDistribution(site / "acme-1.0.dist-info").entry_points
        assert {(each.name, each.module) for each in theirs} == {(each.name, each.value) for each in points_in(site)}

    def test_without_entry_points_has_none(self, site: Path) -> None:
        (site / "acme-1.0.dist-info").mkdir()
        write(site / "other-1.0.dist-info", "")
        assert points_in(site) == []

    @pytest.mark.parametrize(
        ("folder", "version"),
        [
            ("acme_notes-1.0.dist-info", "1.0"),
            ("acme_notes-2!1.0rc1+local.2.dist-info", "2!1.0rc1+local.2"),
            ("acme_notes-1.0-py3.11.egg-info", "1.0"),
            ("acme_notes.egg-info", "7.5"),
        ],
    )
    def test_may_be_installed_by_tools_of_any_age(self, site: Path, folder: str, version: str) -> None:
        write(site / folder, "[dovetail.flavors]\nnotes = acme_notes\n")
        write(site / folder, "Metadata-Version: 2.1\nName: acme-notes\nVersion: 7.5\n", "PKG-INFO")
        assert [(point.distribution, point.version) for point in points_in(site)] == [("acme-notes", version)]

    def test_with_strange_bytes_does_not_hide_others(self, installed: Callable[..., Path], site: Path) -> None:
        installed("acme-notes", NOTES)
        broken = site / "aaa-1.0.dist-info"
        broken.mkdir()
        (broken / "entry_points.txt").write_bytes(b"[dovetail.flavors]\n\xff\xfe = \xe9\n")
        assert "notes" in [point.name for point in points_in(site)]

    def test_may_lie_in_a_zip_file(self, tmp_path: Path) -> None:
        archive = tmp_path / "plugins.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("acme_notes-1.0.dist-info/METADATA", "Name: Acme_Notes\nVersion: 1.0\n")
            file.writestr("acme_notes-1.0.dist-info/entry_points.txt", "[dovetail.flavors]\nnotes = acme_notes\n")
        assert points_in(archive) == [
            EntryPoint("dovetail.flavors", "notes", "acme_notes", "acme-notes", "1.0", str(archive))
        ]


class TestThePath:
    def test_the_first_of_two_copies_counts(
        self, installed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed("acme-notes", NOTES, version="1.0")
        earlier = tmp_path / "earlier"
        earlier.mkdir()
        write(earlier / "Acme_Notes-2.0.dist-info", "[dovetail.flavors]\nnewer = acme_notes\n")
        monkeypatch.syspath_prepend(str(earlier))
        ours = [(point.name, point.version) for point in read_all() if point.distribution == "acme-notes"]
        assert ours == [("newer", "2.0")]

    def test_a_copy_without_entry_points_hides_the_one_behind_it(
        self, installed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed("acme-notes", NOTES)
        (tmp_path / "earlier" / "acme_notes-2.0.dist-info").mkdir(parents=True)
        monkeypatch.syspath_prepend(str(tmp_path / "earlier"))
        assert [point for point in read_all() if point.distribution == "acme-notes"] == []

    def test_an_empty_entry_is_the_working_folder(
        self, installed: Callable[..., Path], site: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed("acme-notes", NOTES)
        monkeypatch.chdir(site)
        monkeypatch.setattr(sys, "path", [""])
        assert [point.name for point in read_all()] == ["notes"]

    def test_places_that_are_not_there_hold_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "file.txt").write_text("x", encoding="utf-8")
        for place in (tmp_path / "absent", tmp_path / "file.txt", tmp_path):
            assert points_in(place) == []

    def test_pythons_own_reader_finds_the_same(self) -> None:
        read = [each for distribution in metadata.distributions() for each in distribution.entry_points]
        theirs = {(each.group, each.name, each.module) for each in read if each.group.startswith("dovetail.")}
        assert {(each.group, each.name, each.value) for each in read_all()} == theirs


def test_reading_imports_neither_the_plugin_nor_the_metadata_library(
    installed: Callable[..., Path], site: Path
) -> None:
    installed("acme-notes", NOTES, acme_notes="raise RuntimeError('imported')")
    program = (
        "import sys; from dovetail.entrypoints import read_all; "
        f"sys.path[:0] = [{str(site)!r}]; sys.path = [each for each in sys.path if not each.endswith('.zip')]; "
        "print(*[point.name for point in read_all() if point.distribution == 'acme-notes']); "
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["notes", "False"]
