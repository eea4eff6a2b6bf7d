"""Which server an ``http:`` URI means, and who asks it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from dovetail import settings, uris
from dovetail.errors import InvalidUri

__all__ = ["Address", "address_of"]

_SCHEMES = ("http", "https")
_HINT = "Write http://host:port or https://host; characters such as @ or / in a password are percent-encoded."


@dataclass(frozen=True)
class Address:
    """Where a server is.

    Args:
        uri: As it was given, without slashes at its end; it may have a password in it.
        base: The same without user and password.
        host: The host's name.
        secure: Whether it is spoken to by TLS.
        user: The user and password that the URI names.
    """

    uri: str = field(repr=False)
    base: str
    host: str
    secure: bool
    user: tuple[str, str] | None = field(default=None, repr=False)

    def authorization(self) -> str | None:
        """The header that says who asks: by the URI, else by the settings; None where nothing says so."""
        with settings.steady():
            name, token = settings.get("tracking_username"), settings.get("tracking_token")
            user = self.user or (name and (name, settings.get("tracking_password") or ""))
        if user:
            return f"Basic {b64encode(':'.join(user).encode()).decode()}"
        return f"Bearer {token}" if token else None


def address_of(uri: str) -> Address:
    """The server that a URI means.

    Raises:
        InvalidUri: It has no host, a port that is none, a query or a fragment.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        problem = (
            "has a port that is too high: 65535 is the highest" if "out of range" in str(error) else "cannot be read"
        )
        raise _refusal(uri, problem) from None
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
        raise _refusal(uri, "names no server")
    if parts.query or parts.fragment:
        raise _refusal(uri, "has something behind its path that no server would see")
    if any(character.isspace() for character in parts.netloc):
        raise _refusal(uri, "has spaces in it")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    scheme = parts.scheme.lower()
    base = f"{scheme}://{place}{parts.path.rstrip('/')}"
    return Address(uri.rstrip("/"), base, parts.hostname, scheme == "https", _user(parts))


def _user(parts: SplitResult) -> tuple[str, str] | None:
    return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


def _refusal(uri: str, problem: str) -> InvalidUri:
    return InvalidUri(f"The tracking location {uris.masked(uri)!r} {problem}.", hint=_HINT)
