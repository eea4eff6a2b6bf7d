"""What goes wrong between a server and us, as errors of dovetail's: all of it passes through here."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from urllib3 import exceptions as http

from dovetail import uris
from dovetail.errors import DovetailError, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

__all__ = [
    "given_up",
    "is_final",
    "is_lost",
    "is_unsent",
    "is_unserved",
    "moved",
    "secured",
    "unfit",
    "unreached",
    "unsure",
]

_OBJECT = re.compile(r"\A(?:\w+\(.*?\)|<.*?>): ")
_UNSENT = (http.NewConnectionError, http.ConnectTimeoutError)
_PLAIN = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|UNKNOWN_PROTOCOL", re.IGNORECASE)
"""What OpenSSL calls an answer that is no TLS."""
_ENDED = re.compile(r"UNEXPECTED_EOF|EOF occurred", re.IGNORECASE)
_UNSERVED = re.compile(r"disabled due to the mlflow server running|was started with --")


def is_unsent(error: Exception) -> bool:
    """Whether the request was not even begun to be sent."""
    return isinstance(_cause(error), _UNSENT)


def is_final(error: Exception) -> bool:
    """Whether trying again right away is of no use: a name that nobody has today has nobody in a second.

    Who could not even ask may be able to in a second.
    """
    cause = _cause(error)
    if not isinstance(cause, http.NameResolutionError):
        return False
    return not (isinstance(cause.__cause__, socket.gaierror) and cause.__cause__.errno == socket.EAI_AGAIN)


def is_unserved(failure: DovetailError) -> bool:
    """Whether a server says that it was started without what it was asked for, which waiting does not change."""
    return _UNSERVED.search(failure.message) is not None


def unreached(error: Exception, base: str) -> DovetailError:
    """The error of dovetail's that one of urllib3's is.

    Args:
        error: What was raised.
        base: The server's address.
    """
    cause = _cause(error)
    if isinstance(cause, http.SSLError):
        if _PLAIN.search(str(cause)):
            return StoreError(
                f"{base} does not speak TLS: what answers there speaks plain HTTP, or something else.",
                hint=f"Write {base.replace('https:', 'http:', 1)}.",
            )
        certificates = "DOVETAIL_TRACKING_SERVER_CERT_PATH names the certificates that it is trusted by."
        ended = f"If it speaks plain HTTP, write {base.replace('https:', 'http:', 1)}."
        return StoreError(
            f"{base} could not be spoken to by TLS: {_text(cause)}.",
            hint=ended if _ENDED.search(str(cause)) else certificates,
        )
    if isinstance(cause, _UNSENT):
        return StoreUnavailable(
            f"{base} cannot be reached: {_text(cause)}.", hint="Check the address, and whether the server is up."
        )
    if isinstance(cause, http.TimeoutError):
        return StoreUnavailable(
            f"{base} gave no answer in time.", hint="DOVETAIL_HTTP_REQUEST_TIMEOUT is how many seconds it may take."
        )
    return StoreUnavailable(
        f"The connection to {base} was lost: {_text(cause)}.", hint="Check that the server is up, and what is between."
    )


def is_lost(error: Exception) -> bool:
    """Whether a connection was made, and ended before there was an answer."""
    return isinstance(_cause(error), http.ProtocolError)


def secured(base: str) -> StoreError:
    """What is raised where a server ends plain connections, and speaks TLS.

    Args:
        base: The address by which it was spoken to.
    """
    return StoreError(
        f"{base} does not speak plain HTTP: what answers there speaks TLS.",
        hint=f"Write {base.replace('http:', 'https:', 1)}.",
    )


def unsure(failure: DovetailError) -> StoreError:
    """The same, of a request that may have been carried out, and must not be a second time."""
    return StoreError(
        f"{failure.message} Nobody knows whether the server did what it was asked for.",
        hint="Look whether it is there before doing it again.",
    )


def given_up(failure: DovetailError) -> DovetailError:
    """The same, of what was tried as long as it should be, with the setting that says how long."""
    setting = "DOVETAIL_HTTP_RETRY_SECONDS is how many seconds it is tried again."
    failure.hint = f"{failure.hint} {setting}" if failure.hint else setting
    return failure


def moved(response: BaseHTTPResponse, base: str) -> StoreError:
    """What is raised for a redirect: passwords are for the server that they were given for."""
    location = response.headers.get("location")
    target = f"points to {uris.masked(location)[:500]}" if location else "points elsewhere"
    return StoreError(
        f"{base} answered {response.status} and {target}.", hint="If that is right, set the tracking URI to it."
    )


def unfit() -> StoreError:
    """What is raised where a header cannot be sent; which text it is stays unsaid, since it may be a password."""
    return StoreError(
        "A header of the request cannot be sent: it holds a line break, or characters that headers cannot.",
        hint="Look at DOVETAIL_TRACKING_TOKEN, and at plugins that add headers.",
    )


def _cause(error: Exception) -> Exception:
    """What is behind an error with a proxy or a number of tries."""
    while True:
        inner = getattr(error, "original_error", None) or getattr(error, "reason", None)
        if not isinstance(inner, Exception) or inner is error:
            return error
        error = inner


def _text(error: Exception) -> str:
    """One line of it, without the object that urllib3 puts before it."""
    text = " ".join(str(error.args[-1] if error.args else error).split())
    text = _OBJECT.sub("", text)
    return uris.masked(text.rstrip("."))[:500]
