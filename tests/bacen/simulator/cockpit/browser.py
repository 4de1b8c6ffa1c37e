"""A real browser without a window, spoken to by its own debugging protocol."""

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any, Self

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-extensions", "--remote-debugging-port=0"),
)
KEYS = {"Tab": (9, ""), "Enter": (13, "\r")}
START_SECONDS = 60
ANSWER_SECONDS = 30
POLL_SECONDS = 0.05


def find_browser() -> str | None:
    """Find Chromium or Chrome on this machine."""
    return next((found for each in NAMES if (found := shutil.which(each))), None)


class Browser:
    """One page; `async with`.

    Args:
        program: Of the browser.
        folder: Empty, for its profile.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *FLAGS,
            f"--user-data-dir={self._folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._session = aiohttp.ClientSession()
        try:
            port = await self._port()
            async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = await answer.json()
            (url,) = [each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page"]
            self._socket = await self._session.ws_connect(url, max_msg_size=0)
            for domain in ("Page", "Runtime", "Log"):
                await self.command(f"{domain}.enable")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; what the page complains of is kept."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                told = await self._socket.receive_json()
                if told.get("id") == number:
                    assert "error" not in told, told
                    return dict(told["result"])
                self._listen(told)

    async def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await self.command("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Compute something in the page."""
        told = await self.command(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until something is true in the page."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while not (found := await self.evaluate(expression)):
                await asyncio.sleep(POLL_SECONDS)
        return found

    async def click(self, selector: str) -> None:
        """Press the left button in the middle of what a selector finds, as a hand would."""
        where = await self.evaluate(
            f"(() => {{ const e = document.querySelector({selector!r});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent",
                type=kind,
                x=where[0],
                y=where[1],
                button="left",
                clickCount=1,
            )

    async def press(self, key: str) -> None:
        """Press one of the keys that have a name."""
        code, text = KEYS[key]
        known = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        for kind in ("keyDown", "keyUp"):
            await self.command("Input.dispatchKeyEvent", type=kind, **known)

    def _listen(self, told: dict[str, Any]) -> None:
        params = told.get("params", {})
        if told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("text")))
        elif told.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])

    async def _port(self) -> int:
        said = self._folder / "DevToolsActivePort"
        async with asyncio.timeout(START_SECONDS):
            while not said.exists() or "\n" not in said.read_text():
                assert self._process.returncode is None, "the browser ended"
                await asyncio.sleep(POLL_SECONDS)
        return int(said.read_text().splitlines()[0])

    async def _end(self) -> None:
        await self._session.close()
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
        await self._process.wait()
