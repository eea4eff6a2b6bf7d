"""The rules that names, keys and ids obey (limits as in MLflow 3)."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from dovetail.documents import shown
from dovetail.errors import InvalidInput, InvalidName

__all__ = [
    "MAX_DATASET_DIGEST",
    "MAX_DATASET_NAME",
    "MAX_EXPERIMENT_NAME",
    "MAX_INT",
    "MAX_KEY",
    "MAX_PARAM_VALUE",
    "MAX_TAG_VALUE",
    "check_experiment_id",
    "check_experiment_name",
    "check_key",
    "check_model_id",
    "check_model_name",
    "check_moment",
    "check_name",
    "check_run_id",
    "check_text",
    "is_plain",
    "nearest_model_name",
]

MAX_KEY = 250
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
MAX_EXPERIMENT_NAME = 500
MAX_DATASET_NAME = 500
MAX_DATASET_DIGEST = 36
MAX_MODEL_NAME = 256
MAX_INT = 2**63 - 1  # what every store can keep

# ``\w`` takes letters of every script, as MLflow does.
_KEY = re.compile(r"[\w\-. :/]+\Z")
_RUN_ID = re.compile(r"[A-Za-z0-9][\w\-]{0,255}\Z")
_MODEL_ID = re.compile(r"m-[A-Za-z0-9][\w\-]{0,253}\Z")
# What would make a name in a URI, a path or a quoted text mean something else.
_NOT_IN_MODEL_NAMES = re.compile(r"[/:.%\"'\x00-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_EXPERIMENT_ID = re.compile(r"[0-9]{1,18}\Z")


def check_key(what: str, key: object) -> str:
    """Return the key of a metric, param or tag if it is allowed.

    Keys name files in stores that keep one file a key, so a key that would resolve to another
    path (``../x``, ``/x``, ``a//b``, ``.``) is refused everywhere.

    Args:
        what: The word for the message, such as ``metric``.
        key: What the caller gave.

    Raises:
        InvalidName: It is not text, empty, too long, or has a character outside the rule.
    """
    if not isinstance(key, str) or not key:
        raise InvalidName(f"A {what} key must be non-empty text, not {shown(key)}.")
    if len(key) > MAX_KEY:
        raise InvalidName(f"The {what} key {key[:40]!r}… has {len(key)} characters; at most {MAX_KEY} are allowed.")
    if not _is_key(key):
        raise InvalidName(
            f"The {what} key {key!r} is not allowed.",
            hint="Keys hold letters, digits, underscore, dash, dot, space, colon and single slashes inside.",
        )
    return key


@lru_cache(maxsize=4096)  # the same few are looked at again and again
def _is_key(key: str) -> bool:
    return bool(_KEY.match(key)) and key == posixpath.normpath(key) and not key.startswith(("/", "..")) and key != "."


def check_name(what: str, name: object) -> str:
    """Return a name to look for, if it is text; whether anything is called so shows in the store.

    Raises:
        InvalidInput: It is no text, which databases would compare in ways of their own.
    """
    if not isinstance(name, str):
        raise InvalidInput(f"A {what} is text, not {type(name).__name__}.")
    return name


def check_text(what: str, value: object, limit: int) -> str:
    """Return the text if it is text of at most ``limit`` characters that every store can keep.

    Raises:
        InvalidInput: It is not text, too long, or not encodable (a lone surrogate, a NUL).
    """
    if is_plain(value, limit):
        return str(value)
    if not isinstance(value, str):
        raise InvalidInput(f"The {what} must be text, not {type(value).__name__}.")
    if len(value) > limit:
        raise InvalidInput(f"The {what} has {len(value)} characters; at most {limit} are allowed.")
    if "\x00" in value or not _encodable(value):
        raise InvalidInput(f"The {what} holds a character that cannot be stored (NUL or a lone surrogate).")
    return value


def is_plain(value: object, limit: int) -> bool:
    """Whether it is text of at most ``limit`` characters, all of them of ASCII and none of them NUL."""
    return type(value) is str and len(value) <= limit and value.isascii() and "\x00" not in value


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_moment(what: str, moment: object) -> int:
    """Return the time if it is a whole number of milliseconds since 1970.

    Raises:
        InvalidInput: It is not.
    """
    if type(moment) is not int or not 0 <= moment <= MAX_INT:
        raise InvalidInput(f"The {what} {shown(moment)} is no whole number of milliseconds from 0 on.")
    return moment


def check_run_id(run_id: object) -> str:
    r"""Return the run id if it has the shape of one (``[A-Za-z0-9][\w-]{0,255}``).

    Raises:
        InvalidName: It has not.
    """
    if not isinstance(run_id, str) or not _RUN_ID.match(run_id):
        raise InvalidName(
            f"{shown(run_id)} is not a run id.", hint="Run ids are letters, digits, - and _; see `dovetail runs list`."
        )
    return run_id


def check_model_id(model_id: object) -> str:
    r"""Return the id of a logged model if it has the shape of one (``m-`` and then as in run ids).

    Raises:
        InvalidName: It has not.
    """
    if not isinstance(model_id, str) or not _MODEL_ID.match(model_id):
        raise InvalidName(
            f"{shown(model_id)} is not the id of a logged model.",
            hint="Such ids are m- and then letters, digits, - and _; a logged model's is its model_id.",
        )
    return model_id


def check_model_name(name: object) -> str:
    """Return the name of a logged model if it is text of 1 to 256 characters without ``/ : . % " '``.

    Raises:
        InvalidName: It is not.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidName(f"The name of a logged model must be non-empty text, not {shown(name)}.")
    if found := _NOT_IN_MODEL_NAMES.search(name):
        raise InvalidName(
            f"The name {name[:80]!r} of a logged model holds {found[0]!r}.",
            hint="Such names are parts of paths and URIs: leave out / : . % and quotes.",
        )
    if len(name) > MAX_MODEL_NAME:
        raise InvalidName(
            f"The name {name[:40]!r}… of a logged model has {len(name)} characters; at most {MAX_MODEL_NAME} may be."
        )
    return check_text("name of a logged model", name, MAX_MODEL_NAME)


def nearest_model_name(text: str) -> str:
    """The text with ``_`` for what names of logged models cannot hold, cut where it is longer than they may be."""
    return _SURROGATES.sub("_", _NOT_IN_MODEL_NAMES.sub("_", text))[:MAX_MODEL_NAME]


def check_experiment_id(experiment_id: object) -> str:
    """Return the experiment id as decimal text; a number is taken too.

    Raises:
        InvalidName: It is no whole number.
    """
    text = str(experiment_id) if isinstance(experiment_id, (str, int)) and not isinstance(experiment_id, bool) else ""
    if not _EXPERIMENT_ID.match(text):
        raise InvalidName(
            f"{shown(experiment_id)} is not an experiment id.",
            hint="Ids are whole numbers; see `dovetail experiments search`.",
        )
    return str(int(text))


def check_experiment_name(name: object) -> str:
    """Return the experiment name if it is text of 1 to 500 characters.

    Raises:
        InvalidName: It is not.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidName(f"An experiment name must be non-empty text, not {shown(name)}.")
    if len(name) > MAX_EXPERIMENT_NAME:
        raise InvalidName(
            f"The experiment name {name[:40]!r}… has {len(name)} characters; at most {MAX_EXPERIMENT_NAME} are allowed."
        )
    return check_text("experiment name", name, MAX_EXPERIMENT_NAME)
