"""A headless Chromium and one page in it, by the DevTools protocol over a pipe: no driver and no library between."""
import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Failure(Exception):
    pass


def find():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    return None


class Chromium:
    """`with Chromium() as browser`: messages of the console and exceptions gather in browser.messages, requests for
    anything but the page itself in browser.requests."""

    def __init__(self, width=1440, height=900, timeout=180):
        self.size, self.timeout = (width, height), timeout
        self.numbers = itertools.count(1)
        self.answers, self.messages, self.requests, self.events = {}, [], [], []
        self.rest = b""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="reprise-browser-")
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()

        def place():  # what the browser reads is its descriptor 3, what it writes 4
            reads, writes = os.dup(to_read), os.dup(to_write)
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb", "--font-render-hinting=none",
                   f"--user-data-dir={self.folder}", f"--window-size={self.size[0]},{self.size[1]}", "about:blank"]
        self.process = subprocess.Popen([find(), *options], preexec_fn=place, close_fds=False,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        targets = self.call("Target.getTargets", session=None)["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", session=None, targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Performance.enable", timeDomain="threadTicks")
        return self

    def __exit__(self, *error):
        try:
            self.call("Browser.close", session=None)
            self.process.wait(10)
        except (Failure, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.write)
        os.close(self.read)
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, message):
        if "id" in message:
            self.answers[message["id"]] = message
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.messages.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled":
            self.messages.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded":
            self.messages.append("log: " + params["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith("data:"):
            self.requests.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.messages.append("dialog: " + params["message"])
        if method:
            self.events.append(method)

    def pump(self, seconds):
        if not select.select([self.read], [], [], seconds)[0]:
            return
        data = os.read(self.read, 1 << 20)
        if not data:
            raise Failure("the browser ended")
        *messages, self.rest = (self.rest + data).split(b"\0")
        for message in messages:
            self.take(json.loads(message))

    def call(self, method, session="page", **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        end = time.monotonic() + self.timeout
        while number not in self.answers:
            if time.monotonic() > end:
                raise Failure(f"{method} was not answered")
            self.pump(1)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, path, fragment=""):
        """Opens a page and waits until it is drawn; seconds from the navigation to then, of the clock. self.busy is how many of
        them the page's own thread worked, which others on the machine do not lengthen."""
        self.call("Page.navigate", url="about:blank")
        self.requests.clear()
        url = "file://" + str(path)
        self.call("Page.navigate", url=url + fragment)
        drawn = "location.href.split('#')[0] === %s && performance.getEntriesByName('drawn').map((e) => e.startTime)[0]" % json.dumps(url)
        end = time.monotonic() + self.timeout
        while time.monotonic() < end:
            milliseconds = self.run(drawn)
            if milliseconds:
                self.busy = next(m["value"] for m in self.call("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")
                return milliseconds / 1000
            time.sleep(0.02)
        raise Failure(f"{path} was not drawn")

    def run(self, expression):
        """The value of an expression of JavaScript in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(result["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        return result["result"].get("value")

    def frame(self):
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def center(self, selector):
        place = self.run("(() => { const e = document.querySelector(%s); if (!e) return null; e.scrollIntoView({block: 'nearest', inline: 'nearest'}); const r = e.getBoundingClientRect();"
                         " return [r.left + r.width / 2, r.top + r.height / 2]; })()" % json.dumps(selector))
        if not place:
            raise Failure(f"nothing is {selector}")
        return place

    def click(self, selector, at=None):
        x, y = at or self.center(selector)  # at: a point of the window instead of an element's middle
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.frame()

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        codes = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}
        extra = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **extra)
        self.frame()

    def type(self, text):
        for letter in text:
            self.key(letter)

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF")["data"])
