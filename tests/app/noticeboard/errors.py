"""Errors as pages for people and as JSON for programs."""

from __future__ import annotations

from flask import Flask
from flask import json
from flask import render_template
from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import InternalServerError
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(404, not_found)
    app.register_error_handler(500, apologise)


def explain(error: HTTPException, page: str = "errors/any.html") -> Response:
    """Answer ``error``, keeping its own headers."""
    response = error.get_response()
    if request.path.startswith("/api/"):
        response.data = json.dumps({"error": error.name, "why": error.description})
        response.content_type = "application/json"
    else:
        response.data = render_template(page, error=error)
    return response


def not_found(error: NotFound) -> Response:
    return explain(error, "errors/not_found.html")


def apologise(error: InternalServerError) -> Response:
    """Apologise without saying what went wrong: that is in the log."""
    return explain(InternalServerError("Sorry, this is our fault."))
