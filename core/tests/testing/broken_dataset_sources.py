"""Sources with one fault each; ``test_dataset_source_suite.py`` sees to it that the suite finds every one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dovetail.data.dataset_source import DatasetSource
from dovetail.testing.dataset_source import DatasetSourceSuite

if TYPE_CHECKING:
    import os

    from typing_extensions import Self


class Notes(DatasetSource):
    """A source that is right: short texts under names."""

    source_type = "notes"

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        folder = Path("notes") if dst_path is None else Path(dst_path)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "note.txt"
        file.write_text(f"about {self.name}", encoding="utf-8")
        return str(file)

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        return cls(cls.text_in(source_dict, "name"))

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        return isinstance(raw_source, str) and raw_source.startswith("notes:")

    @classmethod
    def resolve(cls, raw_source: Any) -> DatasetSource:
        return cls(raw_source.removeprefix("notes:"))


class LongType(Notes):
    """Has a type that no store takes."""

    source_type = "notes" * 10


class OtherText(Notes):
    """Writes a text that is not its dictionary."""

    def to_json(self) -> str:
        return json.dumps({"name": self.name, "more": 1})


class Forgetful(Notes):
    """Comes back as another."""

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        return cls(cls.text_in(source_dict, "name").upper())


class OpenHanded(Notes):
    """Gives its own dictionary away."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.own = {"name": name}

    def to_dict(self) -> dict[str, Any]:
        return self.own


class Once(Notes):
    """Loads its data only once."""

    loaded = False

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        self.name, self.loaded = "nothing" if self.loaded else self.name, True
        return super().load(dst_path)


class Hidden(Notes):
    """Needs more to load than it writes."""

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        if not hasattr(self, "key"):
            self.name = "nothing"
        return super().load(dst_path)


class Beside(Notes):
    """Puts its file beside the folder it is given."""

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        return super().load(None if dst_path is None else Path(dst_path).parent)


class Litterer(Notes):
    """Leaves another file in the folder."""

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        loaded = super().load(dst_path)
        Path(loaded).with_name("log").write_text("loaded", encoding="utf-8")
        return loaded


class Stranger(Notes):
    """Does not know its own locations."""

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        del raw_source
        return False


class Greedy(Notes):
    """Claims every text."""

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        return isinstance(raw_source, str)


class Rash(Notes):
    """Looks at things that are no texts."""

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        return bool(raw_source.startswith("notes:"))


class Trusting(Notes):
    """Takes whatever a store holds."""

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        return cls(source_dict["name"])


class Lenient(Notes):
    """Makes up what is missing."""

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        return cls(str(source_dict.get("name", "unknown")))


class Keeper(Notes):
    """Keeps what cannot be written again."""

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        if "name" not in source_dict:
            cls.text_in(source_dict, "name")
        name = source_dict["name"]
        return cls(name if isinstance(name, str) else object())  # type: ignore[arg-type]


class _Broken(DatasetSourceSuite):
    raw = "notes:cats"
    others = ("other:cats",)
    kind: type[Notes]

    @pytest.fixture
    def source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
        monkeypatch.chdir(tmp_path)
        made = self.kind("cats")
        made.key = "at hand"  # type: ignore[attr-defined]
        return made

    @pytest.fixture
    def content(self) -> bytes:
        return b"about cats"


def _trials() -> dict[str, type[_Broken]]:
    kinds = [Notes, *Notes.__subclasses__()]
    return {f"Test{kind.__name__}": type(f"Test{kind.__name__}", (_Broken,), {"kind": kind}) for kind in kinds}


globals().update(_trials())
