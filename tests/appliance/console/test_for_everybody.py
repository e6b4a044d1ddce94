"""The console for those who see little, hear it read, or have no mouse: WCAG 2.1 AA, as far as a machine can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from tests.appliance.console.running import Console
from tests.appliance.console.test_in_a_browser import result, rows, sign_in, status, until

AXE = Path(__file__).parents[3] / "tools/validators/node_modules/axe-core/axe.min.js"
PAGES = {
    "boxes": "#boxes tbody tr",
    "alerts": "#alerts li",
    "box/clinic/box-1": "#box dd",
    "results": "#results tbody tr",
    "course/clinic/p-7": "#course .chart .scatterlayer .points path",
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def axe() -> str:
    if not AXE.exists():
        pytest.skip("needs axe-core: tools/setup fetches it into tools/validators with npm")
    return AXE.read_text("utf-8")


def look(browser: Chrome, scheme: str, width: int) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def found_by(axe: str, browser: Chrome) -> list[str]:
    """What axe holds against the page as it is shown now."""
    script = "const done = arguments[1]; axe.run({runOnly: arguments[0]}).then(found => done(found.violations))"
    browser.execute_script(axe)
    found: list[dict[str, Any]] = browser.execute_async_script(script, RULES)
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]


def a_ward(console: Console) -> None:
    for number, state in enumerate(("online", "stopped", "lost")):
        console.publish(f"clinic/box-{number}/status", status(state), retain=True)
    console.publish("clinic/box-1/health", {"queued": 1, "devices": {"camera": {"state": "lost", "error": "away"}}})
    alert = {"code": "camera_lost", "state": "raised", "since": "2026-11-02T09:00:00Z", "what": "gone"}
    console.publish("clinic/box-1/alert/camera_lost", alert, retain=True)
    for number in range(3):
        console.publish("clinic/box-1/result/shoulder_abduction", result(number))
    console.publish("clinic/box-1/result/squat", result(4, status="not_scored", reason="nobody was seen", score={}))


def test_every_page_passes_axe_in_light_and_dark_narrow_and_wide(console: Console, browser: Chrome, axe: str) -> None:
    a_ward(console)
    browser.get(console.url)
    assert found_by(axe, browser) == []  # the sign-in
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 3 and len(rows(b, "results")) == 4)
    for scheme in ("light", "dark"):
        for page, shown in PAGES.items():
            look(browser, scheme, 1300)
            browser.execute_script("location.hash = arguments[0]", f"#/{page}")
            until(browser, lambda b, shown=shown: b.find_elements(By.CSS_SELECTOR, shown))
            for width in (360, 1300):
                look(browser, scheme, width)
                assert found_by(axe, browser) == [], (page, scheme, width)


def test_axe_would_find_a_control_without_a_label_and_text_too_pale_to_read(
    console: Console, browser: Chrome, axe: str
) -> None:
    browser.get(console.url)
    spoil = "document.querySelector('label').replaceWith(document.querySelector('input'));"
    browser.execute_script(spoil + "document.querySelector('h1').style.color = '#bbb'")
    found = " ".join(found_by(axe, browser))
    assert "label: " in found
    assert "color-contrast: " in found


def test_what_arrives_is_said_to_a_screen_reader_and_what_was_there_is_not(console: Console, browser: Chrome) -> None:
    a_ward(console)
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "results")) == 4)
    heard = "return document.querySelector(arguments[0]).textContent"
    assert browser.execute_script(heard, "[role=status]#news-results") == ""
    assert browser.execute_script(heard, "[role=alert]#news-alerts") == ""
    console.publish("clinic/box-1/result/squat", result(5, exercise="squat"))
    until(browser, lambda b: b.execute_script(heard, "#news-results") == "New: squat of subject p-7, scored")
    for code in ("imu_lost", "fall_suspected"):
        console.publish(f"clinic/box-2/alert/{code}", {"code": code, "state": "raised", "what": "look"}, retain=True)
    until(browser, lambda b: "fall_suspected of box-2: look" in b.execute_script(heard, "#news-alerts"))


def test_each_page_is_reached_and_used_by_the_keyboard_with_its_focus_in_sight(
    console: Console, browser: Chrome
) -> None:
    a_ward(console)
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 3 and len(rows(b, "results")) == 4)
    focused = """
        const a = document.activeElement, box = a.getBoundingClientRect(), style = getComputedStyle(a);
        const middle = document.elementFromPoint(box.x + Math.min(box.width / 2, 40), box.y + box.height / 2);
        return [a.name || a.textContent.trim(), a === document.body || style.outlineStyle !== "none",
                a === document.body || a.contains(middle) || (middle !== null && middle.contains(a))];
    """

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    def tab_to(wanted: str, key: str = Keys.TAB) -> None:
        for _ in range(60):
            press(key)
            name, outlined, in_sight = browser.execute_script(focused)
            assert outlined, name
            assert in_sight, name
            if name == wanted:
                return
        raise AssertionError(f"{wanted} was not reached by Tab")

    def shown() -> str:
        return str(browser.execute_script("return document.querySelector('main > section:not([hidden])').id"))

    for link, section, inside in (
        ("Alerts 1", "alerts", "clinic / box-1"),
        ("Results 4", "results", "status"),
        ("Boxes 3", "boxes", "Software"),
    ):
        tab_to("To the content")
        tab_to(link)
        press(Keys.ENTER)
        until(browser, lambda _, section=section: shown() == section)
        tab_to(inside)
    press(Keys.ENTER)
    assert browser.find_element(By.CSS_SELECTOR, "#boxes [aria-sort=ascending]").text.startswith("Software")
    tab_to("Results 4", Keys.SHIFT + Keys.TAB)
    press(Keys.ENTER)
    tab_to("p-7")
    press(Keys.ENTER)
    until(browser, lambda b: b.find_element(By.CSS_SELECTOR, "#course h2").text == "Subject p-7")
    tab_to("To the content")
    press(Keys.ENTER)
    assert shown() == "course"
    tab_to("All results")
