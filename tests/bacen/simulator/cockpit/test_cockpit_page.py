"""The page of the cockpit is served whole, asks nobody else, and works in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from lxml import html

from bacen.simulator import RunningBank
from bacen.simulator.cockpit import STEPS
from tests.bacen.simulator.cockpit.browser import Browser, find_browser
from tests.bacen.simulator.cockpit.reference import Reference
from tests.bacen.simulator.controls import Controls

PAGE = resources.files("bacen.simulator.cockpit") / "page"
INDEX, SCRIPT, STYLE = ("index.html", "cockpit.js", "cockpit.css")
PROGRAM = find_browser()
CARDS = (
    "Object.fromEntries([...document.querySelectorAll('#steps > li')]"
    ".map((e) => [e.dataset.step, e.querySelector('.state').textContent]))"
)


def text_of(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    if PROGRAM is None:
        pytest.skip("no Chromium and no Chrome on this machine: nobody looks at the page")
    async with Browser(PROGRAM, tmp_path / "browser") as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/cockpit", "text/html"),
        ("/cockpit/cockpit.js", "text/javascript"),
        ("/cockpit/cockpit.css", "text/css"),
    ],
)
async def test_each_file_is_served_with_a_policy_that_lets_nothing_else_in(
    bank: RunningBank, path: str, kind: str
) -> None:
    async with aiohttp.ClientSession() as session, session.get(bank.admin_url + path) as answer:
        body = await answer.text()

    assert (answer.status, answer.content_type) == (200, kind)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert body == text_of({"/cockpit": INDEX}.get(path, path.rpartition("/")[2]))


async def test_page_is_this_machines_own(bank: RunningBank) -> None:
    headers = {"Host": "bank.example"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{bank.admin_url}/cockpit", headers=headers) as answer,
    ):
        assert answer.status == 403


@pytest.mark.parametrize("name", [INDEX, SCRIPT, STYLE])
def test_no_file_names_an_address_elsewhere(name: str) -> None:
    assert re.findall(r"https?:|//[a-z]+\.|@import|url\(", text_of(name)) == []


def test_page_has_no_script_and_no_style_inside_and_all_its_files_are_served() -> None:
    page = html.fromstring(text_of(INDEX))

    assert page.xpath("//@style | //style | //@*[starts-with(name(), 'on')]") == []
    assert page.xpath("//script[not(@src)]") == []
    named = page.xpath("//script/@src | //link[@rel='stylesheet']/@href")
    assert set(named) == {"/cockpit/cockpit.js", "/cockpit/cockpit.css"}


def test_every_field_of_the_page_has_a_label_and_every_name_in_the_script_is_on_the_page() -> None:
    page = html.fromstring(text_of(INDEX))
    ids = page.xpath("//@id")

    assert len(ids) == len(set(ids))
    assert set(page.xpath("//input/@id | //select/@id")) == set(page.xpath("//label/@for"))
    assert set(re.findall(r'byId\("(\w+)"\)', text_of(SCRIPT))) <= set(ids)
    assert page.xpath("//html/@lang") == ["en"]


def test_script_takes_no_text_for_markup() -> None:
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text_of(SCRIPT))
        == []
    )


async def test_short_run_is_started_skipped_and_followed_in_a_real_browser(
    bank: RunningBank, controls: Controls, reference: Reference, browser: Browser
) -> None:
    await browser.open(f"{bank.admin_url}/cockpit")
    await browser.until(f"document.querySelectorAll('#picks input').length === {len(STEPS)}")
    assert "simulated" in await browser.evaluate("document.getElementById('notice').textContent")
    await browser.click("[data-pick=none]")
    for step in ("2a", "2b", "3", "C17"):
        await browser.click(f"#picks input[value='{step}']")
    await browser.evaluate("document.getElementById('capacity_seconds').value = '2'")
    await browser.click("#start")
    run_id = await browser.until("location.hash.slice(1)")
    await browser.until("document.querySelectorAll('#steps > li').length === 4")
    assert await browser.evaluate("document.activeElement.id") == "run"
    assert (await browser.evaluate(CARDS))["2a"] == "RUNNING"
    assert "99999A04" in await browser.evaluate(
        "document.querySelector('[data-step=\"2a\"]').innerText"
    )

    await browser.evaluate("document.querySelector('[data-step=\"3\"] details').open = true")
    await browser.evaluate("document.querySelector('[data-step=\"3\"] input').focus()")
    await browser.command("Input.insertText", text="no file today")
    await browser.click("[data-step='3'] .skip button")
    await browser.until(f"({CARDS})['3'] === 'SKIPPED'")
    run = await asyncio.wait_for(reference.play(run_id), 60)
    await browser.until("document.getElementById('state').textContent === 'FAILED'")

    cards = await browser.evaluate(CARDS)
    assert cards == {"2a": "PASSED", "2b": "PASSED", "3": "SKIPPED", "C17": "PASSED"}
    assert run["steps"][2]["reason"] == "no file today"
    shown = await browser.evaluate("document.getElementById('steps').textContent")
    assert next(iter(reference.received)) in shown
    assert "no file today" in shown
    gauges = await browser.evaluate("document.querySelectorAll('.gauge.is-met').length")
    assert gauges == 6
    href = await browser.evaluate("document.getElementById('html').href")
    assert urlsplit(href).path.endswith(f"{run_id}/evidence.html")
    assert await browser.evaluate("document.getElementById('stop').disabled")
    await browser.open(href)
    await browser.until("document.title.includes('Homologation of')")
    assert browser.complaints == []


async def test_page_fits_its_window(
    bank: RunningBank, controls: Controls, browser: Browser
) -> None:
    order = {"participant": "12345678", "steps": ["1", "2e", "C17"]}
    run = await controls.ask("POST", "/cockpit/runs", order, 201)

    for width in (1280, 800, 400):
        await browser.open("about:blank", width)
        await browser.open(f"{bank.admin_url}/cockpit#{run['id']}", width)
        await browser.until("document.querySelectorAll('#steps > li').length === 3")
        assert await browser.evaluate("document.documentElement.scrollWidth") <= width

    assert browser.complaints == []


async def test_page_is_worked_by_keyboard_and_says_when_the_bank_refuses(
    bank: RunningBank, browser: Browser
) -> None:
    await browser.open(f"{bank.admin_url}/cockpit")
    await browser.until("document.querySelectorAll('#picks input').length > 0")
    await browser.press("Tab")
    assert await browser.evaluate("document.activeElement.className") == "skip-link"
    await browser.evaluate("document.querySelector('[data-pick=none]').focus()")
    await browser.press("Enter")
    assert await browser.evaluate("document.querySelectorAll('#picks input:checked').length") == 0
    await browser.evaluate("document.getElementById('step_seconds').focus()")
    await browser.press("Enter")

    await browser.until("!document.getElementById('problem').hidden")

    assert "steps" in await browser.evaluate("document.getElementById('problem').textContent")
