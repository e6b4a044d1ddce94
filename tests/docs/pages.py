"""The documentation's pages, their blocks and what somebody would type of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BY_HAND = "by hand: "
"""Behind a block's language: no test runs it, for the reason that follows."""
_BLOCK = re.compile(r"^( *)```(\w*)(?: ([^\n]*))?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(
    r"\s*((\./)?tools/|(rehabbox|apt|apt-get|dpkg|pip|python3?|systemctl|journalctl|mosquitto\w*|cat|git)(\s|$))"
)


@dataclass(frozen=True, slots=True)
class Block:
    """page: its name below the root. by_hand: why no test runs it, or empty."""

    page: str
    language: str
    by_hand: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines that begin with a command; continued lines are joined."""
        return [line.strip() for line in self.text.replace("\\\n", " ").splitlines() if _TYPED.match(line)]


@cache
def blocks() -> tuple[Block, ...]:
    found = []
    for page in PAGES:
        for _, language, rest, text in _BLOCK.findall(page.read_text("utf-8")):
            assert not rest or (rest.startswith(BY_HAND) and len(rest) > 20), f"{page.name}: ```{language} {rest}"
            found.append(Block(str(page.relative_to(ROOT)), language, rest.removeprefix(BY_HAND), text))
    return tuple(found)


def script_of(*pages: str) -> str:
    """What is typed on these pages, in order. What the shell started is ended, and waited for, whatever happens."""
    typed = [
        block.text
        for page in pages
        for block in blocks()
        if block.page == page and block.language == "sh" and not block.by_hand
    ]
    return "\n".join(["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT", *typed])
