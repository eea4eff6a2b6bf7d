"""From the verb and path of a request to its route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dovetail.errors import DovetailError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from dovetail_server.routing.route import Route

__all__ = ["NoRoute", "Router", "WrongVerb"]


class NoRoute(DovetailError):
    """Nothing answers at a path."""

    status = 404
    error_code = "ENDPOINT_NOT_FOUND"


class WrongVerb(DovetailError):
    """What answers at a path does not answer to this verb."""

    status = 405
    error_code = "METHOD_NOT_ALLOWED"

    def __init__(self, message: str, verbs: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.verbs = tuple(sorted(set(verbs)))


class Router:
    """All routes there are.

    Args:
        routes: The routes.
        prefix: What all paths begin with, such as ``/tracking``.

    Raises:
        ValueError: Two routes are of one verb and path.
    """

    def __init__(self, routes: Iterable[Route], prefix: str = "") -> None:
        self.routes = tuple(routes)
        self._prefix = prefix
        self._fixed: dict[tuple[str, str], Route] = {}
        self._open: list[tuple[str, re.Pattern[str], Route]] = []
        for route in self.routes:
            if route.places:
                self._open.append((route.path.partition("{")[0], route.pattern, route))
            elif self._fixed.setdefault((route.verb, route.path), route) is not route:
                raise ValueError(f"There are two routes {route.verb} {route.path}.")

    def find(self, verb: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request, and the pieces of the path that may be anything.

        Args:
            verb: The verb; ``HEAD`` is answered as ``GET`` is, without a body.
            path: The path, decoded once.

        Raises:
            NoRoute: There is none.
            WrongVerb: There are some, for other verbs.
        """
        verb = "GET" if verb == "HEAD" else verb
        if self._prefix:
            path = self._without_prefix(path)
        if (route := self._fixed.get((verb, path))) is not None:
            return route, {}
        return self._found(verb, path)

    def _found(self, verb: str, path: str) -> tuple[Route, dict[str, str]]:
        others = [each for each, known in self._fixed if known == path]
        for begin, pattern, route in self._open:
            if path.startswith(begin) and (match := pattern.fullmatch(path)):
                if route.verb == verb:
                    return route, match.groupdict()
                others.append(route.verb)
        if others:
            raise WrongVerb(f"{path} does not answer to {verb}, only to {', '.join(sorted(set(others)))}.", others)
        raise NoRoute(f"There is nothing at {path}.", hint="Check the address; /openapi.json lists all there is.")

    def _without_prefix(self, path: str) -> str:
        if path.startswith(self._prefix + "/"):
            return path.removeprefix(self._prefix)
        if path in ("/health", "/version", "/metrics"):  # where whoever watches the server looks
            return path
        raise NoRoute(f"There is nothing at {path}; everything here is below {self._prefix}/.")
