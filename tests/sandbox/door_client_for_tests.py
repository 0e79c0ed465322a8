"""A client of the door of the standard library alone, as source: what a test runs here, an agent runs in its box."""

CLIENT = """\
import http.client, json, re, socket


class Door(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("door", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, **params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.request("POST", "/mcp", json.dumps(body))
        return json.loads(self.getresponse().read())["result"]

    def call(self, name, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments)
"""
