"""The question before something goes that cannot be brought back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from dovetail.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["require_consent"]


def require_consent(
    question: str,
    consequence: str,
    *,
    json: bool,
    hint: str = "Say --yes.",
    show: Callable[[], None] | None = None,
) -> None:
    """Go on only if a person says yes.

    Args:
        question: What the person is asked.
        consequence: What would happen, as the beginning of a sentence, for where there is nobody to ask.
        json: Whether the command is run by a machine.
        hint: What to say beforehand where there is nobody to ask.
        show: Prints what it is about, before the question.

    Raises:
        InvalidInput: There is nobody to ask.
        Exit: The person says no.
    """
    if json or not sys.stdin.isatty():
        raise InvalidInput(f"{consequence}, and there is nobody to ask.", hint=hint)
    if show is not None:
        show()
    if not typer.confirm(question):
        raise typer.Exit(1)
