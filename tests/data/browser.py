"""Chromium without a window, driven by its DevTools protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 30.0  # seconds
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32, "ArrowUp": 38, "ArrowDown": 40}
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}


class Browser:
    """One tab. A context manager.

    Args:
        size: width and height of the window in pixels.
        dark: whether pages are to be dark.
    """

    def __init__(self, size: tuple[int, int] = (1280, 900), dark: bool = False):
        self.size, self.dark = size, dark
        self.faults: list[str] = []  # exceptions of the page's scripts
        self._numbers = itertools.count(1)

    def __enter__(self):
        import websocket

        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--mute-audio"]
        flags += ["--autoplay-policy=no-user-gesture-required", "--remote-allow-origins=*"]
        flags += [f"--user-data-dir={self._folder.name}", f"--window-size={self.size[0]},{self.size[1]}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([CHROMIUM, *flags, "about:blank"], **quiet)
        port = Path(self._folder.name) / "DevToolsActivePort"
        _until(lambda: port.exists() and len(port.read_text().splitlines()) == 2)
        number, path = port.read_text().splitlines()
        self._socket = websocket.create_connection(f"ws://127.0.0.1:{number}{path}", timeout=PATIENCE)
        self._session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.ask(f"{domain}.enable")
        width, height = self.size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._folder.cleanup()

    def ask(self, method: str, **parameters) -> dict:
        """Send a command and wait for its answer."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "Runtime.exceptionThrown":
                self.faults.append(answer["params"]["exceptionDetails"]["exception"].get("description", "?"))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def go(self, address: str) -> None:
        """Open a page and wait until it is loaded."""
        self.ask("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str):
        """The value of an expression, a promise's when it is kept."""
        told = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        answer = self.ask("Runtime.evaluate", expression=script, **told)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        _until(lambda: self.run(f"Boolean({condition})"), condition)

    def press(self, key: str, *modifiers: str) -> None:
        """Press a key, `Tab` or `z`, perhaps with others, `Control` or `Shift`."""
        named = key in KEYS
        code = KEYS[key] if named else ord(key.upper())
        about = {"key": " " if key == "Space" else key, "windowsVirtualKeyCode": code}
        about |= {
            "code": key if named else f"Key{key.upper()}",
            "modifiers": sum(MODIFIERS[each] for each in modifiers),
        }
        text = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **about, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text: str) -> None:
        """Type a text where the cursor is, in place of what is selected.

        As characters, which go the way of the keys before them: an inserted text may come before the field
        that they have opened.
        """
        for character in text:
            self.ask("Input.dispatchKeyEvent", type="char", text=character)

    def computing(self) -> float:
        """Seconds of processor time that all processes of the browser have taken."""
        session, self._session = self._session, None
        found = self.ask("SystemInfo.getProcessInfo")["processInfo"]
        self._session = session
        return sum(each["cpuTime"] for each in found)

    def screenshot(self, path: Path, whole: bool = False) -> Path:
        """Save what is seen as PNG."""
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))
        return path


def _until(is_so, what: object = "the browser") -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)
