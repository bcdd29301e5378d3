# pyright: strict
"""Sessions, signals, contexts, and private names that are used all the same."""

from __future__ import annotations

import typing as t

import flask
from flask import before_render_template
from flask import Flask
from flask import has_app_context
from flask import has_request_context
from flask import request_started
from flask import Response
from flask import template_rendered
from flask.app import Flask as AppClass
from flask.ctx import AppContext
from flask.ctx import RequestContext
from flask.globals import _cv_app
from flask.globals import _cv_request
from flask.globals import app_ctx
from flask.globals import request_ctx
from flask.sansio.app import App
from flask.sansio.blueprints import Blueprint as SansioBlueprint
from flask.sansio.scaffold import Scaffold
from flask.sansio.scaffold import setupmethod
from flask.sessions import NullSession
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionInterface
from flask.sessions import SessionMixin
from flask.signals import appcontext_pushed


class Interface(SessionInterface):
    """A session that is never saved."""

    def open_session(
        self, app: AppClass, request: flask.Request
    ) -> SecureCookieSession:
        return SecureCookieSession({"bed": 1})

    def save_session(
        self, app: AppClass, session: SessionMixin, response: Response
    ) -> None:
        if self.should_set_cookie(app, session):
            response.set_cookie(self.get_cookie_name(app), str(session.modified))


def started(sender: Flask, **extra: t.Any) -> None:
    sender.logger.debug("started, %s", extra)


def listen(app: Flask) -> None:
    """Connect to signals in every way."""
    request_started.connect(started, app)
    template_rendered.connect(started, app)
    before_render_template.connect_via(app)(started)
    flask.signals.message_flashed.connect(started)
    with appcontext_pushed.connected_to(started):
        current()


def current() -> AppContext | None:
    """Look at the contexts as extensions do."""
    reveal_type(_cv_app)
    reveal_type(_cv_request.get(None))
    reveal_type(app_ctx)
    reveal_type(request_ctx)
    reveal_type(flask.globals._cv_app.get())
    reveal_type(flask.app.Flask.json_provider_class)
    reveal_type(flask.ctx._AppCtxGlobals)
    reveal_type(flask.ctx._sentinel)
    reveal_type(flask.sessions.SecureCookieSessionInterface.serializer)
    reveal_type(flask.wrappers.Request.max_content_length)
    reveal_type(flask.helpers.get_debug_flag())
    reveal_type(flask.templating._default_template_ctx_processor)
    if has_request_context() and has_app_context():
        return _cv_app.get()
    return None


def narrowed(
    scaffold: Scaffold, context: AppContext | RequestContext, app: App | SansioBlueprint
) -> None:
    """Distinguish classes."""
    if isinstance(scaffold, flask.Flask):
        reveal_type(scaffold)
    elif isinstance(scaffold, flask.Blueprint):
        reveal_type(scaffold.deferred_functions)
    else:
        reveal_type(scaffold)
    if isinstance(context, flask.ctx.RequestContext):
        reveal_type(context.session)
    else:
        reveal_type(context.app)
    if isinstance(app, App):
        reveal_type(app)
    else:
        reveal_type(app.name)


class Extension(Scaffold):
    """A subclass of the base class of applications and blueprints."""

    @setupmethod
    def prepare(self, bed: int) -> str:
        return f"{bed}"


reveal_type(Extension("x").prepare)
reveal_type(NullSession)
reveal_type(SecureCookieSessionInterface().get_signing_serializer)
