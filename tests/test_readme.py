"""The documents: their links lead somewhere, the README stays short, and it names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqtrans.cli.app import app
from tests.conftest import ROOT
from tests.guide import commands

DOCUMENTS = ["README.md", "GUIDE.md", "FIGURES.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"]
MOST_LINES = 160
"""Two screens of a browser."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def anchors(text: str) -> set[str]:
    """What links may name of a document: its headings, as web pages of repositories write them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(name: str) -> list[tuple[Path, str]]:
    """File and anchor of each link to this repository."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if not link.startswith(("http:", "https:")):
            path, _, anchor = link.partition("#")
            found.append(((ROOT / name).parent / path if path else ROOT / name, anchor))
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for path, anchor in links(name):
        assert path.exists(), f"{name}: {path}"
        assert not anchor or anchor in anchors(path.read_text("utf-8")), f"{name}: {path}#{anchor}"


def test_the_readme_is_short_and_leads_to_all_documents() -> None:
    assert text_of("README.md").count("\n") <= MOST_LINES
    assert {path.relative_to(ROOT).as_posix() for path, _ in links("README.md")} >= set(DOCUMENTS) - {"README.md"}


def test_the_readme_names_every_command() -> None:
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert {"train", "translate", "score"} <= names
    assert {name for name in names if f"seqtrans {name}" in text_of("README.md")} == names


def commands_of(text: str) -> list[tuple[str, list[str]]]:
    """Each call of seqtrans in blocks of code and in tables, and its long flags."""
    found = []
    for code in [*re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL), *re.findall(r"`(seqtrans [^`\n]+)`", text)]:
        for call in re.findall(r"seqtrans ((?:tokenize )?[a-z]+)([^|\n#]*)", code):
            found.append((f"seqtrans {call[0]}", re.findall(r"(?<!\S)--[a-z][a-z-]+", call[1])))
    return found


def flags() -> dict[str, set[str]]:
    """The long flags of each command."""
    parts = re.split(r"^### ", commands(), flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: {"--help", *re.findall(r"`(--[a-z-]+)`", part)} for part in parts}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_commands_and_flags_that_exist(name: str) -> None:
    known = flags()
    unknown = [
        f"{command} {flag}".strip()
        for command, given in commands_of(text_of(name))
        for flag in given or [""]
        if command not in {*known, "seqtrans tokenize"} or (flag and flag not in known[command])
    ]
    assert unknown == []


def test_this_test_sees_commands_and_flags() -> None:
    text = "```\ncat a | seqtrans translate -m b --beam 5 | seqtrans score -r c --json\n```\n`seqtrans train --task lm`"
    expected = [("seqtrans translate", ["--beam"]), ("seqtrans score", ["--json"]), ("seqtrans train", ["--task"])]
    assert commands_of(text) == expected
    assert {command for command, _ in expected} <= set(flags())
