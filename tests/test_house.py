"""The house around the code: what is shipped, locked, documented and allowed."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bot.cli import app
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
MOST_LINES = 400


@pytest.mark.parametrize("page", ["README.md", "docs/operating.md"])
def test_every_setting_is_explained_where_operators_look(page: str) -> None:
    written = (ROOT / page).read_text()

    assert [name for name in settings() if not re.search(rf"\b{name}\b", written)] == []


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    written = {name for page in PAGES for name in re.findall(r"VUNGXANH_[A-Z_]*[A-Z]", page.read_text())}

    assert written <= set(settings())


def test_the_documented_defaults_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| `(VUNGXANH_\w+)` \|(.*?)\|", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert {name: default.strip("` ") for name, default in rows.items()} == settings()


def test_every_command_is_explained() -> None:
    written = "".join(page.read_text() for page in PAGES)

    assert [line for line in command_lines() if f"vungxanh {line}" not in written] == []


def test_every_link_between_pages_leads_somewhere() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert lost == []


def test_decisions_are_numbered_and_say_what_was_weighed() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for page in DECISIONS:
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], page.name


@pytest.mark.parametrize("name", PACKAGES)
def test_a_top_level_name_is_ours_alone(name: str) -> None:
    spec = importlib.util.find_spec(name)

    assert name not in sys.stdlib_module_names
    assert set(importlib.metadata.packages_distributions().get(name, [])) <= {"vungxanh"}
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT / name)


def test_every_package_is_named_in_the_wheel_and_in_the_import_contracts() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}

    assert set(PACKAGES) == found
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == found - {"campaigns"}


def test_the_wheel_holds_everything_the_program_reads(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")

    packed = set(zipfile.ZipFile(wheel).namelist())

    wanted = {str(path.relative_to(ROOT)) for name in PACKAGES for path in shipped(ROOT / name)}
    assert wanted <= packed
    for pattern in (
        r"campaigns/covid19/\w+\.toml",
        r"texts/vi/\w+\.po",
        r"texts/en/\w+\.po",
        r"web/templates/\w+\.html",
        r"web/static/\w+\.js",
        r"storage/migrations/versions/\w+\.py",
        r"summaries/sheet\.typ",
    ):
        assert any(re.fullmatch(pattern, name) for name in packed), pattern
    tops = {name.partition("/")[0] for name in packed}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize(("file", "extra"), [("run.txt", False), ("dev.txt", True)])
def test_what_the_project_asks_for_is_locked_with_hashes(file: str, *, extra: bool) -> None:
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    locked = {line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}
    asked = PROJECT["project"]["dependencies"] + (PROJECT["project"]["optional-dependencies"]["dev"] if extra else [])

    assert {re.split(r"[\[<>=;]", one)[0].lower() for one in asked} <= {re.split(r"\[", one)[0] for one in locked}
    assert all("==" in line and line.endswith("\\") for line in lines if line and not line.startswith((" ", "#")))


def test_only_the_intake_ends_a_transaction_by_hand() -> None:
    ends = [where for where, call in calls() if call in ("commit", "rollback")]

    assert [where for where in ends if not where.startswith("handlers/intake.py:")] == []


def test_no_module_outgrows_its_reader() -> None:
    in_one_piece = {ROOT / "storage/tables.py", *(ROOT / "storage/migrations").rglob("*.py")}
    ours = [path for path in modules() if path not in in_one_piece and not path.is_relative_to(ROOT / "tests")]

    assert [str(path.relative_to(ROOT)) for path in ours if len(source(path).splitlines()) > MOST_LINES] == []


def test_every_module_begins_with_what_it_is_for() -> None:
    full = [path for path in modules() if source(path).strip()]

    assert [str(path.relative_to(ROOT)) for path in full if not ast.get_docstring(ast.parse(source(path)))] == []


@pytest.mark.parametrize(
    "script", [".ci/run", *(f"scripts/{path.name}" for path in sorted((ROOT / "scripts").glob("find-*")))]
)
def test_a_script_is_sound_bash_that_stops_at_the_first_failure(script: str) -> None:
    path = ROOT / script

    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", str(path)], check=True)


def settings() -> dict[str, str]:
    """Every setting's name in the environment, with its default as an operator writes it; secrets have none."""
    fields = Settings.model_fields.items()
    defaults = {name: "" if "secret" in str(field.annotation).lower() else str(field.default) for name, field in fields}
    return {f"VUNGXANH_{name.upper()}": default for name, default in defaults.items()}


def command_lines() -> Iterator[str]:
    """`demo`, `roster import`, … as one types them after `vungxanh`."""

    def below(command: object, typed: str) -> Iterator[str]:
        if isinstance(command, TyperGroup):
            for name, inner in command.commands.items():
                yield from below(inner, f"{typed} {name}".strip())
        else:
            yield typed

    return below(typer.main.get_command(app), "")


def shipped(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def modules() -> Iterator[Path]:
    return (path for name in [*PACKAGES, "tests"] for path in shipped(ROOT / name) if path.suffix == ".py")


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def calls() -> Iterator[tuple[str, str]]:
    """Where a method is called in our packages, and which."""
    for path in modules():
        if path.is_relative_to(ROOT / "tests"):
            continue
        for node in ast.walk(ast.parse(source(path))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.func.attr
