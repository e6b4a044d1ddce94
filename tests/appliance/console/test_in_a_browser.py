"""The console as people use it: in a real Chromium, with mouse and with the keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from appliance.console.access import COOKIE
from tests.appliance.console.running import TOKEN, Console

LATE = """
    const asked = fetch;
    window.late = 0;
    window.fetch = async (url, ...rest) => {
      const answer = await asked(url, ...rest);
      if (url.endsWith("-1")) {
        await new Promise((done) => setTimeout(done, 700));
        setTimeout(() => window.late++, 200); // it has been shown by then, if it is
      }
      return answer;
    };
"""
"""Of the first box and subject everything comes late."""
MARKUP = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"


def status(state: str = "online", software: str = "0.1.0") -> dict[str, Any]:
    return {"state": state, "connection": 1, "since": "2026-11-02T09:00:00Z", "software": software}


def result(number: int, **changes: Any) -> dict[str, Any]:
    began = f"2026-11-{number + 1:02d}T09:00:00Z"
    score = {"pose_dissimilarity": 0.5 - 0.05 * number, "dynamics_dissimilarity": 0.01 * number}
    return {
        "id": f"id-{number}", "sequence": number + 1, "box": "box-1", "subject": "p-7",
        "exercise": "shoulder_abduction", "side": "left",
        "started": began, "ended": began, "status": "scored", "reason": None, "score": score,
        "repetitions": [{"complete": True}, {"complete": False}], "synthetic": True,
    } | changes  # fmt: skip


def until(browser: Chrome, true: Callable[[Chrome], Any]) -> Any:
    return WebDriverWait(browser, 60, 0.05).until(true)


def sign_in(browser: Chrome, console: Console, page: str = "") -> None:
    browser.get(f"{console.url}/{page}")
    browser.find_element(By.NAME, "token").send_keys(TOKEN + Keys.ENTER)
    until(
        browser,
        lambda b: b.find_elements(By.ID, "connection") and b.find_element(By.ID, "connection").text == "Connected",
    )


def rows(browser: Chrome, section: str) -> list[str]:
    """The texts of the rows that are shown, read at one moment."""
    script = "return [...document.querySelectorAll(arguments[0])].filter(r => !r.hidden).map(r => r.innerText)"
    return list(browser.execute_script(script, f"#{section} tbody tr"))


def test_a_result_appears_and_is_filtered_and_leads_to_the_course(console: Console, browser: Chrome) -> None:
    console.publish("clinic/box-1/status", status(), retain=True)
    for number in range(3):
        console.publish("clinic/box-1/result/shoulder_abduction", result(number))
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 1)
    browser.find_element(By.LINK_TEXT, "Results 3").click()
    until(browser, lambda b: len(rows(b, "results")) == 3)
    console.publish(
        "clinic/box-1/result/squat", result(5, exercise="squat", side="both", status="not_scored", score={})
    )
    until(browser, lambda b: "squat" in rows(b, "results")[0])
    correction = {"replaces": "id-1", "action": "withdrawn", "by": "therapist-2"}
    withdrawn = result(1, id="other", sequence=9, status="withdrawn", correction=correction)
    console.publish("clinic/box-1/result/shoulder_abduction", withdrawn)
    until(browser, lambda b: "withdrawn by therapist-2" in rows(b, "results")[2])
    assert len(rows(browser, "results")) == 4

    browser.find_element(By.CSS_SELECTOR, "#results [name=text]").send_keys("abduc")
    until(browser, lambda b: len(rows(b, "results")) == 3)
    browser.find_element(By.CSS_SELECTOR, "#results [name=text]").clear()
    browser.find_element(By.CSS_SELECTOR, "#results [value=not_scored]").click()
    until(browser, lambda b: len(rows(b, "results")) == 1)

    browser.find_element(By.CSS_SELECTOR, "#results tr:not([hidden]) td a").click()
    until(browser, lambda b: b.find_element(By.CSS_SELECTOR, "#course h2").text == "Subject p-7")
    until(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, "#course .chart .scatterlayer .points path")) == 6)
    assert len(rows(browser, "course")) == 4
    console.publish("clinic/box-1/result/shoulder_abduction", result(8))
    until(browser, lambda b: len(rows(b, "course")) == 5)
    assert severe(browser) == []


def test_the_chart_shows_the_times_that_the_table_shows(console: Console, browser: Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
    console.publish(
        "clinic/box-1/result/squat", result(1, started="2026-11-02T22:30:00Z", ended="2026-11-02T22:30:00Z")
    )
    try:
        sign_in(browser, console)
        until(browser, lambda b: rows(b, "results"))
        browser.execute_script("location.hash = '#/course/clinic/p-7'")
        until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#course .chart .scatterlayer .points path"))
        assert "4:00" in rows(browser, "course")[0]
        shown = browser.execute_script("return document.querySelector('#course .chart').data[0].x")
        assert shown == ["2026-11-03 04:00:00"]
    finally:
        browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_a_subject_whose_name_browsers_take_for_a_folder_has_a_course(console: Console, browser: Chrome) -> None:
    console.publish("clinic/../result/squat", result(1, subject=".."))
    console.publish("clinic/../status", status())
    sign_in(browser, console)
    until(browser, lambda b: rows(b, "results"))
    browser.execute_script("location.hash = '#/course/clinic/..'")
    until(browser, lambda b: len(rows(b, "course")) == 1)
    browser.execute_script("location.hash = '#/box/clinic/..'")
    until(browser, lambda b: "Status" in b.find_element(By.ID, "box").text)


def test_alerts_come_and_go_and_a_box_tells_everything_of_itself(console: Console, browser: Chrome) -> None:
    console.publish("clinic/box-1/status", status(), retain=True)
    alert = {
        "code": "camera_lost",
        "state": "raised",
        "since": "2026-11-02T09:00:00Z",
        "what": "gone",
        "remedy": "plug",
    }
    console.publish("clinic/box-1/alert/camera_lost", alert, retain=True)
    sign_in(browser, console)
    until(browser, lambda b: "camera_lost" in rows(b, "boxes")[0])
    browser.find_element(By.LINK_TEXT, "box-1").click()
    until(browser, lambda b: "Alert: camera_lost" in b.find_element(By.ID, "box").text)
    assert "plug" in browser.find_element(By.ID, "box").text
    exercises = [{"exercise": "squat", "repetitions": 3}, {"exercise": "heel_raise", "outcome": None}]
    console.publish("clinic/box-1/session/s-1", {"state": "recording", "exercises": exercises})
    devices = {"camera": {"state": "lost", "error": "unplugged"}}
    console.publish("clinic/box-1/health", {"queued": 7, "temperature_c": 43.5, "devices": devices})
    until(browser, lambda b: "unplugged" in b.find_element(By.ID, "box").text)
    assert "temperature\n43.5 °C" in browser.find_element(By.ID, "box").text
    assert "exercises\nexercise: squat, repetitions: 3; exercise: heel_raise" in browser.find_element(By.ID, "box").text
    browser.find_element(By.LINK_TEXT, "Alerts 1").click()
    until(browser, lambda b: "gone" in b.find_element(By.ID, "alerts").text)
    browser.find_element(By.CSS_SELECTOR, "#alerts li a").send_keys("")
    console.publish("clinic/box-2/alert/imu_lost", alert | {"code": "imu_lost"}, retain=True)
    until(browser, lambda b: "imu_lost" in b.find_element(By.ID, "alerts").text)
    assert browser.switch_to.active_element.text == "clinic / box-1"  # where the keyboard was
    console.publish("clinic/box-2/alert/imu_lost", None, retain=True)
    console.publish("clinic/box-1/alert/camera_lost", None, retain=True)
    until(browser, lambda b: "Nothing is wrong." in b.find_element(By.ID, "alerts").text)


def test_an_answer_that_comes_late_is_not_shown_as_another_boxs_or_subjects(console: Console, browser: Chrome) -> None:
    for number in (1, 2):
        console.publish(f"clinic/box-{number}/status", status(software=f"of-{number}"))
        console.publish(f"clinic/box-{number}/result/squat", result(number, subject=f"p-{number}"))
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 2 and len(rows(b, "results")) == 2)
    browser.execute_script(LATE)
    for number, (page, heading) in enumerate(
        (("box/clinic/box", "box-{} (clinic)"), ("course/clinic/p", "Subject p-{}")), 1
    ):
        for one in (1, 2):
            browser.execute_script("location.hash = arguments[0]", f"#/{page}-{one}")
        shown = browser.find_element(By.ID, page.partition("/")[0])
        until(browser, lambda _, number=number: browser.execute_script("return window.late") == number)
        until(browser, lambda _, shown=shown: "of-2" in shown.text or "p-2\n" in shown.text)
        assert shown.find_element(By.TAG_NAME, "h2").text == heading.format(2)
        assert "of-1" not in shown.text
        assert "p-1\n" not in shown.text


def test_two_thousand_boxes_are_listed_filtered_and_sorted(console: Console, browser: Chrome) -> None:
    for number in range(2000):
        state = "lost" if number % 100 == 0 else "online"
        console.publish(f"clinic/box-{number}/status", status(state))
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 2000)
    browser.find_element(By.CSS_SELECTOR, "#boxes [name=text]").send_keys("box-19 clinic")
    until(browser, lambda b: len(rows(b, "boxes")) == 111)
    browser.find_element(By.CSS_SELECTOR, "#boxes option:nth-child(4)").click()
    until(browser, lambda b: [line.split()[0] for line in rows(b, "boxes")] == ["box-1900"])
    browser.find_element(By.CSS_SELECTOR, "#boxes [name=text]").clear()
    browser.find_element(By.CSS_SELECTOR, "#boxes th button").click()
    browser.find_element(By.CSS_SELECTOR, "#boxes th button").click()
    until(browser, lambda b: [line.split()[0] for line in rows(b, "boxes")][:2] == ["box-1900", "box-1800"])
    browser.find_element(By.CSS_SELECTOR, "#boxes option:nth-child(1)").click()
    until(browser, lambda b: len(rows(b, "boxes")) == 2000)


def test_all_boxes_are_shown_a_slice_at_a_time_so_that_the_page_answers_in_between(
    console: Console, browser: Chrome
) -> None:
    for number in range(500):
        console.publish(f"clinic/box-{number}/status", status())
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 500)
    text = "const text = document.querySelector('#boxes [name=text]'); text.value = arguments[0];"
    text += "text.dispatchEvent(new Event('input', {bubbles: true}));"
    text += "return [document.querySelectorAll('#boxes tbody tr:not([hidden])').length, text.form.innerText]"
    assert browser.execute_script(text, "box-499")[0] == 1
    at_once, said = browser.execute_script(text, "")
    assert 0 < at_once <= 100  # the first screen of them
    assert "500" in said
    until(browser, lambda b: len(rows(b, "boxes")) == 500)
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    heard = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert [heard.count(role) for role in ("table", "row", "columnheader", "cell")] == [1, 501, 10, 5000]


def test_the_keyboards_focus_stays_where_it_is_while_boxes_tell_their_health(console: Console, browser: Chrome) -> None:
    for number in range(3):
        console.publish(f"clinic/box-{number}/status", status())
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 3)
    browser.find_element(By.XPATH, "//th//button[text()='Waiting']").click()
    browser.find_element(By.LINK_TEXT, "box-0").send_keys("")
    console.publish("clinic/box-0/health", {"queued": 7})
    until(browser, lambda b: " 7" in rows(b, "boxes")[2].replace("\n", " "))  # it has moved to the end
    assert browser.switch_to.active_element.text == "box-0"


def test_markup_in_a_payload_is_text_and_no_request_leaves_the_host(console: Console, browser: Chrome) -> None:
    console.publish("clinic/box-1/status", status(MARKUP, MARKUP), retain=True)
    console.publish("clinic/box-1/alert/x", {"state": "raised", "what": MARKUP, "remedy": MARKUP}, retain=True)
    console.publish("clinic/box-1/result/squat", result(1, subject=MARKUP, exercise=MARKUP, side=MARKUP, reason=MARKUP))
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 1 and MARKUP in rows(b, "boxes")[0])
    for page, section in (("alerts", "alerts"), ("box/clinic/box-1", "box"), ("results", "results")):
        browser.execute_script("location.hash = arguments[0]", f"#/{page}")
        until(browser, lambda b, shown=section: MARKUP in b.find_element(By.ID, shown).text)
    browser.find_element(By.CSS_SELECTOR, "#results td a").click()
    until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "#course .chart .scatterlayer .points path"))
    assert browser.title == "A course · RehabBox console"
    assert browser.find_elements(By.CSS_SELECTOR, "main img, main b") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    hosts = {urlsplit(url).netloc for url in urls if url.startswith("http")}
    assert hosts == {urlsplit(console.url).netloc}


def test_what_is_too_much_or_no_message_is_said_and_a_session_that_ended_shows_no_more(
    console: Console, browser: Chrome
) -> None:
    console.publish("clinic/box-1/health", {"queued": float("nan")})
    for number in range(606):
        alert = {"state": "raised", "since": "2026-11-02T09:00:00Z", "what": "gone"}
        console.publish(f"clinic/box-{number % 6}/alert/code_{number // 6}", alert)
    sign_in(browser, console)
    until(browser, lambda b: "7 messages were not a box's" in b.find_element(By.ID, "boxes").text)
    browser.find_element(By.PARTIAL_LINK_TEXT, "Alerts").click()
    until(browser, lambda b: b.find_element(By.ID, "alerts-number").text == "600")  # 100 of each box
    assert len(browser.find_elements(By.CSS_SELECTOR, "#alerts li")) == 500
    assert "Older ones are in the list of boxes." in browser.find_element(By.ID, "alerts").text
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    console.post("/sign-out", Cookie=f"{COOKIE}={cookie['value']}")
    console.publish("clinic/box-1/status", status())
    until(browser, lambda b: b.find_elements(By.NAME, "token"))


def test_the_keyboard_alone_is_enough(console: Console, browser: Chrome) -> None:
    console.publish("clinic/box-1/status", status(), retain=True)
    console.publish("clinic/box-2/status", status(), retain=True)
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 2)

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    def tab_to(wanted: str) -> None:
        for _ in range(40):
            focused = browser.execute_script("const a = document.activeElement; return a.name || a.textContent")
            if focused.strip() == wanted:
                return
            press(Keys.TAB)
        raise AssertionError(f"{wanted} was not reached by Tab")

    tab_to("text")
    press("box-2")
    until(browser, lambda b: len(rows(b, "boxes")) == 1)
    tab_to("box-2")
    press(Keys.ENTER)
    until(browser, lambda b: "box-2 (clinic)" in b.find_element(By.ID, "box").text)
    tab_to("All boxes")
    press(Keys.ENTER)
    until(browser, lambda b: b.find_element(By.ID, "boxes").is_displayed())


def test_it_fits_a_narrow_screen_and_follows_the_dark(console: Console, browser: Chrome) -> None:
    console.publish("clinic/box-1/status", status(), retain=True)
    sign_in(browser, console)
    until(browser, lambda b: len(rows(b, "boxes")) == 1)
    light = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    for width in (360, 1300):
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert browser.execute_script(wide), width
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") != light


def severe(browser: Chrome) -> list[str]:
    """What the page's own scripts complained of."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
