"""Takes the pictures in docs/pictures from a real run. `tools/screenshots --help` says how."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import click
from rich.console import Console
from rich.text import Text
from selenium.webdriver import Chrome, ChromeOptions, ChromeService, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from appliance.hospital.free_port import free_port
from appliance.hospital.throwaway import ThrowawayBroker
from drawings import write_drawings
from terminal import COLUMNS, Terminal
from ward import BOXES, SITE, Hospital

REHABBOX = [sys.executable, "-m", "appliance"]
WIDE, NARROW = (1280, 760), (390, 780)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/pictures"), show_default=True)
def main(out: Path) -> None:
    """Take the pictures of console, report and terminal from a real run: a minute, and nothing is left running.

    Three boxes with virtual patients, each the real daemon, at a real broker; one of them lacks its reference, one is
    stopped. Needs Chromium: apt-get install chromium chromium-driver.

    \b
    Example:
      tools/screenshots --out /tmp/pictures
    """
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        raise click.ClickException("needs Chromium: apt-get install chromium chromium-driver")
    out.mkdir(parents=True, exist_ok=True)
    write_drawings(out)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehabbox-pictures-")))
        hospital = Hospital(stack.enter_context(ThrowawayBroker(folder / "broker", SITE)), folder)
        browser = stack.enter_context(_chromium(folder))
        url, token = stack.enter_context(_console(hospital, folder))
        click.echo("boxes and patients …", err=True)
        watch = stack.enter_context(Terminal(_watch(hospital)))
        for box in BOXES[1:]:
            stack.enter_context(hospital.box(box))
        with hospital.box(BOXES[0]):
            hospital.board(lambda board: len(board.results) == 3 and any(box.alerts for box in board.boxes.values()))
        hospital.board(lambda board: any(box.status.get("state") == "stopped" for box in board.boxes.values()))
        click.echo("pictures …", err=True)
        _console_pictures(browser, url, token, out)
        _report_pictures(browser, hospital.folder / BOXES[0].name, folder, out)
        _terminal_picture(browser, watch.stop(), hospital, folder, out)
    for file in sorted(out.iterdir()):
        click.echo(f"{file}: {file.stat().st_size / 1000:.0f} kB")


@contextmanager
def _chromium(folder: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
        f"--user-data-dir={folder / 'chromium'}",
    ):  # fmt: skip
        options.add_argument(argument)
    browser = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


@contextmanager
def _console(hospital: Hospital, folder: Path) -> Iterator[tuple[str, str]]:
    """Address and token of a running one."""
    token = token_urlsafe(32)
    file = folder / "token"
    file.touch(0o600)
    file.write_text(token)
    port = free_port()
    at = hospital.address
    command = [*REHABBOX, "fleet", "console", f"mqtts://{at.host}:{at.port}", "--ca", str(at.ca)]
    command += ["--certificate", str(at.certificate), "--key", str(at.key), "--token-file", str(file)]
    with subprocess.Popen([*command, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _until(lambda: _answers(url))
            yield url, token
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/page/style.css", timeout=5):  # noqa: S310  our own, on this machine
            return True
    except URLError:
        return False


def _until(true: Callable[[], object], patience_s: float = 60.0) -> None:
    deadline = monotonic() + patience_s
    while not true():
        if monotonic() > deadline:
            raise click.ClickException("the console does not answer")
        sleep(0.1)


def _console_pictures(browser: Chrome, url: str, token: str, out: Path) -> None:
    wait = WebDriverWait(browser, 60)
    _look(browser, WIDE, "light")
    browser.get(url)
    browser.find_element(By.NAME, "token").send_keys(token + Keys.ENTER)
    wait.until(lambda b: len(b.find_elements(By.CSS_SELECTOR, "#boxes tbody tr")) == len(BOXES))
    _shoot(browser, out / "console-boxes.png")
    browser.get(f"{url}/#/course/{SITE}/{BOXES[0].subject}")
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#course .chart .scatterlayer .points path"))
    _look(browser, WIDE, "dark")
    browser.refresh()
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#course .chart .scatterlayer .points path"))
    _shoot(browser, out / "console-course-dark.png")
    _look(browser, NARROW, "light")
    browser.get(f"{url}/#/results")
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#results tbody tr"))
    _shoot(browser, out / "console-results-narrow.png")


def _report_pictures(browser: Chrome, home: Path, folder: Path, out: Path) -> None:
    (session,) = (home / "state" / "sessions").rglob("*_squat.mcap")
    page = folder / "report.html"
    command = [*REHABBOX, "report", str(session), "--references", str(home / "references"), "--out", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    _look(browser, (900, 1100), "light")
    browser.get(page.as_uri())
    _shoot(browser, out / "report.png")


def _watch(hospital: Hospital) -> list[str]:
    at = hospital.address
    command = [*REHABBOX, "watch", f"mqtts://{at.host}:{at.port}", "--ca", str(at.ca)]
    return [*command, "--certificate", str(at.certificate), "--key", str(at.key)]


def _terminal_picture(browser: Chrome, said: str, hospital: Hospital, folder: Path, out: Path) -> None:
    """The last screen of `rehabbox watch`; names of this machine are those of the guide."""
    last = said.replace("\r\n", "\n").rpartition("\x1b[?1049l")[2].replace("\x1b[?25h", "")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ rehabbox watch mqtts://broker.example --ca ca.pem --certificate ward.pem --key ward.key\n"))
    console.print(Text.from_ansi(last.replace(str(hospital.address), "broker.example:8883")))
    page = folder / "terminal.html"
    page.write_text(console.export_html(inline_styles=True), "utf-8")
    _look(browser, (1180, 480), "light")
    browser.get(page.as_uri())
    _shoot(browser, out / "watch.png")


def _look(browser: Chrome, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def _shoot(browser: Chrome, file: Path) -> None:
    sleep(0.7)  # a new line's colour fades
    if not browser.save_screenshot(str(file)):
        raise click.ClickException(f"{file}: cannot be written")


if __name__ == "__main__":
    main()
