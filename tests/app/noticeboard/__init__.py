"""A street's notice board: neighbours sign up, post notices and read them."""

from __future__ import annotations

from flask import Flask
from flask import Response

from . import accounts
from . import api
from . import board
from . import errors
from .extensions import cache
from .extensions import csrf
from .extensions import db
from .extensions import login_manager
from .extensions import migrate
from .extensions import MIGRATIONS


def create_app() -> Flask:
    """Make the application. Its settings are the variables ``NOTICEBOARD_*``."""
    app = Flask(__name__)
    app.config.from_mapping(
        BOARD_NAME="Elm Street",
        CACHE_TYPE="SimpleCache",
        NOTICES_PER_PAGE=3,
        REMEMBER_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SQLALCHEMY_DATABASE_URI="sqlite:///noticeboard.sqlite",
    )
    app.config.from_prefixed_env("NOTICEBOARD")

    db.init_app(app)
    migrate.init_app(app, db, directory=MIGRATIONS)
    login_manager.init_app(app)
    csrf.init_app(app)
    cache.init_app(app)

    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(board.blueprint)
    errors.init_app(app)
    app.after_request(harden)
    return app


def harden(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
