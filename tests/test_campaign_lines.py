"""Every key of a TOML text is found on its own line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaign_file import available_campaigns, campaign_folder
from domain.toml_lines import key_lines

EXAMPLE = (
    """# first
top = 1
"quoted key" = 'it"""
    """'

[table]
a.b = "x # no comment" # a comment
text = \"\"\"
[not.a.table]
key = 1\"\"\"
list = [
    { one = 1, two = [1, 2] },

    { one = 2 }, # last
]
[[rows]]
name = "first"
[[rows.parts]]
size = 1
[[rows.parts]]
size = 2
[[rows]]
name = "second"
[rows.deep]
x = true
"""
)


def paths(value: object, path: str = "") -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, f"{path}[{index}]")


def test_lines_of_every_form() -> None:
    lines = key_lines(EXAMPLE)
    expected = {
        "top": 2,
        "quoted key": 3,
        "table": 5,
        "table.a.b": 6,
        "table.text": 7,
        "table.list[0].two[1]": 11,
        "table.list[1].one": 13,
        "rows[0]": 15,
        "rows[0].parts[1].size": 20,
        "rows[1].name": 22,
        "rows[1].deep.x": 24,
    }
    assert {path: lines[path] for path in expected} == expected
    assert set(paths(tomllib.loads(EXAMPLE))) == set(lines)


@pytest.mark.parametrize("name", available_campaigns())
def test_every_key_of_the_shipped_campaigns_has_a_line(name: str) -> None:
    for path in campaign_folder(name).glob("*.toml"):
        text = path.read_text("utf-8")
        assert set(paths(tomllib.loads(text))) == set(key_lines(text))


scalars = st.one_of(
    st.integers().map(str),
    st.booleans().map(lambda flag: str(flag).lower()),
    st.sampled_from(
        ['"a]b}c,#"', "'d\"e'", '""', "''", '"""x\n# y"""', "'''z\n'q''''", "1979-05-27T07:32:00Z", '"\\""']
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n ".join(items) + "]"),
        st.lists(inner, max_size=3).map(
            lambda items: "{ " + ", ".join(f"k{index} = {item}" for index, item in enumerate(items)) + " }"
        ),
    ),
    max_leaves=8,
)


@given(st.lists(values, max_size=5))
@settings(max_examples=150)
def test_any_toml_is_walked_key_by_key(items: list[str]) -> None:
    text = "".join(f"v{index} = {item}\n[t{index}] # c\n" for index, item in enumerate(items))
    assert set(paths(tomllib.loads(text))) == set(key_lines(text))
