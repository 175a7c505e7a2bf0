"""The few calls to the new API server that its start needs.

Standard library only: a client library takes longer to import than the API server takes to answer. `http.client`
also never asks a proxy, which the user may have and which does not know our loopback address.
"""

import json
import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from controlplane.errors import ControlPlaneError
from controlplane.ports import LOOPBACK

REQUEST_SECONDS = 10


class Api:
    """Talks to one port of the cluster in the administrator's name."""

    def __init__(self, directory: Path, port: int) -> None:
        tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        tls.load_cert_chain(directory / "admin.pem")
        self._connection = HTTPSConnection(LOOPBACK, port, timeout=REQUEST_SECONDS, context=tls)

    def answers(self, path: str) -> bool:
        """Whether the path is served: a health check passes, an object exists."""
        status, _ = self._request("GET", path)
        return status == HTTPStatus.OK

    def get(self, path: str) -> Any:
        """Return the object at the path, or None if it is not there or nobody answers."""
        status, body = self._request("GET", path)
        return json.loads(body) if status == HTTPStatus.OK else None

    def post(self, path: str, manifest: dict[str, Any]) -> None:
        """Create the object.

        Raises:
            ControlPlaneError: the API server refused it.
        """
        status, body = self._request("POST", path, json.dumps(manifest))
        if status != HTTPStatus.CREATED:
            message = f"The new API server answered POST {path} with {status}: {body.decode(errors='replace')}"
            raise ControlPlaneError(message)

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """Return status and body; the status is 0 when nobody answered."""
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            self._connection.close()
            return 0, b"no answer"
