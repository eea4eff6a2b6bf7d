"""Datasets: what data a run used, described well enough to find it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dovetail.errors import InvalidInput
from dovetail.values.names import MAX_DATASET_DIGEST, MAX_DATASET_NAME, check_text
from dovetail.values.value import Value

__all__ = ["Dataset", "DatasetInput", "DatasetSummary", "InputTag"]

MAX_SOURCE_TYPE = 36
MAX_SOURCE = 2**16 - 1
MAX_SCHEMA = 2**20 - 1
MAX_PROFILE = 2**24 - 1
MAX_INPUT_TAG_KEY = 255
MAX_INPUT_TAG_VALUE = 500


@dataclass(frozen=True)
class Dataset(Value):
    """Data that a run used. Name and digest together say which.

    Args:
        name: What people call it, at most 500 characters.
        digest: Made from its content, at most 36 characters.
        source_type: What kind of source it came from, such as ``local`` or ``s3``; at most 36 characters.
        source: Where it came from, as JSON of that kind; at most 65 535 characters.
        schema: Its columns and types, as JSON; at most 1 048 575 characters.
        profile: Figures about it, such as the number of rows, as JSON; at most 16 777 215 characters.

    Raises:
        InvalidInput: One of them is not text, is empty where that says nothing, or is too long.
    """

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None

    def __post_init__(self) -> None:
        _check_word("name of a dataset", self.name, MAX_DATASET_NAME)
        _check_word(f"digest of the dataset {self.name!r}", self.digest, MAX_DATASET_DIGEST)
        _check_word(f"source type of the dataset {self.name!r}", self.source_type, MAX_SOURCE_TYPE)
        check_text(f"source of the dataset {self.name!r}", self.source, MAX_SOURCE)
        for what, text, limit in (("schema", self.schema, MAX_SCHEMA), ("profile", self.profile, MAX_PROFILE)):
            if text is not None:
                check_text(f"{what} of the dataset {self.name!r}", text, limit)


@dataclass(frozen=True)
class InputTag(Value):
    """A label of a dataset's use in one run.

    Args:
        key: At most 255 characters; ``mlflow.data.context`` says what the run used the data for, such as ``training``.
        value: At most 500 characters.

    Raises:
        InvalidInput: One is not text or too long, or the key is empty.
    """

    key: str
    value: str

    def __post_init__(self) -> None:
        _check_word("key of an input tag", self.key, MAX_INPUT_TAG_KEY)
        check_text(f"value of the input tag {self.key!r}", self.value, MAX_INPUT_TAG_VALUE)


@dataclass(frozen=True)
class DatasetInput(Value):
    """A dataset as an input of a run.

    Args:
        dataset: The data.
        tags: What the run used it for.

    Raises:
        InvalidInput: They are no ``Dataset`` and ``InputTag`` values, or a key stands among the tags twice.
    """

    dataset: Dataset
    tags: tuple[InputTag, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, Dataset):
            raise InvalidInput(f"The input of a run must be a Dataset value, not {type(self.dataset).__name__}.")
        given = () if self.tags is None else self.tags
        tags = (given,) if isinstance(given, InputTag) or not isinstance(given, Iterable) else tuple(given)
        if not all(isinstance(tag, InputTag) for tag in tags):
            raise InvalidInput(f"The tags of the dataset {self.dataset.name!r} must be a list of InputTag values.")
        if len({tag.key for tag in tags}) < len(tags):
            raise InvalidInput(f"Two tags of the dataset {self.dataset.name!r} have the same key.")
        self.__dict__["tags"] = tags


@dataclass(frozen=True)
class DatasetSummary(Value):
    """That runs of an experiment used a dataset for something. Stores make these.

    Args:
        experiment_id: The experiment.
        name: The dataset's name.
        digest: Its digest.
        context: What it was used for, such as ``training``; empty where no run says it.
    """

    experiment_id: str
    name: str
    digest: str
    context: str = ""


def _check_word(what: str, text: object, limit: int) -> None:
    if not check_text(what, text, limit):
        raise InvalidInput(f"The {what} is empty.")
