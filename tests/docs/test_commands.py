"""What the documentation names is there: commands, options, files, links. `test_journeys.py` runs what is typed."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest

from appliance.cli import COMMANDS, rehabbox
from tests.docs.pages import PAGES, ROOT, blocks


def typed() -> list[tuple[str, str]]:
    """Every `rehabbox ...` and `tools/...` in a block, with its page."""
    ours = re.compile(r"(rehabbox|(\./)?tools/)")
    return [
        (block.page, line)
        for block in blocks()
        if block.language == "sh"
        for line in block.commands
        if ours.match(line)
    ]


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that is named, and the words after it."""
    command: click.Command = rehabbox
    context = click.Context(rehabbox, info_name="rehabbox")
    while isinstance(command, click.Group) and words:
        if words[0] in {option for parameter in command.params for option in parameter.opts}:  # of the group's own
            words = words[2:]
            continue
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no {words[0]}"
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize(("page", "line"), typed())
def test_what_is_typed_anywhere_exists(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s[|&<>]|\s\d?>", line)[0], comments=True)
    if words[0].lstrip("./").startswith("tools/"):
        assert os.access(ROOT / words[0], os.X_OK)
        return
    command, rest = command_of(words[1:])
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}] == []


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"rehabbox {name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere_and_no_merge_was_left_half_done(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"^(<{7}|>{7}|={7})( |$)", text, re.MULTILINE)
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def anchors_of(page: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
