"""An application that a type checker has little to say about: a list of plants."""

from __future__ import annotations

import typing as t

from flask import Flask
from flask.typing import ResponseReturnValue

from . import commands
from . import errors
from . import garden
from . import store
from .serialising import Provider


class Garden(Flask):
    """An application with its own classes wherever Flask offers that."""

    json_provider_class = Provider
    session_interface = store.Interface()
    request_class = garden.Request
    test_client_class = garden.Client

    def dispatch_request(self) -> ResponseReturnValue:
        self.logger.info("before %s", self.name)
        return super().dispatch_request()


def create_app(settings: t.Mapping[str, t.Any] | None = None) -> Garden:
    """Make the application."""
    app = Garden(__name__, static_folder=None)
    app.config.from_mapping(SECRET_KEY="spade", TRUSTED_HOSTS=["garden.test"])
    app.config.update(settings or {})
    app.config.from_prefixed_env("GARDEN")
    app.register_blueprint(garden.blueprint, url_prefix="/plants")
    app.cli.add_command(commands.group)
    errors.register(app)
    store.listen(app)

    reveal_type(app)
    reveal_type(app.config["SECRET_KEY"])
    reveal_type(app.json)
    reveal_type(app.jinja_env)
    reveal_type(app.permanent_session_lifetime)
    return app
