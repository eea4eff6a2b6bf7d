"""Data that the library ``datasets`` of Hugging Face loads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dovetail.datasets.source import DatasetSource
from dovetail.errors import InvalidInput, NotFound, StoreError

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

__all__ = ["HuggingFaceDatasetSource"]

_NO_CODE = 4  # the first version of the library that runs no code of a dataset's


class HuggingFaceDatasetSource(DatasetSource):
    """What ``datasets.load_dataset`` is called with.

    Args:
        path: The dataset's name on the hub, a local folder, or a kind of files such as ``csv``.
        config_name: The configuration.
        data_dir: The folder of the data files.
        data_files: The data files.
        split: The split.
        revision: The version on the hub.
        trust_remote_code: Let versions of the library before 4 run the dataset's own code. It is never stored: whoever
            loads data from what a store says has not looked at that code.

    Raises:
        InvalidInput: The path is no text.
    """

    source_type = "hugging_face"

    def __init__(
        self,
        path: str,
        config_name: str | None = None,
        data_dir: str | None = None,
        data_files: Any = None,
        split: Any = None,
        revision: Any = None,
        trust_remote_code: bool | None = None,
    ) -> None:
        self.text_in({"path": path}, "path")
        self.path = path
        self.config_name = config_name
        self.data_dir = data_dir
        self.data_files = data_files
        self.split = None if split is None else str(split)
        self.revision = None if revision is None else str(revision)
        self.trust_remote_code = trust_remote_code

    def load(self, dst_path: str | os.PathLike[str] | None = None, **options: Any) -> Any:
        """The data, as ``datasets.load_dataset`` gives it.

        Args:
            dst_path: The folder for the library's cache; by default its own.
            options: More arguments of ``datasets.load_dataset``.

        Raises:
            InvalidInput: The library is not installed, or cannot be asked for this.
            NotFound: There is no such data.
            StoreError: It cannot be reached.
        """
        library = _library()
        given = {**self.to_dict(), "name": self.config_name, "cache_dir": dst_path, **self._trust(library)}
        del given["config_name"]
        asked = {key: value for key, value in given.items() if value is not None}
        try:
            return library.load_dataset(**{**asked, **options})
        except FileNotFoundError as error:
            raise NotFound(f"There is no dataset {self.path!r}: {error}") from error
        except OSError as error:
            raise StoreError(f"The dataset {self.path!r} cannot be loaded: {error}") from error
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"The dataset {self.path!r} cannot be loaded: {error}") from error

    def _trust(self, library: Any) -> dict[str, Any]:
        old = int(library.__version__.partition(".")[0]) < _NO_CODE
        if self.trust_remote_code and not old:
            raise InvalidInput(
                f"datasets {library.__version__} runs no code of datasets: `trust_remote_code` cannot be true."
            )
        return {"trust_remote_code": bool(self.trust_remote_code)} if old else {}

    def to_dict(self) -> dict[str, Any]:
        """The arguments, but for trust."""
        names = ("path", "config_name", "data_dir", "data_files", "split", "revision")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The source of stored arguments.

        Raises:
            InvalidInput: There is no path in them, or one of them is of the wrong type.
        """
        path = cls.text_in(source_dict, "path")
        texts = {name: source_dict.get(name) for name in ("config_name", "data_dir", "split", "revision")}
        wrong = [name for name, value in texts.items() if not isinstance(value, (str, type(None)))]
        if wrong or not _are_files(files := source_dict.get("data_files")):
            raise InvalidInput(f"What is stored of a {cls.__name__} has a wrong {', '.join(wrong) or 'data_files'}.")
        texts = {name: None if value == "None" else value for name, value in texts.items()}  # as MLflow writes it
        return cls(path, data_files=files, **texts)


def _are_files(files: Any) -> bool:
    if isinstance(files, dict):
        return all(isinstance(name, str) and _are_files(some) for name, some in files.items())
    each = files if isinstance(files, list) else [files]
    return files is None or all(isinstance(one, str) for one in each)


def _library() -> Any:
    try:
        library = import_module("datasets")
    except ModuleNotFoundError:
        library = None
    if hasattr(library, "load_dataset"):  # a folder called datasets beside the script can be imported too
        return library
    raise InvalidInput(
        "Data of Hugging Face needs the library `datasets`, which is not installed.", hint="pip install datasets"
    )
