"""Who asks, and what they may do: nobody may do anything unless something says so."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from dovetail import plugins
from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Access", "Denied", "Open", "Plugged", "Token", "Unknown", "user_of"]

_BEARER = "token"
_LONGEST_NAME = 255


class Unknown(DovetailError):
    """Nobody knows who sends the request."""

    status = 401
    error_code = "UNAUTHENTICATED"


class Denied(DovetailError):
    """Who sends the request may not do that."""

    status = 403
    error_code = "PERMISSION_DENIED"


class Access(ABC):
    """Decides about requests."""

    @abstractmethod
    def principal(self, headers: Mapping[str, str]) -> Any:
        """Who sends a request, None for somebody who needs no name.

        Raises:
            Unknown: It does not say so, or not rightly.
        """

    @abstractmethod
    def may(self, principal: Any, action: str, subject: str) -> bool:
        """Whether they may do something.

        Args:
            principal: Who.
            action: One of ``routing.route.ACTIONS``.
            subject: The thing, as ``run/<id>``, or its kind alone.
        """


class Open(Access):
    """Everybody may do everything: for whoever reaches this machine's loopback, or was told to be trusted."""

    def principal(self, headers: Mapping[str, str]) -> None:
        """Nobody in particular."""
        del headers

    def may(self, principal: Any, action: str, subject: str) -> bool:
        """Yes."""
        del principal, action, subject
        return True


class Token(Access):
    """Whoever has the token may do everything.

    Args:
        token: It, as bearer's token or as the password of any user.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def principal(self, headers: Mapping[str, str]) -> str:
        """Whoever has the token."""
        if not hmac.compare_digest(_given(headers.get("authorization", "")), self._token):
            raise Unknown("This server asks for a token.", hint="Set DOVETAIL_TRACKING_TOKEN to it.")
        return _BEARER

    def may(self, principal: Any, action: str, subject: str) -> bool:
        """Yes, for those who have the token."""
        del action, subject
        return bool(principal == _BEARER)


class Plugged(Access):
    """Plugins say who asks, and what they may do."""

    def principal(self, headers: Mapping[str, str]) -> Any:
        """Whoever a plugin says it is."""
        found = plugins.ask("dovetail_authenticate", request=headers)
        if found is None:
            raise Unknown("Nobody knows who sends this.", hint="Give a user name and password, or a token.")
        return found

    def may(self, principal: Any, action: str, subject: str) -> bool:
        """Whether a plugin says so."""
        answer = plugins.ask("dovetail_authorize", principal=principal, action=action, resource=subject)
        return answer is True


def user_of(principal: Any, headers: Mapping[str, str]) -> str:
    """The name of whoever sends a request, for what is noted of it; empty if nobody says it.

    Whom a plugin knows has the name that it says. Everybody else has the one that they give themselves: where no
    plugin asks who they are, nobody has a name to protect.

    Args:
        principal: Who it is, as ``Access.principal`` says: a text, or something with a ``name``.
        headers: The request's.
    """
    if principal is None or principal == _BEARER:
        name = _signed(headers.get("authorization", ""))[0]
    else:
        name = getattr(principal, "name", principal)
    return "".join(filter(str.isprintable, name))[:_LONGEST_NAME] if isinstance(name, str) else ""


def _given(authorization: str) -> bytes:
    """The token in a header."""
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip().encode("utf-8", "replace")
    return _signed(authorization)[1]


def _signed(authorization: str) -> tuple[str, bytes]:
    """The user and the password in a header; empty if it holds none."""
    kind, _, rest = authorization.partition(" ")
    if kind.lower() != "basic":
        return "", b""
    try:
        user, _, password = b64decode(rest, validate=True).partition(b":")
    except ValueError:  # what is no base64, and what is no ASCII
        return "", b""
    return user.decode("utf-8", "replace"), password
