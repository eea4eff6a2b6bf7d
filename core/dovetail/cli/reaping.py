"""Runs whose process is gone, as commands find them before they show runs."""

from __future__ import annotations

import logging

__all__ = ["look_after"]


def look_after() -> None:
    """End what nobody sees to any more, so that runs are shown as what they are.

    Where that cannot be written down they are shown as the store has them: whoever asks for runs need not be one who
    may change them.
    """
    from dovetail.errors import StoreError
    from dovetail.tracking.places import tracking_store

    try:
        tracking_store().reap_runs()
    except StoreError as failure:
        logging.getLogger(__name__).debug("Nobody looked after runs whose process is gone: %s", failure)
