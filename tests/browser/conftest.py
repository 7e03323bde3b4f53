"""Headless Chromium without a network, and pages of a made-up run."""

import base64
import io
import shutil

import made_up_run
import matplotlib.image
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from system_packages import install_command

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no network but this machine
)


@pytest.fixture(scope="session")
def _driver():
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        pytest.exit(
            f"NO BROWSER TEST WAS RUN: {' and '.join(missing)} not found. "
            f"On Debian: {install_command('browser')}",
            returncode=1,
        )
    options = webdriver.ChromeOptions()
    options.binary_location = paths["chromium"]
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(paths["chromedriver"]))
    yield driver
    driver.quit()


class Browser:
    """A page with the queries of the tests.

    Parameters
    ----------
    driver : webdriver.Chrome
    """

    def __init__(self, driver):
        self.driver = driver

    def open(self, page, *, width=1440, mode="light"):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": mode}]},
        )
        self.driver.get(page.as_uri())

    def run(self, script, *arguments):
        return self.driver.execute_script(f"return {script}", *arguments)

    def find(self, selector, index=0):
        return self.driver.find_elements("css selector", selector)[index]

    def until(self, script, *arguments, seconds=10):
        """Wait until an expression is true."""
        done = (
            "const [text, seconds, args, done] = arguments;"
            "const end = performance.now() + 1000 * seconds;"
            "const test = new Function(`return ${text}`);"
            "const look = () => test.apply(null, args) ? done(true) :"
            "  performance.now() > end ? done(false) : setTimeout(look, 20);"
            "look();"
        )
        self.driver.set_script_timeout(seconds + 5)
        assert self.driver.execute_async_script(done, script, seconds, arguments), script

    def pixels(self, selector):
        """Pixels of an element [shape=(height, width, 3), values in 0..1]."""
        png = base64.b64decode(self.find(selector).screenshot_as_base64)
        return matplotlib.image.imread(io.BytesIO(png), format="png")[..., :3]


@pytest.fixture
def browser(_driver):
    """A browser; messages on its console fail the test."""
    _driver.get_log("browser")
    yield Browser(_driver)
    assert _driver.get_log("browser") == []


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report of a made-up run."""
    folder = tmp_path_factory.mktemp("a run")
    return made_up_run.make(
        folder, [made_up_run.audio_example(reason) for reason in ("best", "worst")]
    )


@pytest.fixture
def report_of_clips(tmp_path, monkeypatch):
    """The report of ready clips, without references, with its sounds beside it."""
    monkeypatch.setattr("tfseg.reporting.pages.audio_examples.EMBEDDED_SOUNDS_LIMIT", 0)
    return made_up_run.make(tmp_path, [made_up_run.audio_example("best", has_references=False)])
