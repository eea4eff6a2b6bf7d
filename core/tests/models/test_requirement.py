"""What counts as a requirement, and what is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.errors import InvalidInput
from dovetail.models.requirement import Requirement


@pytest.mark.parametrize(
    ("text", "name", "marker"),
    [
        ("numpy", "numpy", ""),
        ("  Scikit_Learn  ", "scikit-learn", ""),
        ("numpy>=1.26, <3", "numpy", ""),
        ("numpy == 1.*", "numpy", ""),
        ("numpy(>=1.26)", "numpy", ""),
        ("torch==2.1.0+cpu", "torch", ""),
        ("mlflow >= 2.8, != 2.9.0", "mlflow", ""),
        ("dask[array, dataframe]~=2024.1", "dask", ""),
        ("pywin32>=1 ; sys_platform == 'win32'", "pywin32", "sys_platform == 'win32'"),
        ("a; (python_version<'3.11' or os_name in 'nt') and extra=='x'", "a",
         "(python_version<'3.11' or os_name in 'nt') and extra=='x'"),
        ("wheel @ https://example.org/wheel.whl#sha256=ab", "wheel", ""),
        ("tool@git+https://example.org/tool@v1;x.git ; python_version > '3'", "tool", "python_version > '3'"),
    ],
)  # fmt: skip
def test_a_requirement(text: str, name: str, marker: str) -> None:
    parsed = Requirement.parse(text)
    assert (parsed.name, parsed.line, parsed.marker) == (name, text.strip(), marker)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("--index-url https://example.org", "an option of pip's"),
        ("-r more.txt", "an option of pip's"),
        ("-e .", "an option of pip's"),
        ("./package", "a path of this machine"),
        ("/srv/package.whl", "a path of this machine"),
        ("~/package", "a path of this machine"),
        ("C:\\package", "a path of this machine"),
        ("package @ file:///srv/package", "a path of this machine"),
        ("https://example.org/package.whl", "needs the name"),
        ("git+https://example.org/x#egg=y", "needs the name"),
        ("numpy pandas", "not a name"),
        ("numpy==", "not a name"),
        ("numpy==1 --hash=sha256:ab", "not a name"),
        ("numpy # the array library", "not a name"),
        ("numpy(>=1", "not a name"),
        ("${NAME}", "not a name"),
        ("numpy;", "is no condition"),
        ("numpy; python", "is no condition"),
        ("numpy; (python_version>'3'", "is no condition"),
        ("numpy; python_version>'3' junk", "is no condition"),
        ("numpy\n--index-url https://example.org", "one line of text"),
        ("numpy\x1b[2J", "one line of text"),
        ("n" * 2000, "one line of text"),
    ],
)
def test_no_requirement(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Requirement.parse(text)
    assert reason in caught.value.message
    assert caught.value.message.isprintable()


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        Requirement.parse("https://ada:s3cret@example.org/x.whl")
    assert "s3cret" not in str(caught.value)


@given(st.text(max_size=60))
def test_whatever_it_is_it_is_read_or_refused(text: str) -> None:
    try:
        parsed = Requirement.parse(text)
    except InvalidInput:
        return
    assert parsed.name
    assert parsed.line.isprintable()
