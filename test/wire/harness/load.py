"""Constant load from threads while a test does something to the proxy."""
import threading
from collections import Counter

from .client import Client


class Load:
    """`with Load(port, clients=4) as load:` runs keep-alive GETs until the block ends; load.results counts the statuses and
    load.errors holds what was no response. An idle connection that the proxy closes between two requests is not an error; a
    request cut off is one. `connect` makes a client, if it is to be another than a plain one; `request` asks with it.
    """

    def __init__(self, port, target="/", host="localhost", clients=4, request=None, connect=None):
        self._target, self._host = target, host
        self._connect = connect or (lambda: Client(port))
        self._request = request or (lambda client: client.request("GET", self._target, host=self._host))
        self._stop = threading.Event()
        self.results, self.errors = Counter(), []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        client = None
        while not self._stop.is_set():
            try:
                client = client or self._connect()
                response = self._request(client)
                with self._lock:
                    self.results[response.status] += 1
                if "close" in response.get("Connection", "").lower():
                    client.close()
                    client = None
            except Exception as error:      # noqa: BLE001 - counted and shown by the test
                with self._lock:
                    self.errors.append(error)
                if client:
                    client.close()
                client = None
                if len(self.errors) > 1000:
                    return
        if client:
            client.close()

    @property
    def served(self):
        return sum(self.results.values())

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def assert_all(self, status=200):
        assert not self.errors, (len(self.errors), self.errors[:3], self.results)
        assert set(self.results) == {status}, self.results
