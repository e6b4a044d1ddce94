"""Nobody sees anything unless the token or the hospital's proxy lets them in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import main
from tests.appliance.console.running import TOKEN, Console

PAGES = ("/events", "/boxes/clinic/box-1", "/courses/clinic/p-1", "/vendor/plotly.min.js", "/page/app.js")


def test_without_token_or_proxy_nothing_is_shown_and_each_answer_is_guarded(console: Console) -> None:
    for page in PAGES:
        assert console.get(page)[0] == 401, page
    assert "Sign in" in console.get("/")[1]
    assert console.get("/boxes/clinic/box-1", Authorization="Bearer wrong")[0] == 401
    assert console.get("/boxes/clinic/box-1", Cookie="rehabbox_console=guess")[0] == 401
    assert console.get("/boxes/clinic/box-1", Authorization=f"Bearer {TOKEN}")[0] == 404  # it may ask; there is none
    status, page = console.get("/", **{"X-Remote-User": "dr-<b>"})
    assert status == 200
    assert "RehabBox" in page


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], "--token-file"),
        (["--token-file", "open"], "chmod 600"),
        (["--token-file", "short"], "20 characters"),
        (["--token-file", "none"], "none"),
        (["--token-file", "good", "--listen", "0.0.0.0:8800"], "--tls-certificate"),
        (["--token-file", "good", "--listen", "here"], "--listen here"),
        (["--token-file", "good", "--history", "good"], "tools/consume"),
        (["--token-file", "good", "--tls-key", "k"], "go together"),
    ],
)
def test_an_unsafe_or_wrong_start_is_refused_in_one_line(
    options: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, mode, text in (("open", 0o644, TOKEN), ("short", 0o600, "123"), ("good", 0o600, TOKEN)):
        (tmp_path / name).touch(mode)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["rehabbox", "fleet", "console", "mqtt://127.0.0.1:9", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert named in said.err


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(TOKEN)
    command = [sys.executable, "-m", "appliance", "fleet", "console", "mqtt://127.0.0.1:9", "--token-file", "token"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "127.0.0.1:9" in done.stderr
