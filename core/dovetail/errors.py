"""Every error dovetail raises on purpose.

    DovetailError                 500 INTERNAL_ERROR            exit 1
    ├── InvalidInput              400 INVALID_PARAMETER_VALUE   exit 2
    │   ├── InvalidName           a name, key or id that breaks the rules
    │   ├── InvalidUri            a location that cannot be read as one
    │   ├── InvalidFilter         a search filter or order that cannot be parsed
    │   ├── InvalidProject        an MLproject, environment file or parameter
    │   ├── InvalidModel          an MLmodel, signature or model input
    │   ├── InvalidSetting        an environment variable or dovetail.toml entry
    │   ├── ParamConflict         a param logged again with another value
    │   ├── AliasMoved            an alias that is not where the caller expected it
    │   ├── StageMoved            a version that is not in the stage the caller expected
    │   └── RunEnded              logging to a run that is over or deleted
    ├── NotFound                  404 RESOURCE_DOES_NOT_EXIST   exit 3
    ├── AlreadyExists             400 RESOURCE_ALREADY_EXISTS   exit 4
    ├── InvalidState              500 INVALID_STATE             exit 5
    ├── PluginError               500 INTERNAL_ERROR            exit 6
    │   ├── PluginMissing         400 INVALID_PARAMETER_VALUE
    │   ├── PluginBlocked         403 PERMISSION_DENIED
    │   ├── PluginConflict
    │   └── PluginBroken
    ├── StoreError                500 INTERNAL_ERROR            exit 7
    │   ├── StoreUnavailable      503 TEMPORARILY_UNAVAILABLE
    │   ├── StoreReadOnly         403 PERMISSION_DENIED
    │   ├── StoreFull             507 RESOURCE_EXHAUSTED
    │   ├── SchemaTooNew
    │   └── ForeignLayout         a database or folder that is MLflow's own
    ├── EnvironmentFailed         500 INTERNAL_ERROR            exit 8
    ├── RunFailed                 500 INTERNAL_ERROR            exit 1
    └── Untrusted                 403 PERMISSION_DENIED         exit 9

A message says what is wrong, where, and what to do next. Exactly two places translate
these: the command line (``exit_code``) and the server (``status`` and ``error_code``).
"""

from __future__ import annotations

import re
from typing import ClassVar

__all__ = [
    "AliasMoved",
    "AlreadyExists",
    "DovetailError",
    "EnvironmentFailed",
    "ForeignLayout",
    "InvalidFilter",
    "InvalidInput",
    "InvalidModel",
    "InvalidName",
    "InvalidProject",
    "InvalidSetting",
    "InvalidState",
    "InvalidUri",
    "MlflowException",
    "NotFound",
    "ParamConflict",
    "PluginBlocked",
    "PluginBroken",
    "PluginConflict",
    "PluginError",
    "PluginMissing",
    "RunEnded",
    "RunFailed",
    "SchemaTooNew",
    "StageMoved",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "Untrusted",
]


_LONG_WORD = re.compile(r"\S{501,}")
_LONG_LINE = re.compile(r".{4001,}")


class DovetailError(Exception):
    """The root of dovetail's errors.

    Messages repeat what they are about, and that may be of any length: of words of more than 500 characters, and of
    lines of more than 4 000, the beginning and the end are kept.

    Args:
        message: What is wrong and where.
        hint: What to do next; printed on a line of its own.

    Attributes:
        status: HTTP status the server answers with.
        error_code: MLflow's name for this class of error on the wire.
        exit_code: What the command line exits with.
    """

    status: ClassVar[int] = 500
    error_code: ClassVar[str] = "INTERNAL_ERROR"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = _cut(message)
        self.hint = None if hint is None else _cut(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def get_http_status_code(self) -> int:
        """The HTTP status the server answers with."""
        return self.status

    def serialize_as_json(self) -> str:
        """Code and message as the server answers with them."""
        import json

        return json.dumps({"error_code": self.error_code, "message": str(self)})

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries (multiprocessing, workers) with their hint.
        return (_rebuild, (type(self), self.message, self.hint))


MlflowException = DovetailError  # the name that scripts written for MLflow catch


def _cut(text: str) -> str:
    # Most texts are short, and a text may also be what others hand on as an error's, which need not be text.
    if not isinstance(text, str) or len(text) <= 500:  # noqa: PLR2004 - the pattern's
        return text
    text = _LONG_WORD.sub(lambda word: f"{word[0][:240]}…{word[0][-120:]}", text)
    return _LONG_LINE.sub(lambda line: f"{line[0][:3000]}…{line[0][-500:]}", text)


def _rebuild(kind: type[DovetailError], message: str, hint: str | None) -> DovetailError:
    return kind(message, hint=hint)


class InvalidInput(DovetailError):
    """The caller asked for something that cannot be right."""

    status = 400
    error_code = "INVALID_PARAMETER_VALUE"
    exit_code = 2


class InvalidName(InvalidInput):
    """A name, key or id breaks the naming rules."""


class InvalidUri(InvalidInput):
    """A URI or path cannot be read as a location."""


class InvalidFilter(InvalidInput):
    """A search filter or order clause cannot be parsed."""


class InvalidProject(InvalidInput):
    """An MLproject file, an environment file or a project parameter is wrong."""


class InvalidModel(InvalidInput):
    """An MLmodel file, a signature or a model's input is wrong."""


class InvalidSetting(InvalidInput):
    """A setting has a value of the wrong type."""


class ParamConflict(InvalidInput):
    """A param was logged before with another value; params are write-once."""


class AliasMoved(InvalidInput):
    """An alias of a registered model is not where the caller expected it: somebody else moved it first."""

    exit_code = 5


class StageMoved(InvalidInput):
    """A version of a registered model is not in the stage the caller expected: somebody else moved it first."""

    exit_code = 5


class RunEnded(InvalidInput):
    """Metrics or params were logged to a run that has ended or was deleted."""


class NotFound(DovetailError):
    """The experiment, run, artifact or model asked for does not exist."""

    status = 404
    error_code = "RESOURCE_DOES_NOT_EXIST"
    exit_code = 3


class AlreadyExists(DovetailError):
    """Something of that name exists already."""

    status = 400
    error_code = "RESOURCE_ALREADY_EXISTS"
    exit_code = 4


class InvalidState(DovetailError):
    """The thing exists, but is not in a state that allows this."""

    error_code = "INVALID_STATE"
    exit_code = 5


class PluginError(DovetailError):
    """Something is wrong with a plugin."""

    exit_code = 6


class PluginMissing(PluginError):
    """Nothing installed answers for the key."""

    status = 400
    error_code = "INVALID_PARAMETER_VALUE"


class PluginBlocked(PluginError):
    """The plugin is installed, but the allow or block list keeps it out."""

    status = 403
    error_code = "PERMISSION_DENIED"


class PluginConflict(PluginError):
    """Two distributions claim the same key."""


class PluginBroken(PluginError):
    """The plugin was found but cannot be imported or breaks the contract."""


class StoreError(DovetailError):
    """A store could not do its work."""

    exit_code = 7


class StoreUnavailable(StoreError):
    """The store cannot be reached or stayed locked."""

    status = 503
    error_code = "TEMPORARILY_UNAVAILABLE"


class StoreReadOnly(StoreError):
    """The store may be read but not written."""

    status = 403
    error_code = "PERMISSION_DENIED"


class StoreFull(StoreError):
    """The disk or quota behind the store is full; nothing was half-written."""

    status = 507
    error_code = "RESOURCE_EXHAUSTED"


class SchemaTooNew(StoreError):
    """The database was written by a newer dovetail."""


class ForeignLayout(StoreError):
    """The database or folder is in another tool's layout and is left as it is."""


class EnvironmentFailed(DovetailError):
    """An environment could not be prepared."""

    exit_code = 8


class RunFailed(DovetailError):
    """A launched run ended in failure."""


class Untrusted(DovetailError):
    """Loading would run code from a place that is not trusted."""

    status = 403
    error_code = "PERMISSION_DENIED"
    exit_code = 9
