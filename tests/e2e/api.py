"""The API as the tests see it: plain data, through the official client's connection.

The official client logs in and carries the requests. Its models stay away: a test speaks of a few fields, and the
API's own spelling of them is the clearest.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from kubernetes import config

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"


class Refused(Exception):
    """The API server said no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """A connection to the cluster, for one thread."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = config.new_client_from_config(str(kubeconfig), persist_config=False)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, method: str, path: str, body: object = None, kind: str = "application/json", **query: object) -> Any:
        """Send a request and return the answer, a urllib3 response whose body is still to be read.

        Raises:
            Refused: the API server said no.
        """
        headers = {"Content-Type": kind, "Accept": "application/json, */*"}
        request = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request).response
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise Refused(response.status, response.data.decode())
        return response

    def request(
        self, method: str, path: str, body: object = None, kind: str = "application/json", **query: object
    ) -> Json:
        """Send a request and return the object that is the answer."""
        answer: Json = json.loads(self.open(method, path, body, kind, **query).data)
        return answer

    def count(self, metric: str, **labels: str) -> float:
        """What the API server has counted so far under these labels."""
        lines = self.open("GET", "/metrics").data.decode().splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        samples = [line for line in lines if line.startswith(f"{metric}{{") and all(label in line for label in wanted)]
        return sum(float(sample.rpartition(" ")[2]) for sample in samples)

    def exists(self, path: str) -> bool:
        """Whether there is an object at the path."""
        try:
            return bool(self.request("GET", path))
        except Refused as refusal:
            if refusal.code == HTTPStatus.NOT_FOUND:
                return False
            raise
