"""The list of alerts that a hospital reads is the list that a box raises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import appliance
from appliance.messages.alert import AlertCode

README = Path(__file__).parents[3] / "README.md"
CODES = get_args(AlertCode)


def test_the_readme_says_of_every_alert_what_it_means_and_of_no_other() -> None:
    table = README.read_text("utf-8").partition("| alert | what it means |")[2].partition("\n\n")[0]
    told = [code for line in table.splitlines()[2:] for code in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(told) == sorted(CODES)


def test_every_alert_in_the_list_is_one_that_some_part_of_the_box_raises() -> None:
    package = Path(appliance.__file__).parent
    sources = [file for file in package.rglob("*.py") if file != package / "messages/alert.py"]
    text = "\n".join(file.read_text("utf-8") for file in sources)
    assert [code for code in CODES if f'"{code}"' not in text] == []
