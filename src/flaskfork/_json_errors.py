"""The patch json-errors: the flag ``JSON_ERRORS``."""

from __future__ import annotations

import typing as t

from werkzeug.exceptions import HTTPException

from .globals import current_app
from .globals import request

if t.TYPE_CHECKING:
    from . import typing as ft
    from .sansio.app import App
    from .wrappers import Response


def find_handler(app: App, e: Exception) -> ft.ErrorHandlerCallable | None:
    """Return the handler of an error that none is registered for, or ``None`` if the
    error has its own response or is to be raised.
    """
    if not isinstance(e, HTTPException) or _has_own_response(e):
        return None

    # A trapped error is raised, unless it stands for one that was raised already.
    if app.trap_http_exception(e) and getattr(e, "original_exception", None) is None:
        return None

    return _make_response


def _has_own_response(e: HTTPException) -> bool:
    return e.response is not None or any(
        name in vars(e) or getattr(type(e), name) is not getattr(HTTPException, name)
        for name in ("get_body", "get_response")
    )


def _make_response(e: HTTPException) -> Response:
    """Make problem details (:rfc:`9457`) or, for clients that prefer HTML as browsers
    do, the page of the exception.
    """
    types = ["application/json", "application/problem+json", "text/html"]

    if request.accept_mimetypes.best_match(types) == "text/html":
        response = current_app.make_response(e)
    else:
        response = _make_problem(e)

    response.vary.add("Accept")
    return response


def _make_problem(e: HTTPException) -> Response:
    problem: dict[str, t.Any] = {"status": e.code, "title": e.name}

    if e.description is not None:
        problem["detail"] = str(e.description)

    response = current_app.response_class(current_app.json.dumps(problem), e.code)

    # These two describe the HTML page; the others apply here too.
    for name, value in e.get_headers(request.environ):
        if name.lower() not in {"content-type", "content-length"}:
            response.headers.add(name, value)

    response.mimetype = "application/problem+json"
    return response
