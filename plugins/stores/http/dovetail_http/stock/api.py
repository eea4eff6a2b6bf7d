"""MLflow's REST API on one server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import uris
from dovetail.errors import NotFound, StoreError

if TYPE_CHECKING:
    from dovetail_http.transport import Transport

__all__ = ["Api"]

_BASE = "/api/2.0/mlflow/"


class Api:
    """Asks a server by MLflow's paths and fields; fields that are None are left out.

    Args:
        transport: What brings requests there.

    Attributes:
        server: What messages call the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.server = uris.masked(transport.uri)

    def get(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Ask for something; the fields stand in the query.

        Raises:
            NotFound: It is named by what no text is made of: nothing is called so.
        """
        try:
            return self._answer(self._transport.get(_BASE + path, fields))
        except UnicodeEncodeError:
            raise NotFound(f"{self.server} has nothing by such a name: it holds half a character.") from None

    def search(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Look for something; the fields stand in the body."""
        return self.post(path, again=True, **fields)

    def post(self, path: str, /, *, again: bool = False, **fields: Any) -> dict[str, Any]:
        """Have something done.

        Args:
            path: What.
            again: Whether doing it twice is the same as doing it once.
            fields: What the body says.
        """
        return self._answer(self._transport.post(_BASE + path, _given(fields), again=again))

    def patch(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Have something changed; to do that twice is the same as to do it once."""
        return self._answer(self._transport.patch(_BASE + path, _given(fields), again=True))

    def delete(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Have something removed."""
        return self._answer(self._transport.delete(_BASE + path, _given(fields) or None))

    def version(self) -> str:
        """The server's release of MLflow, such as ``2.17.2``; empty where it does not say."""
        said = self._transport.look("/version")
        return str(said).strip() if isinstance(said, (str, float)) else ""

    def _answer(self, data: Any) -> dict[str, Any]:
        if data is None or isinstance(data, dict):
            return data or {}
        raise StoreError(
            f"{self.server} does not answer as MLflow's servers do.",
            hint="Check that the tracking URI is the address of an MLflow or dovetail server.",
        )


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
