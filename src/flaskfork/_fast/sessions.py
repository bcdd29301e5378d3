"""The patch fast-sessions: nothing is done for a session that nothing is done with."""

from __future__ import annotations

import typing as t
from functools import lru_cache

from itsdangerous import BadSignature
from werkzeug.datastructures import CallbackDict
from werkzeug.datastructures import ImmutableMultiDict

from ..json.tag import TaggedJSONSerializer
from ._lean import Bodies
from ._werkzeug import usable
from .cookies import set_cookie
from .cookies import vary_by_cookie
from .request import Request
from .signing import URLSafeTimedSerializer as Serializer

if t.TYPE_CHECKING:
    from ..app import Flask
    from ..sessions import NullSession
    from ..sessions import SecureCookieSession
    from ..sessions import SecureCookieSessionInterface
    from ..sessions import SessionInterface
    from ..sessions import SessionMixin
    from ..wrappers import Response
    from .signing import URLSafeTimedSerializer

T = t.TypeVar("T", bound=type)
bodies = Bodies("sessions")
#: The methods that a body passes by, unless something else has taken their place.
_methods: dict[str, t.Any] = {}


def lean(cls: T) -> T:
    """Decorate a class of the module."""
    if not usable("sessions"):
        return cls

    for name in ("get_signing_serializer", "should_set_cookie"):
        if name in vars(cls):
            _methods[name] = vars(cls)[name]

    return bodies.put_in(cls)


@bodies.stand_for(
    "SecureCookieSession.__init__",
    "59676d96f1fcd0a5f0d67194a8985b26b12d145b43bbf3cd0f01e7fd36c0de42",
    part="sessions",
)
def _(original: t.Any) -> t.Any:
    callback_init, on_update = CallbackDict.__init__, _on_update

    def __init__(self: SecureCookieSession, initial: t.Any = None) -> None:
        cls = type(self)

        if (
            cls is not SecureCookieSession and cls is not NullSession
        ) or CallbackDict.__init__ is not callback_init:
            original(self, initial)
            return

        if initial is not None:
            dict.__init__(self, initial)

        self.on_update = on_update

    return __init__


@bodies.stand_for(
    "SessionInterface.is_null_session",
    "45437575485f611385f6810e0f0e2a56dff8b91e1e274df04b2c77c2d1136513",
    part="sessions",
)
def _(original: t.Any) -> t.Any:
    def is_null_session(self: SessionInterface, obj: object) -> bool:
        # The class is an ABC, which is slow to ask.
        if type(obj) is SecureCookieSession and self.null_session_class is NullSession:
            return False

        return original(self, obj)  # type: ignore[no-any-return]

    return is_null_session


@bodies.relies_on(
    "SecureCookieSessionInterface.get_signing_serializer",
    "a614b3d03e0403f29f95bd1b8d5178344eeaec187c8893237f1978a3c3ed8914",
)
@bodies.stand_for(
    "SecureCookieSessionInterface.open_session",
    "61f68cced15fcddcd4d492ddffcb5aedf57cf2782af232e5a2dbe85ae1f915bf",
    part="sessions",
)
def _(original: t.Any) -> t.Any:
    may_keep, kept, sends_none = _may_keep, _kept, _sends_no_cookie
    serializer = Serializer

    def open_session(
        self: SecureCookieSessionInterface, app: Flask, request: t.Any
    ) -> SecureCookieSession | None:
        # Otherwise, making a serializer may fail, or can be seen.
        if URLSafeTimedSerializer is not serializer or not may_keep(self, app):
            return original(self, app, request)  # type: ignore[no-any-return]

        if sends_none(request):
            return self.session_class()

        val = request.cookies.get(self.get_cookie_name(app))

        if not val:
            return self.session_class()

        s = kept(self, app)
        max_age = int(app.permanent_session_lifetime.total_seconds())

        try:
            return self.session_class(s.loads(val, max_age=max_age))
        except BadSignature:
            return self.session_class()

    return open_session


@bodies.relies_on(
    "SessionInterface.should_set_cookie",
    "4804afba37b38a78371275647b7d7e4a677a5e6c56f26da3ca61a4f20fea04e2",
)
@bodies.stand_for(
    "SecureCookieSessionInterface.save_session",
    "16c167ac0dc0443af1b687278b414d0851556a7f34f9c872764fc835334fe98c",
    part="sessions",
)
def _(original: t.Any) -> t.Any:
    methods, set_its_cookie, vary = _methods, set_cookie, vary_by_cookie
    may_keep, kept, serializer = _may_keep, _kept, Serializer

    def save_session(
        self: SecureCookieSessionInterface,
        app: Flask,
        session: SessionMixin,
        response: Response,
    ) -> None:
        if type(session) is not SecureCookieSession or (
            not session and session.modified
        ):
            original(self, app, session, response)
            return

        if not session.modified and (
            not session
            or (
                getattr(self.should_set_cookie, "__func__", None)
                is methods["should_set_cookie"]
                and not (
                    session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"]
                )
            )
        ):
            if session.accessed:
                vary(response)

            return

        name = self.get_cookie_name(app)
        options = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "partitioned": self.get_cookie_partitioned(app),
            "samesite": self.get_cookie_samesite(app),
            "httponly": self.get_cookie_httponly(app),
        }

        if session.accessed:
            vary(response)

        if not self.should_set_cookie(app, session):
            return

        expires = self.get_expiration_time(app, session)

        if URLSafeTimedSerializer is serializer and may_keep(self, app):
            s = kept(self, app)
        else:
            s = t.cast("URLSafeTimedSerializer", self.get_signing_serializer(app))

        val = s.dumps(dict(session))
        set_its_cookie(response, name, val, expires=expires, **options)
        vary(response)

    return save_session


def _on_update(self: t.Any) -> None:
    self.modified = True


def _may_keep(interface: SecureCookieSessionInterface, app: Flask) -> bool:
    """Whether a serializer depends on one key and the interface's attributes alone."""
    key = app.secret_key
    method = getattr(interface.get_signing_serializer, "__func__", None)
    return (
        bool(key)
        and (type(key) is bytes or (type(key) is str and key.isascii()))
        and not app.config["SECRET_KEY_FALLBACKS"]
        and method is _methods["get_signing_serializer"]
        and type(interface.serializer) is TaggedJSONSerializer
    )


def _kept(interface: SecureCookieSessionInterface, app: Flask) -> t.Any:
    """A serializer like that of ``get_signing_serializer``, which nobody else sees."""
    try:
        serializer = _made(
            t.cast("str | bytes", app.secret_key),
            interface.salt,
            interface.serializer,
            interface.key_derivation,
            interface.digest_method,
        )
    except Exception:
        # It cannot be remembered, or itsdangerous refuses it and says why.
        serializer = None

    if serializer is None or not serializer.is_text_serializer:
        return interface.get_signing_serializer(app)

    return serializer


@lru_cache(32)
def _made(
    key: str | bytes, salt: str, serializer: t.Any, derivation: str, digest: t.Any
) -> t.Any:
    kwargs = {"key_derivation": derivation, "digest_method": digest}
    return Serializer(
        [key],  # type: ignore[arg-type]
        salt=salt,
        serializer=serializer,
        signer_kwargs=kwargs,
    )


def _sends_no_cookie(request: t.Any) -> bool:
    """Whether the environ says so, without making a dict of no cookies."""
    cls = type(request)
    return (
        getattr(cls, "cookies", None) is Request.cookies
        and "HTTP_COOKIE" not in request.environ
        and cls.dict_storage_class is ImmutableMultiDict
        and "headers" not in (attributes := vars(request))
        and "cookies" not in attributes
    )
