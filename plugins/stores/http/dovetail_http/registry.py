"""The model registry behind a server."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.registry.store import RegistryStore
from dovetail.wire.calls import REGISTRY
from dovetail_http.asking import asked
from dovetail_http.server import server_at
from dovetail_http.transport import Transport

if TYPE_CHECKING:
    from dovetail.wire.calls import Call

__all__ = ["HttpRegistry", "NativeRegistry", "RemoteRegistry"]


class RemoteRegistry(RegistryStore):
    """A model registry whose methods are all the same to it: each is a call of ``dovetail.wire.calls.REGISTRY``.

    Args:
        transport: The way to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self.uri = transport.uri
        self._transport = transport

    @abstractmethod
    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Do what a method does.

        Args:
            call: The method.
            args: Its arguments.
            options: Those that are named.
        """

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    create_registered_model = asked(REGISTRY["create_registered_model"])
    get_registered_model = asked(REGISTRY["get_registered_model"])
    update_registered_model = asked(REGISTRY["update_registered_model"])
    delete_registered_model = asked(REGISTRY["delete_registered_model"])
    set_registered_model_tags = asked(REGISTRY["set_registered_model_tags"])
    delete_registered_model_tag = asked(REGISTRY["delete_registered_model_tag"])
    search_registered_models = asked(REGISTRY["search_registered_models"])

    create_model_version = asked(REGISTRY["create_model_version"])
    get_model_version = asked(REGISTRY["get_model_version"])
    update_model_version = asked(REGISTRY["update_model_version"])
    delete_model_version = asked(REGISTRY["delete_model_version"])
    set_model_version_tags = asked(REGISTRY["set_model_version_tags"])
    delete_model_version_tag = asked(REGISTRY["delete_model_version_tag"])
    search_model_versions = asked(REGISTRY["search_model_versions"])

    move_alias = asked(REGISTRY["move_alias"])
    transition_stage = asked(REGISTRY["transition_stage"])
    get_history = asked(REGISTRY["get_history"])


class NativeRegistry(RemoteRegistry):
    """The model registry behind a server of dovetail's own."""

    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Have the server do it."""
        data = call.dump_arguments(*args, **options)
        return call.read_answer(self._transport.call("POST", call.path, data, again=call.again))


class HttpRegistry(RemoteRegistry):
    """The model registry behind a server that is asked what it is when the registry is first used.

    Args:
        uri: Where the server is.

    Raises:
        InvalidUri: It has no such form.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(Transport(uri))
        self._chosen: RegistryStore | None = None

    @property
    def chosen(self) -> RegistryStore:
        """The registry that speaks as the server does.

        Raises:
            DovetailError: It cannot be reached, or does not let us in.
        """
        if self._chosen is None:
            self._chosen = _speaking(self._transport)
        return self._chosen

    def ask(self, call: Call, /, *args: Any, **options: Any) -> Any:
        """Have the registry do it that speaks as the server does."""
        return getattr(self.chosen, call.name)(*args, **options)


def _speaking(transport: Transport) -> RegistryStore:
    if server_at(transport).native:
        return NativeRegistry(transport)
    from dovetail_http.mlflow_registry import MlflowRegistry

    return MlflowRegistry(transport)
