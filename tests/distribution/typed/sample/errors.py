"""Handlers of errors."""

from __future__ import annotations

import typing as t

from flask import Flask
from flask import got_request_exception
from flask.debughelpers import UnexpectedUnicodeError
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound


def register(app: Flask) -> None:
    """Register all of them."""

    @app.errorhandler(404)
    def missing(error: NotFound) -> tuple[str, int]:
        return error.description or "", 404

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> ResponseReturnValue:
        return {"code": error.code}, error.code or 500

    @app.errorhandler(UnexpectedUnicodeError)
    async def unexpected(error: UnexpectedUnicodeError) -> str:
        return str(error)

    app.register_error_handler(ValueError, broken)
    reveal_type(missing)
    reveal_type(other)
    reveal_type(app.error_handler_spec)
    reveal_type(app.errorhandler(410))
    got_request_exception.connect(log, app)


def broken(error: ValueError) -> ResponseReturnValue:
    return [str(error)], 400


def log(sender: Flask, exception: Exception, **extra: t.Any) -> None:
    sender.log_exception((type(exception), exception, exception.__traceback__))
