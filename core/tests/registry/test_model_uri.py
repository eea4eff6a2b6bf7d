from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidInput, InvalidUri
from dovetail.registry.model_uri import LATEST, ModelUri
from dovetail.values.registry import check_registered_name

ID = "m-" + "0" * 32


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("models:/wine/1", ModelUri("wine", version=1)),
        ("models:/wine/02", ModelUri("wine", version=2)),
        ("models:/wine/1/", ModelUri("wine", version=1)),
        ("models:/wine/1/data/a.txt", ModelUri("wine", version=1, path="data/a.txt")),
        ("models:/wine/production", ModelUri("wine", stage="Production")),
        ("models:/wine/Staging/MLmodel", ModelUri("wine", stage="Staging", path="MLmodel")),
        ("models:/wine/None", ModelUri("wine", stage="None")),
        ("models:/wine/LATEST", ModelUri("wine", alias=LATEST)),
        ("models:/wine@Latest", ModelUri("wine", alias=LATEST)),
        ("models:/wine@champion", ModelUri("wine", alias="champion")),
        ("models:/wine@champion/data", ModelUri("wine", alias="champion", path="data")),
        ("models:/a@b@champion", ModelUri("a@b", alias="champion")),
        ("MODELS:/wine/1", ModelUri("wine", version=1)),
        ("models:/red wine? #1/1", ModelUri("red wine? #1", version=1)),
        ("models:/50%2F50/1", ModelUri("50%2F50", version=1)),
        (f"models:/{ID}", ModelUri(model_id=ID)),
        (f"models:/{ID}/", ModelUri(model_id=ID)),
        (f"models:/{ID}/1", ModelUri(ID, version=1)),
    ],
)
def test_what_is_meant(uri: str, meant: ModelUri) -> None:
    assert ModelUri.parse(uri) == meant


@pytest.mark.parametrize(
    "uri",
    [
        "models:/", "models:", "models:wine/1", "models://wine/1", "models://user:secret@host/wine", "models:/wine",
        "models:/wine/", "models:/wine@", "models:/@champion", "models:/wine/1/../../x", "models:/wine/1/%2e%2e/x",
        "models:/wine/1//etc/passwd/..", "models:/wine/bogus", "models:/wine/-1", "models:/wine/1@x", "models:/wine/0",
        "models:/wine/1?x=1", f"models:/wine/{10**30}", "models:/wine/\u0661", "runs:/x/1", f"models:/{ID}/sub",
        "models:/" + "x" * 300 + "/1",
    ],
)  # fmt: skip
def test_what_is_refused(uri: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ModelUri.parse(uri)
    assert "secret" not in str(caught.value)


def test_a_refusal_says_what_to_write() -> None:
    with pytest.raises(InvalidUri, match="'bogus' is neither a version nor a stage") as caught:
        ModelUri.parse("models:/wine/bogus")
    assert "models:/<name>@<alias>" in str(caught.value)


@given(st.text(st.characters(exclude_characters="/:@\0", exclude_categories=["Cs"]), min_size=1, max_size=256))
def test_every_name_without_an_at_sign_can_be_written(name: str) -> None:
    try:
        check_registered_name(name)
    except InvalidInput:
        return
    assert ModelUri.parse(f"models:/{name}/7") == ModelUri(name, version=7)
    assert ModelUri.parse(f"models:/{name}@champion") == ModelUri(name, alias="champion")


@given(st.text(max_size=80))
def test_nothing_but_our_own_errors_comes_of_it(rest: str) -> None:
    with suppress(InvalidInput):
        ModelUri.parse(f"models:/{rest}")


def test_a_name_may_hold_an_at() -> None:
    assert ModelUri.parse("models:/a@b/1") == ModelUri(name="a@b", version=1)
    assert ModelUri.parse("models:/a@b/Production/x").stage == "Production"
    assert ModelUri.parse("models:/a@b") == ModelUri(name="a", alias="b")
    assert ModelUri.parse("models:/a@b/MLmodel") == ModelUri(name="a", alias="b", path="MLmodel")
