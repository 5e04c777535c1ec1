"""The whole server as one WSGI application."""

import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from billing.local_stripe.api import Api
from billing.local_stripe.http import Environ, Request, Response, StartResponse, as_json
from billing.local_stripe.local_api import LocalApi

logger = logging.getLogger(__name__)

_OWN_NAMES = frozenset({"127.0.0.1", "localhost"})


class Application:
    """`pages` is asked for on the first page: the API does without templates."""

    def __init__(self, api: Api, local_api: LocalApi, pages: Callable[[Request], Response]) -> None:
        self._api = api
        self._local_api = local_api
        self._pages = pages

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            response = self._answer(environ)
        except Exception:
            logger.exception("%s failed", environ.get("PATH_INFO"))
            response = as_json(500, {"error": {"message": "See the log of the local server.", "type": "api_error"}})
        return response.send(environ, start_response)

    def _answer(self, environ: Environ) -> Response:
        try:
            request = Request.read(environ)
        except ValueError as error:
            return as_json(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
        # A page elsewhere can let its own name lead here; it cannot choose what the browser calls the host.
        if urlsplit(f"//{request.headers.get('host', '')}").hostname not in _OWN_NAMES:
            return Response(421, b"This server answers to 127.0.0.1 and localhost only.\n")
        answer: Any = self._pages
        if request.path.startswith("/v1/"):
            answer = self._api.answer
        elif request.path.startswith("/_local/"):
            answer = self._local_api.answer
        response: Response = answer(request)
        return response
