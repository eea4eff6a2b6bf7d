"""Lengths of time as people write them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail import settings
from dovetail.durations import seconds_of
from dovetail.errors import InvalidSetting


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("0s", 0), ("30d", 2_592_000), ("12h", 43_200), ("90m", 5400), ("15s", 15), ("2w", 1_209_600),
        ("1d2h3m4s", 93_784), ("1.5h", 5400), (" 1 D 2 h ", 93_600),
    ],
)  # fmt: skip
def test_numbers_with_units(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "d", "3", "1h1d", "1d1d", "-1d", "+1d", "1y", "1e3d", "1d2", "٣d", ".5d", "1_0d"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time"):
        seconds_of(text)


@given(*[st.integers(0, 999)] * 4)
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    assert seconds_of(f"{days}d{hours}h{minutes}m{seconds}s") == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


@given(st.text(max_size=40))
def test_other_texts_end_soon(text: str) -> None:
    with suppress(ValueError):
        assert seconds_of(text) >= 0


class TestAsASetting:
    def test_from_a_variable_and_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings.get("retention") == 0
        Path("dovetail.toml").write_text('retention = "30d"\n')
        assert settings.get("retention") == 30 * 86400
        monkeypatch.setenv("DOVETAIL_RETENTION", "1h")
        assert settings.get("retention") == 3600

    @pytest.mark.parametrize("value", ["30", "true", "[]", '"soon"', "{}"])
    def test_a_number_alone_does_not_say_of_what(self, value: str) -> None:
        Path("dovetail.toml").write_text(f"retention = {value}\n")
        with pytest.raises(InvalidSetting, match="such as 30d"):
            settings.get("retention")

    def test_none_is_none(self) -> None:
        Path("dovetail.toml").write_text("retention = 0\n")
        assert settings.get("retention") == 0
