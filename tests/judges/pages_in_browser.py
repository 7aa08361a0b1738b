"""Run by :mod:`judges.pages` with a Python that has selenium: addresses and folders in, a JSON list of findings out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGES = {
    "week": "/",
    "goals": "/goals",
    "goal": "/goals/web-shop",
    "explain": "/goals/web-shop/explain",
    "explain-key-result": "/key-results/first-month/explain",
    "check-in": "/key-results/market/check-in",
    "correct": "/check-ins/market-13/correct",
    "map": "/map",
    "unit": "/units/commerce",
    "cycles": "/cycles",
    "cycle": "/cycles/launch",
    "audit": "/audit",
    "feeds": "/feeds",
    "people": "/people",
    "past": "/goals/delivery?known_at=1-60",
    "nothing": "/goals/nope",
}
LOOKS = ((1280, "light", "en"), (360, "dark", "nb"), (1280, "dark", "nb"), (360, "light", "en"))
HEIGHT, HEIGHT_MAX = 900, 4000
WITHIN_S = 30
AXE = "const done = arguments[0]; axe.run().then(found => done(found.violations.map(one => [one.id, one.nodes[0].html])))"


def opened(browser: str, driver: str, width: int, scheme: str) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(word)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(WITHIN_S)
    chrome.set_script_timeout(WITHIN_S)
    preference = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preference})
    resize(chrome, width, HEIGHT)
    return chrome


def resize(chrome: webdriver.Chrome, width: int, height: int) -> None:
    size: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def looked_at(chrome: webdriver.Chrome, axe: str, name: str, width: int, shots: Path) -> Iterator[str]:
    """What is found on the page that is open."""
    chrome.execute_script(axe)
    for rule, where in chrome.execute_async_script(AXE):
        yield f"{rule}: {where[:200]}"
    wide = chrome.execute_script("return document.documentElement.scrollWidth")
    if wide > width:
        yield f"{wide} px wide on a screen of {width}"
    tall = chrome.execute_script("return document.documentElement.scrollHeight")
    resize(chrome, width, min(tall, HEIGHT_MAX))
    chrome.save_screenshot(str(shots / f"{name}.png"))
    resize(chrome, width, HEIGHT)


def by_keyboard(chrome: webdriver.Chrome, url: str) -> Iterator[str]:
    """A check-in from first key to last, without a mouse."""
    chrome.get(f"{url}key-results/promoters/check-in")
    chrome.find_element(By.NAME, "part.value").send_keys("32", Keys.ENTER)
    until = chrome.execute_async_script(
        "const done = arguments[0]; const look = () => document.querySelector('.done') ? done(true) : setTimeout(look, 50); look()"
    )
    if not until or "/goals/recommended" not in chrome.current_url:
        yield f"a check-in by keyboard ended at {chrome.current_url}"
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    if chrome.switch_to.active_element.tag_name not in ("a", "button", "input", "summary"):
        yield "the first Tab leads to nothing"


def main(url: str, axe: str, shots: str, browser: str, driver: str) -> None:
    found: list[str] = []
    source = Path(axe).read_text()
    for width, scheme, language in LOOKS:
        chrome = opened(browser, driver, width, scheme)
        try:
            chrome.get(f"{url}sign-in?lang={language}")
            look = f"{width}-{scheme}-{language}"
            found += [
                f"sign-in {look}: {one}"
                for one in looked_at(chrome, source, f"sign-in-{look}", width, Path(shots))
            ]
            chrome.find_element(By.XPATH, "//button[@value='kari']").click()
            for name, path in PAGES.items():
                chrome.get(url.rstrip("/") + path)
                found += [
                    f"{name} {look}: {one}"
                    for one in looked_at(chrome, source, f"{name}-{look}", width, Path(shots))
                ]
            if (width, scheme) == (1280, "light"):
                found += by_keyboard(chrome, url)
            said = [
                one["message"] for one in chrome.get_log("browser") if "/goals/nope" not in one["message"]
            ]
            found += [f"{look}: {one}" for one in said]
        finally:
            chrome.quit()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
