"""A real TensorBoard in a real browser: Chromium without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from PIL import Image

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

__all__ = ["CHROMIUM", "DRIVER", "Board", "browser", "picture"]

CHROMIUM, DRIVER = which("chromium"), which("chromedriver")
SHOWS_WITHIN = 60.0
LOOK = 0.05  # seconds between two looks

PAGE = Path(__file__).with_name("page.js").read_text("utf-8")

OPTIONS = (
    "--headless=new --no-sandbox --disable-dev-shm-usage --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-quic --hide-scrollbars "
    # WebGL, which meshes and the projector are drawn with, without a graphics card
    "--disable-gpu --enable-unsafe-swiftshader --use-gl=angle --use-angle=swiftshader"
)


@contextmanager
def browser() -> Iterator[Chrome]:
    """Run Chromium, with a new profile, until the block ends."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for option in (*OPTIONS.split(), f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = Chrome(options, ChromeService(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


class Board:
    """The page of a TensorBoard."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver, self.address = driver, address

    def leave(self) -> None:
        """Go away from the page, which then says nothing more: a graph being laid out fails to follow a resize."""
        self.driver.get("about:blank")

    def open(self, dashboard: str, tags: str = "", size: tuple[int, int] = (1400, 1200)) -> None:
        """Load the page anew, with a dashboard on it; with `tags`, all whose tags match are on one list."""
        view = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.leave()
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
        # what was chosen on an earlier page, such as a smoothing, is remembered
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": "all"})
        tag_filter = f"&tagFilter={quote(tags)}" if tags else ""
        self.driver.get(f"{self.address}/?darkMode=false{tag_filter}#{dashboard}{tag_filter}")

    def enter_frame(self) -> None:
        """Go on inside the frame of this page or frame, until a page is opened."""
        self.driver.switch_to.frame(self.until("a frame", lambda: self.all("iframe"))[0])

    def press(self, selector: str, text: str) -> None:
        """Click on what matches and has this text, once it is there."""
        found, *_ = self.until(text, lambda: [each for each in self.all(selector) if each.text.strip() == text])
        found.click()

    def unfold(self, node: str) -> None:
        """Open a node of a graph by its "+". The event goes to that straight, as a graph that has just come moves."""
        find = "all('g.node').find((node) => node.textContent.startsWith(arguments[0])).querySelector('.expandbutton')"
        self.ask(f"{find}.dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))", node)

    def ask(self, script: str, *arguments: Any) -> Any:
        """Return what a script returns that knows the functions of `page.js`."""
        return self.driver.execute_script(f"{PAGE}\n{script}", *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """Return what is shown and matches, in the order of the page."""
        found: list[WebElement] = self.ask("return all(arguments[0])", selector)
        return found

    def texts(self) -> list[str]:
        """Return the visible text, in pieces."""
        found: list[str] = self.ask("return texts()")
        return found

    def cards(self, selector: str, look: str) -> dict[str, Any]:
        """Return what `look`, an expression in JavaScript, finds in each `card`, by the card's title."""
        found: dict[str, Any] = self.ask(f"return cards(arguments[0], (card) => {look})", selector)
        return found

    def become(self, wanted: Any, told: Callable[[], Any]) -> None:
        """Wait until what is told equals what is wanted."""
        seen: Any = None

        def equal() -> bool:
            nonlocal seen
            seen = told()
            return bool(seen == wanted)

        try:
            self.until(str(wanted), equal)
        except AssertionError:
            assert seen == wanted  # which shows how they differ

    def until(self, what: str, told: Callable[[], Any]) -> Any:
        """Look until something is true, and return it."""
        deadline = time.monotonic() + SHOWS_WITHIN
        while not (answer := told()):
            assert time.monotonic() < deadline, f"not there: {what}. There is: {self.texts()}"
            time.sleep(LOOK)
        return answer

    def shows(self, *pieces: str) -> None:
        """Wait until all these pieces of text are there."""
        self.until(f"all of {pieces}", lambda: {*pieces} <= {*self.texts()})

    def complaints(self) -> list[str]:
        """Return the errors that the page's console has got since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def picture(of: WebElement | Chrome) -> Image.Image:
    """Return how an element, scrolled to, or the whole view looks."""
    png = of.get_screenshot_as_png() if hasattr(of, "get_screenshot_as_png") else of.screenshot_as_png
    return Image.open(BytesIO(png)).convert("RGB")
