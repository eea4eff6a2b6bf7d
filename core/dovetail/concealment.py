"""Keeping secrets out of what is shown: credentials in locations, variables that hold passwords, and both in messages.

``uris.masked`` hides what is written as locations are written properly. Here nothing is taken for granted: rather too
much is hidden than too little.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dovetail import uris

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HIDDEN", "cleaned", "is_secret", "shown", "shown_command", "shown_text", "shown_variable", "variables"]

HIDDEN = "***"
PREFIXES = ("DOVETAIL_", "MLFLOW_")

_SECRET_NAME = re.compile(r"TOKEN|PASS|PWD|SECRET|KEY|CREDENTIAL|SIGNATURE|AUTH(?!OR(?!I))", re.IGNORECASE)
# From the scheme to the last @: a password may hold slashes, spaces and further @. What begins with a slash is a path.
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+:(?://)?)(?!/)(.*)@", re.DOTALL)
# Names of options and variables in people's own programs, where "tokenizer" and "n_tokens" are no secrets.
_CALLED_SO = (
    r"(?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|private|auth)[-_]?key|"
    r"(?<![a-z])(?:pass|pwd))"
)
_OPTION = re.compile(rf"[-\w.]*{_CALLED_SO}", re.IGNORECASE)
_LONGEST_OPTION = 100
_ASSIGNED = re.compile(rf"""({_CALLED_SO}["']?\s*(?::|=(?!=))\s*[bru]*)(["'])(?:(?!\2).)+\2""", re.IGNORECASE)
_USER = re.compile(r"(://)[^/?#\s\"'@]+@")
_SHORTEST = 4  # what is shorter would be found in the middle of words


def is_secret(name: str) -> bool:
    """Whether a variable or setting of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def shown(location: str) -> str:
    """A location as it may be printed: no credentials, no secrets in its query or fragment."""
    return uris.masked(_CREDENTIALS.sub(rf"\1{HIDDEN}@", location))


def shown_command(argv: Sequence[str]) -> str:
    """A command as it may be kept, as one types it: without what follows options such as ``--api-key``."""
    import shlex

    words: list[str] = []
    hidden = False
    for word in argv:
        name, equals, _ = word.partition("=")
        is_option = len(name) <= _LONGEST_OPTION and _OPTION.fullmatch(name) is not None
        if hidden and not word.startswith("-"):
            words.append(HIDDEN)
        elif is_option and equals:
            words.append(f"{name}={HIDDEN}")
        else:
            words.append(shlex.quote(shown_text(word)))
        hidden = is_option and not equals and word.startswith("-")
    return " ".join(words)


def shown_text(text: str) -> str:
    """A text of somebody's own, such as code, without credentials in locations and literals that are called secrets."""
    return _ASSIGNED.sub(rf"\1\2{HIDDEN}\2", _USER.sub(rf"\1{HIDDEN}@", text))


def variables() -> list[str]:
    """The names of our variables and MLflow's that are set, sorted."""
    return sorted(name for name in os.environ if name.startswith(PREFIXES))


def shown_variable(name: str) -> str:
    """The value of a variable as it may be printed."""
    return HIDDEN if is_secret(name) else shown(os.environ[name])


def cleaned(text: str, *locations: str, mask_envs: bool = False) -> str:
    """A message in one line, without the secrets that our variables or these locations hold.

    Args:
        text: The message.
        locations: What it may quote.
        mask_envs: Hide the values of all our variables where it quotes them.
    """
    line = " ".join(text.split())
    for secret, instead in _secrets(locations):
        line = line.replace(secret, instead)
    for name in variables() if mask_envs else ():
        line = line.replace(repr(os.environ[name]), HIDDEN)
    return uris.masked(line)


def _secrets(locations: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Text that must not be shown, with what to show instead; the longest comes first."""
    found = {}
    for location in (*locations, *(os.environ[name] for name in variables())):
        for form in (location, uris.masked(location)):
            found[form] = shown(location)
        if match := _CREDENTIALS.search(location):
            found.update(dict.fromkeys(_parts(match[2]), HIDDEN))
    found.update({os.environ[name]: HIDDEN for name in variables() if is_secret(name)})
    for secret in sorted(found, key=len, reverse=True):
        if len(secret) >= _SHORTEST and found[secret] != secret:
            for form in dict.fromkeys((secret, repr(secret)[1:-1], " ".join(secret.split()))):
                yield form, found[secret]


def _parts(credentials: str) -> tuple[str, ...]:
    """User and password together, and the password alone, as they are written and as they are meant."""
    password = credentials.partition(":")[2] or credentials
    return credentials, password, unquote(credentials), unquote(password)
