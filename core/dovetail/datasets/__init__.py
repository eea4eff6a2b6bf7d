"""Data that runs use: described well enough to say whether it is the same, and to fetch it again.

Scripts come here by ``dovetail.data``.
"""

__all__: list[str] = []
