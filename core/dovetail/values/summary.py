"""Values in one line, for consoles, logs and messages: short, and without passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from itertools import islice

__all__ = ["moment", "shortened", "shown", "summary"]

_LONGEST = 120
_MOST = 5
_WINDOW = 500  # characters that are looked at for passwords; no more than these are ever shown
_CUT_OFF = re.compile(r"://[^/\s]*\Z")  # a user and password whose end, and so the sign that they are such, is not seen
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def summary(name: str, facts: Mapping[str, object]) -> str:
    """A line such as ``Run(run_id='abc', status='FINISHED')``; facts that are None are left out."""
    parts = (f"{key}={shown(value)}" for key, value in facts.items() if value is not None)
    return f"{name}({', '.join(parts)})"


def shown(value: object) -> str:
    """The value as Python writes it; long texts are cut, and of many members the first are shown."""
    if isinstance(value, str):
        return repr(_cut(_masked(value), _LONGEST))
    if isinstance(value, Mapping):
        return f"{{{_first((f'{shown(key)}: {shown(each)}' for key, each in value.items()), len(value))}}}"
    if isinstance(value, (list, tuple)):
        first = _first((shown(each) for each in value), len(value))
        alone = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{first}]" if isinstance(value, list) else f"({first}{alone})"
    return repr(value)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A text for people: passwords hidden, characters that cannot be seen written out, cut to the length."""
    return _cut("".join(each if each.isprintable() else _written_out(each) for each in _masked(text)), longest)


def moment(milliseconds: int | None) -> str | None:
    """A time such as ``2026-03-01 12:00:00 UTC``; None for one that is not known."""
    if not milliseconds:
        return None
    try:
        return f"{_EPOCH + timedelta(milliseconds=milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, TypeError):  # beyond the year 9999, or no number: stores give back what they were given
        return str(milliseconds)


def _first(parts: Iterable[str], count: int) -> str:
    more = [f"… {count - _MOST} more"] if count > _MOST else []
    return ", ".join([*islice(parts, _MOST), *more])


def _masked(text: str) -> str:
    from dovetail.uris import masked

    return masked(text if len(text) <= _WINDOW else _CUT_OFF.sub("://***", text[:_WINDOW]))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
