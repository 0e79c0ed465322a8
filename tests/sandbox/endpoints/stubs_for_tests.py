"""A stub of somebody's endpoint on loopback: it answers in either protocol, and fails as it is told to."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETINGS = ("/models", "/ready")


class Stub:
    """What a stub answers, and what it was asked; ``fault(number)`` names what is wrong with a question, or nothing."""

    def __init__(self, answer: Callable[[dict], object], fault: Callable[[int], str] = lambda number: "") -> None:
        self.answer, self.fault = answer, fault
        self.url = ""
        self.asked: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.connections = 0
        self.lock, self.stopping = threading.Lock(), threading.Event()

    def found(self, path: str) -> object:
        """Return what is there without a question: the list of models."""
        return {"data": []}

    def endpoint(self, protocol: str = "open_inference", **more) -> dict:
        """Return the part of a manifest that asks this stub."""
        period = {"since": "2020-01-01", "until": "2099-12-31"}
        known = {"protocol": protocol, "url": self.url, "model": "alarm", "period": period, "calls_per_second": 1000}
        return {**known, **more}


def tabular(model: Callable[..., object], datatype: str = "FP64") -> Callable[[dict], object]:
    """Return answers in the Open Inference Protocol: ``model`` of one value a feature, by their names."""

    def answer(body: dict) -> object:
        columns = {one["name"]: one["data"] for one in body["inputs"]}
        rows = len(next(iter(columns.values())))
        data = [model(**{name: column[row] for name, column in columns.items()}) for row in range(rows)]
        output = {"name": "prediction", "datatype": datatype, "shape": [rows], "data": data}
        return {"model_name": "alarm", "model_version": "7", "outputs": [output]}

    return answer


def chatting(say: Callable[[str], str], **usage: int) -> Callable[[dict], object]:
    """Return answers as chat completions: what ``say`` makes of the question."""

    def answer(body: dict) -> object:
        words = say(body["messages"][-1]["content"] if "messages" in body else body["prompt"])
        choice = {"message": {"role": "assistant", "content": words}} if "messages" in body else {"text": words}
        counted = {"prompt_tokens": 100, "completion_tokens": 10, **usage}
        return {"model": "alarm-2026", "system_fingerprint": "fp_1", "choices": [choice], "usage": counted}

    return answer


class Handler(BaseHTTPRequestHandler):
    """Answers for `stub`; each method below `send` is a fault of its name."""

    stub: Stub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with self.stub.lock:
            self.stub.connections += 1

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.say(self.stub.fault(-1) or "", self.stub.found(self.path))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.stub.lock:
            number = len(self.stub.asked)
            self.stub.asked.append(body)
            self.stub.paths.append(self.path)
            self.stub.headers.append({name.lower(): value for name, value in self.headers.items()})
        fault = self.stub.fault(number)
        self.say(fault, None if fault else self.stub.answer(body))

    def say(self, fault, answer):
        if fault:
            getattr(self, fault.partition(":")[0])(fault.partition(":")[2])
        elif isinstance(answer, Iterator):
            self.stream(answer)
        else:
            self.send(200, json.dumps(answer).encode())

    def send(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        """Send events as they come, for as long as somebody listens; where one raises, the stream breaks off."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")  # told: a request on its way meanwhile would be an attempt nobody saw
        self.end_headers()
        with suppress(OSError, EOFError):
            for event in events:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.write(b"0\r\n\r\n")

    def status(self, told):
        self.send(int(told), b'{"error": "no"}')

    def busy(self, told):
        self.send(429, b"{}", **({"Retry_After": told} if told else {}))

    def html(self, _):
        self.send(200, b"<html>Sign in</html>")

    def schema(self, _):
        self.send(200, b'{"outputs": [{"name": "prediction", "datatype": "FP64"}], "choices": [{}]}')

    def redirect(self, told):
        self.send(302, b"", Location=told or "http://169.254.169.254/latest/meta-data/")

    def echo(self, told):
        self.send(int(told), json.dumps({"error": "x" * 490 + self.headers["authorization"]}).encode())

    def large(self, _):
        self.send(200, b" " * (10 << 20))

    def hang(self, _):
        self.stub.stopping.wait(20)
        self.close_connection = True

    def half(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"outputs": [')
        self.close_connection = True

    def drip(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.stub.stopping.wait(0.05):
            self.wfile.write(b" ")

    def reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.wfile = self.rfile = open("/dev/null", "r+b", buffering=0)  # noqa: SIM115 - the handler closes it

    def raw(self, told):
        output = {"name": "prediction", **json.loads(told)}
        self.send(200, json.dumps({"model_name": "alarm", "outputs": [output]}).encode())


@contextmanager
def serving(stub: Stub):
    """Serve ``stub`` on loopback while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"stub": stub}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.stopping.set()
        server.shutdown()
        server.server_close()


def nobody() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def until(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait until something holds; return whether it does."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    return holds()
