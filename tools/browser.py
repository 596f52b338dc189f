"""A headless Chromium (Debian: chromium) for tools that look at pages as a reader would."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

VIEWS = [(name, width, height, scheme) for name, width, height in (("desktop", 1280, 900), ("phone", 390, 844)) for scheme in ("light", "dark")]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Browser:
    def __init__(self):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        self.home = tempfile.TemporaryDirectory()

        def fds():  # the browser reads from 3 and writes to 4
            os.dup2(to_browser, 10), os.dup2(from_browser, 11)
            os.dup2(10, 3), os.dup2(11, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={self.home.name}", "about:blank"],
            preexec_fn=fds, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser), os.close(from_browser)
        self.buffer, self.events, self.number = b"", [], 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Performance.enable", timeDomain="threadTicks")

    session = None

    def receive(self):
        while b"\0" not in self.buffer:
            self.buffer += os.read(self.read_end, 1 << 20)
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, event):
        while not any(each.get("method") == event for each in self.events):
            self.events.append(self.receive())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            sys.exit(f"{expression[:60]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def close(self):
        self.process.terminate()
        self.process.wait()


def errors_of(events, allowed):
    """What a page wrote to the console, what it threw, and its requests whose address does not begin with one of `allowed`."""
    for event in events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            yield parameters["exceptionDetails"]["exception"].get("description", "exception")
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            yield str(parameters["args"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            yield parameters["entry"]["text"]
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("about:blank", *allowed)):
            yield "asks for " + parameters["request"]["url"][:100]


def take_picture(browser, path, width, mobile):
    height = min(browser.call("Page.getLayoutMetrics")["cssContentSize"]["height"], 6000)
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=int(height), deviceScaleFactor=1, mobile=mobile)
    time.sleep(0.5)  # what came into view is drawn
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    picture = browser.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
    path.write_bytes(base64.b64decode(picture))
