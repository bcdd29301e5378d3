"""An unused session takes fewer steps, and every session does what it did."""

from __future__ import annotations

import hashlib
import warnings
from functools import partial

import flask
import pytest
from flask import sessions
from flask.json.tag import JSONTag
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import Headers
from werkzeug.datastructures import ImmutableMultiDict

from counting import outcome
from counting import saved

START = """
import flask
app = flask.Flask(__name__)
app.secret_key = "key"
interface = app.session_interface
request = flask.Request({"REQUEST_METHOD": "GET"})
"""
UNUSED = """
def act():
    session = interface.open_session(app, request)
    interface.is_null_session(session)
    interface.save_session(app, session, response)

response = flask.Response()
"""
SAVED = """
class Signed:
    def dumps(self, value):
        return "signed"

def act():
    session = flask.sessions.SecureCookieSession()
    session["a"] = 1
    session.accessed = True
    interface.save_session(app, session, flask.Response())

interface.get_signing_serializer = lambda app: Signed()
"""
GETTERS = [name for name in dir(SessionInterface) if name.startswith("get_cookie_")]
METHODS = [
    *(*GETTERS, "get_expiration_time", "should_set_cookie", "is_null_session"),
    *("make_null_session", "get_signing_serializer", "open_session", "save_session"),
]


@pytest.mark.parametrize(
    ("program", "share"), [(UNUSED, 0.5), (SAVED, 0.4)], ids=["unused", "saved"]
)
def test_fewer_steps(program, share):
    assert saved(START + program, "sessions") > share


def original(method):
    """What a lean body stands for, or the method itself if there is no body."""
    cells = [cell.cell_contents for cell in method.__closure__ or ()]
    return dict(zip(method.__code__.co_freevars, cells)).get("original", method)


class Theirs:
    """The bodies that are replaced."""

    is_null_session = original(SessionInterface.is_null_session)
    open_session = original(SecureCookieSessionInterface.open_session)
    save_session = original(SecureCookieSessionInterface.save_session)


class Mine:
    """The bodies that replace them."""

    is_null_session = SessionInterface.is_null_session
    open_session = SecureCookieSessionInterface.open_session
    save_session = SecureCookieSessionInterface.save_session


def nothing(session):
    pass


def read(session):
    session.get("a")
    session.accessed = True


def write(session):
    session.accessed = True
    session["a"] = 1


def empty(session):
    write(session)
    session.clear()


def keep(session):
    write(session)
    session.permanent = True


def nest(session):
    session["a"] = {"b": [(1, b"2", '\u00e9;\n"')]}


def grow(session):
    session["a"] = "".join(map(chr, range(33, 5000)))


def fail(session):
    session["a"] = object()


USES = (nothing, read, write, empty, keep, nest, grow, fail)
CONFIGS = {
    "usual": {},
    "no key": {"SECRET_KEY": None},
    "empty key": {"SECRET_KEY": ""},
    "bytes": {"SECRET_KEY": b"\xff"},
    "not ASCII": {"SECRET_KEY": "\u00e9"},
    "not UTF-8": {"SECRET_KEY": "\udcff"},
    "a number": {"SECRET_KEY": 1},
    "fallbacks": {"SECRET_KEY_FALLBACKS": ["old"]},
    "wrong fallbacks": {"SECRET_KEY_FALLBACKS": [1]},
    "name": {"SESSION_COOKIE_NAME": "\u00e9=a"},
    "bad name": {"SESSION_COOKIE_NAME": "a\nb"},
    "name that is a number": {"SESSION_COOKIE_NAME": 1},
    "domain": {"SESSION_COOKIE_DOMAIN": ".ex\u00e4mple.org:80"},
    "bad domain": {"SESSION_COOKIE_DOMAIN": "a" * 70},
    "list": {"SESSION_COOKIE_DOMAIN": ["a"]},
    "path": {"SESSION_COOKIE_PATH": "/a b;c"},
    "root": {"APPLICATION_ROOT": "/app/"},
    "secure": {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": False},
    "one": {"SESSION_COOKIE_SECURE": 1, "SESSION_COOKIE_HTTPONLY": 0},
    "auto": {"SESSION_COOKIE_SECURE": "auto"},
    "partitioned": {"SESSION_COOKIE_PARTITIONED": True},
    "samesite": {"SESSION_COOKIE_SAMESITE": "lax"},
    "bad samesite": {"SESSION_COOKIE_SAMESITE": "a"},
    "no refresh": {"SESSION_REFRESH_EACH_REQUEST": False},
    "small": {"MAX_COOKIE_SIZE": 60},
    "no limit": {"MAX_COOKIE_SIZE": 0},
    "lazy": {"SESSION_LAZY": True},
}


@pytest.fixture(autouse=True)
def one_time(monkeypatch):
    monkeypatch.setattr("itsdangerous.TimestampSigner.get_timestamp", lambda _: 10**9)
    monkeypatch.setattr("werkzeug.http.http_date", lambda value=None: "a date")
    monkeypatch.setattr("time.time", lambda: 10**9)


def made(cls, config=(), base=SecureCookieSessionInterface, **attributes):
    """An application with one of the two classes."""
    app = flask.Flask("application")
    app.config.update({"SECRET_KEY": "key", **dict(config)})
    app.session_interface = type("Interface", (cls, base), attributes)()
    return app


def used(app, use, headers=(), vary=()):
    """What becomes of a session: two responses, and what was warned of."""

    def view():
        response = flask.Response("done")
        response.headers.extend(("Vary", value) for value in vary)
        use(flask.session._get_current_object())
        return response

    app.add_url_rule("/", view_func=view)
    client = app.test_client(use_cookies=True)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = outcome(answer, client, headers)
        second = outcome(answer, client, headers)

    told = [(str(w.message), w.filename) for w in caught]
    return first, second, told


def answer(client, headers):
    response = client.get("/", headers=list(headers))
    return response.status, list(response.headers), response.data


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("name", CONFIGS)
def test_same_answer(name, use):
    config = {"PROPAGATE_EXCEPTIONS": True, **CONFIGS[name]}
    mine, theirs = (used(made(cls, config), use) for cls in (Mine, Theirs))
    assert mine == theirs


@pytest.mark.parametrize("use", [nothing, read, write, empty])
@pytest.mark.parametrize(
    "vary",
    [["Cookie"], ["cookie"], ["Accept"], ["*"], ["Accept, Cookie"], ["a", "b"], [""]],
    ids=str,
)
def test_vary_that_is_there(vary, use):
    mine, theirs = (used(made(cls), use, vary=vary) for cls in (Mine, Theirs))
    assert mine == theirs


COOKIES = [
    "",
    "session",
    "session=",
    "session=a.b.c",
    "other=1",
    "session=1; session=2",
]


@pytest.mark.parametrize("use", [read, write])
@pytest.mark.parametrize(
    "cookie", [*COOKIES, *(f"a=b; {cookie}" for cookie in COOKIES)]
)
def test_cookies_that_are_sent(cookie, use):
    headers = [("Cookie", cookie)]
    mine, theirs = (used(made(cls), use, headers) for cls in (Mine, Theirs))
    assert mine == theirs


class OwnTag(JSONTag):
    key = " own"

    def check(self, value):
        return isinstance(value, int)

    def to_json(self, value):
        return str(value)

    to_python = int


class OwnSerializer(TaggedJSONSerializer):
    def dumps(self, value):
        return super().dumps(value).encode()


class FailingSerializer:
    def dumps(self, value):
        raise ValueError("fails")


class OwnSession(SecureCookieSession):
    def get(self, key, default=None):
        self.accessed = True
        return super().get(key, default)


class NotDict(dict, sessions.SessionMixin):
    pass


class DictOfMany(dict):
    def get(self, key, default=None):
        return "not a session"


OWN = {
    "serializer": {"serializer": OwnSerializer()},
    "failing serializer": {"serializer": FailingSerializer()},
    "session class": {"session_class": OwnSession},
    "session class that is no CallbackDict": {"session_class": NotDict},
    "null session class": {"null_session_class": SecureCookieSession},
    "no serializer": {"get_signing_serializer": lambda self, app: None},
    "another serializer": {
        "get_signing_serializer": lambda self, app: URLSafeTimedSerializer("other")
    },
    "never set": {"should_set_cookie": lambda self, app, session: False},
    "always set": {"should_set_cookie": lambda self, app, session: True},
    "expires": {"get_expiration_time": lambda self, app, session: "tomorrow"},
    "salt": {"salt": "other"},
    "name": {"get_cookie_name": lambda self, app: f"{flask.request.method}"},
}


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("name", OWN)
def test_own_interface(name, use):
    mine, theirs = (used(made(cls, **OWN[name]), use) for cls in (Mine, Theirs))
    assert mine == theirs


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("place", ["class", "instance"])
@pytest.mark.parametrize("name", ["get_signing_serializer", "should_set_cookie"])
def test_patched_at_run_time(monkeypatch, name, place, use):
    """After the application has answered requests."""

    def answers(cls):
        app = made(cls)
        owner = app.session_interface
        first = used(app, write)
        calls = []
        known = getattr(owner, name)
        bound = int(place == "class")

        def patched(*args):
            calls.append(name)
            return known(*args[bound:])

        again = made(cls)
        again.session_interface = owner

        with monkeypatch.context() as patch:
            patch.setattr(type(owner) if bound else owner, name, patched)
            return first, used(again, use), calls

    assert answers(Mine) == answers(Theirs)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_order_of_calls(use):
    """The options of a cookie are asked for only if one is set."""
    logs = []

    for cls in (Mine, Theirs):
        log = []
        own = {name: logged(name, log) for name in METHODS}
        base = type("Base", (cls, SecureCookieSessionInterface), {})
        app = made(type("Logged", (), own), base=base)
        used(app, use)
        logs.append(log)

    mine, theirs = logs

    if use in (nothing, read):
        assert "get_cookie_domain" not in mine
        mine, theirs = (
            [name for name in log if name not in GETTERS] for log in (mine, theirs)
        )

    assert mine == theirs


def logged(name, log):
    def method(self, *args):
        log.append(name)
        return getattr(super(type(self).__mro__[1], self), name)(*args)

    return method


def name_of(asked, app):
    asked.append(app)
    return "a"


def test_own_request():
    class Sent(flask.Request):
        cookies = property(lambda self: {"session": "a.b.c"})

    class Many(flask.Request):
        dict_storage_class = DictOfMany

    for request_class in (Sent, Many):
        app = made(Mine)
        asked = []
        app.session_interface.get_cookie_name = partial(name_of, asked)
        assert not app.session_interface.open_session(app, request_class({}))
        assert asked == [app]


@pytest.mark.parametrize("name", ["headers", "cookies"])
def test_cookies_from_elsewhere(name):
    """A request may be given other cookies than the environ has."""
    app = made(Mine)
    cookie = app.session_interface.get_signing_serializer(app).dumps({"a": 1})
    request = flask.Request({"REQUEST_METHOD": "GET"})

    if name == "headers":
        request.headers = Headers({"Cookie": f"session={cookie}"})
    else:
        request.cookies = ImmutableMultiDict({"session": cookie})

    assert app.session_interface.open_session(app, request) == {"a": 1}


def test_own_response():
    """Its methods are called."""
    calls = []

    class Response(flask.Response):
        def set_cookie(self, *args, **kwargs):
            calls.append((args[0], kwargs))
            super().set_cookie(*args, **kwargs)

        @property
        def vary(self):
            calls.append("vary")
            return super().vary

    for cls in (Mine, Theirs):
        app = made(cls)
        session = SecureCookieSession()
        session["a"] = 1
        app.session_interface.save_session(app, session, Response())
        session.modified, session.accessed = False, True
        app.session_interface.save_session(app, session, Response())

    assert calls[:3] == calls[3:]
    assert len(calls) == 6


def test_a_changed_option_applies_at_once():
    app = made(Mine)
    seen = []

    for samesite in ("Lax", "Strict", None):
        app.config["SESSION_COOKIE_SAMESITE"] = samesite
        session, response = SecureCookieSession(), flask.Response()
        session["a"] = 1
        app.session_interface.save_session(app, session, response)
        seen.append(response.headers["Set-Cookie"].partition("SameSite=")[2])

    assert seen == ["Lax", "Strict", ""]


def test_a_changed_key_applies_at_once():
    app = made(Mine)
    cookie = app.session_interface.get_signing_serializer(app).dumps({"a": 1})
    opened = []

    for key in ("key", "other", None, "key"):
        app.secret_key = key
        request = flask.Request({"HTTP_COOKIE": f"session={cookie}"})
        opened.append(app.session_interface.open_session(app, request))

    assert opened == [{"a": 1}, {}, None, {"a": 1}]


def signed(app, value):
    """The cookie in which an application saves a value."""
    with app.test_request_context():
        response = flask.Response()
        session = SecureCookieSession(value)
        session.modified = True
        app.session_interface.save_session(app, session, response)
        return response.headers["Set-Cookie"].partition(";")[0]


def test_tenants_are_kept_apart():
    """Whether the key, the salt, the derivation or the digest differs."""
    sha512 = staticmethod(hashlib.sha512)
    tenants = [
        *(made(Mine, {"SECRET_KEY": key}) for key in ("a", b"b", "ab")),
        *(made(Mine, salt=salt) for salt in ("a", "ab", None)),
        *(made(Mine, key_derivation=name) for name in ("none", "concat")),
        *(made(Mine, digest_method=sha512), made(Mine, digest_method=sha512, salt="a")),
    ]

    for _ in range(2):
        cookies = [signed(app, {"tenant": n}) for n, app in enumerate(tenants)]

        for number, app in enumerate(tenants):
            for other, cookie in enumerate(cookies):
                request = flask.Request({"HTTP_COOKIE": cookie})
                opened = app.session_interface.open_session(app, request)
                assert opened == ({"tenant": number} if number == other else {})


def test_a_changed_interface_applies_at_once():
    app = made(Mine)
    interface = app.session_interface
    cookies = []

    for name, value in (("a", "b"), ("salt", "c"), ("key_derivation", "concat")):
        setattr(interface, name, value)
        cookies.append(signed(app, {"a": 1}))
        expected = interface.get_signing_serializer(app).dumps({"a": 1})
        assert cookies[-1] == f"session={expected}"

    assert len(set(cookies)) == 3


def test_few_keys_are_remembered():
    from flask._fast import sessions

    for number in range(100):
        signed(made(Mine, {"SECRET_KEY": f"key {number}"}), {"a": 1})

    info = sessions._made.cache_info()
    assert info.currsize <= info.maxsize < 100


def test_sessions_are_not_shared():
    app = made(Mine)
    request = flask.Request({"REQUEST_METHOD": "GET"})
    first, second = (app.session_interface.open_session(app, request) for _ in "ab")
    first["a"] = 1
    assert first.modified
    assert not second.modified
    assert second == {}


@pytest.mark.parametrize("initial", [(), ({"a": 1},), ([("a", 1)],), (None,), (1,)])
@pytest.mark.parametrize("cls", ["SecureCookieSession", "NullSession"])
def test_session_class(cls, initial):
    cls = getattr(sessions, cls)
    theirs = type(cls.__name__, (cls,), {"__init__": original(cls.__init__)})
    mine, theirs = outcome(cls, *initial), outcome(theirs, *initial)
    assert repr(mine) == repr(theirs)
    assert getattr(mine, "modified", 0) == getattr(theirs, "modified", 0)


@pytest.mark.parametrize(
    "value", ["", "a.b-c_d", 'a"b', "a;b", "\u00e9", "a b", "a\nb"]
)
@pytest.mark.parametrize("size", [0, 10, 4093])
def test_set_cookie(value, size):
    from flask._fast.cookies import set_cookie

    def written(function, *args, **options):
        response = Sized()

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            error = outcome(partial(function, response, *args, **options))

        return list(response.headers), error, [str(w.message) for w in caught]

    class Sized(flask.Response):
        max_cookie_size = size

    def theirs(response, *args, **options):
        response.set_cookie(*args, **options)

    for options in ({}, {"path": "/=a", "httponly": True}, {"expires": 0}):
        options = {"expires": None, **options}
        expected = written(theirs, "=a", value, **options)
        assert written(set_cookie, "=a", value, **options) == expected


def test_few_cookies_are_remembered():
    from flask._fast import cookies

    for number in range(100):
        cookies._with_value(f"name {number}", "a", {"expires": None})

    info = cookies._around_value.cache_info()
    assert info.currsize <= info.maxsize < 100
