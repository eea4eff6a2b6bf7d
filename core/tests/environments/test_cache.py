from __future__ import annotations

import os
from pathlib import Path

import pytest

from dovetail.environments.cache import cache_folder, env_folder, make_once
from dovetail.errors import EnvironmentFailed


def quiet(line: str) -> None:
    del line


def yes() -> bool:
    return True


class Maker:
    """Makes an environment of one file and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times = 0

    def __call__(self, lock: int) -> None:
        os.fstat(lock)  # the descriptor is open
        self.times += 1
        self.folder.mkdir()
        (self.folder / "python").write_text(str(self.times), encoding="utf-8")

    def interrupted(self, lock: int) -> None:
        self(lock)
        raise KeyboardInterrupt


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "key")


def test_it_is_made_once(maker: Maker) -> None:
    for _ in range(3):
        make_once(maker.folder, maker, quiet, whole=yes)
    assert maker.times == 1


def test_what_is_not_whole_any_more_is_made_again(maker: Maker) -> None:
    make_once(maker.folder, maker, quiet, whole=yes)
    make_once(maker.folder, maker, quiet, whole=lambda: False)
    assert (maker.folder / "python").read_text(encoding="utf-8") == "2"


def test_interrupted_it_leaves_nothing(maker: Maker) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_once(maker.folder, maker.interrupted, quiet, whole=yes)
    assert not maker.folder.exists()


def test_what_a_killed_process_left_is_removed_first(maker: Maker) -> None:
    maker.folder.mkdir()
    (maker.folder / "half").touch()
    make_once(maker.folder, maker, quiet, whole=yes)
    assert not (maker.folder / "half").exists()


def test_an_error_of_the_system_names_the_folder_and_the_setting(tmp_path: Path) -> None:
    def no_room(lock: int) -> None:
        del lock
        raise OSError(28, "No space left on device")

    with pytest.raises(EnvironmentFailed, match="No space left on device") as caught:
        make_once(tmp_path / "key", no_room, quiet, whole=yes)
    assert str(tmp_path / "key") in caught.value.message
    assert "DOVETAIL_ENV_DIR" in (caught.value.hint or "")


class TestPlace:
    def test_the_cache_is_where_the_user_keeps_caches(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "dovetail"
        assert env_folder() == tmp_path / "dovetail" / "envs"
        assert env_folder().is_dir()

    def test_a_setting_wins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "mine"))
        assert env_folder() == tmp_path / "mine"

    def test_an_argument_wins_over_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ENV_DIR", str(tmp_path / "mine"))
        assert env_folder(tmp_path / "given") == tmp_path / "given"

    def test_a_home_sign_is_the_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOVETAIL_ENV_DIR", "~/mine")
        assert env_folder() == Path.home() / "mine"
