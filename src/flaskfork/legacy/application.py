"""What was removed from the classes of applications, blueprints and configurations."""

from __future__ import annotations

import functools
import json
import threading
import types
import typing as t
from datetime import timedelta

from . import environment
from ._warn import NotRestored
from ._warn import warn
from .json import Choice
from .json import KEYS

_FUNCTIONS = "before_first_request_funcs"
_FIRST = "_flaskfork_first_request"


def restore_app(module: types.ModuleType) -> None:
    """Restore what was removed from the application class."""
    app = module.App
    for name, key, convert in (
        ("env", "ENV", _environment),
        ("propagate_exceptions", "PROPAGATE_EXCEPTIONS", _propagates),
        ("send_file_max_age_default", "SEND_FILE_MAX_AGE_DEFAULT", _seconds),
        ("session_cookie_name", "SESSION_COOKIE_NAME", _as_it_is),
        ("templates_auto_reload", "TEMPLATES_AUTO_RELOAD", _reloads),
        ("use_x_sendfile", "USE_X_SENDFILE", _as_it_is),
    ):
        setattr(app, name, _Setting(name, key, convert))
    for name in ("json_decoder", "json_encoder"):
        setattr(app, name, Choice(name))
    setattr(app, _FUNCTIONS, _Functions())
    app.before_first_request = before_first_request
    app.got_first_request = property(_got_first_request)
    app.preserve_context_on_exception = _Refused(
        "Flask.preserve_context_on_exception",
        "since Flask 2.2 a context ends with its request",
        "use the test client in a 'with' block to keep the context of its last request",
    )
    app.try_trigger_before_first_request_functions = _trigger
    app.__init_subclass__ = classmethod(_see_choices)
    if not hasattr(app.make_config, "__wrapped__"):
        app.make_config = _with_old_keys(app.make_config)
    environment.restore(module)


def restore_flask(module: types.ModuleType) -> None:
    """Make the application run functions before its first request."""
    flask = module.Flask
    if not hasattr(flask.full_dispatch_request, "__wrapped__"):
        flask.full_dispatch_request = _after_first(flask.full_dispatch_request)
    environment.restore(module)


def restore_blueprint(module: types.ModuleType) -> None:
    """Restore what was removed from blueprints, or refuse it with the reason."""
    blueprint = module.Blueprint
    blueprint.before_app_first_request = before_app_first_request
    for name in ("json_decoder", "json_encoder"):
        setattr(blueprint, name, _refused_of_blueprint(name))
    blueprint.__init_subclass__ = classmethod(_refuse_choices)


def restore_config(module: types.ModuleType) -> None:
    """Restore how the configuration reads JSON."""
    module.Config.from_json = from_json


def before_first_request(self: t.Any, f: t.Any) -> t.Any:
    """Register a function to run once, before the first request is dispatched.

    Other requests wait until all of these have run. When one raises, the request that
    ran it fails, and the next request runs all of them again.
    """
    _warn_of("Flask.before_first_request", "Flask 2.3", "code where the app is made")
    self._check_setup_finished("before_first_request")
    _functions_of(self).append(f)
    return f


def before_app_first_request(self: t.Any, f: t.Any) -> t.Any:
    """Register a function as :func:`before_first_request` of the application does."""
    _warn_of(
        "Blueprint.before_app_first_request",
        "Flask 2.3",
        "'Blueprint.record', or code where the app is made",
    )
    self._check_setup_finished("before_app_first_request")
    self.record_once(lambda state: _functions_of(state.app).append(f))
    return f


def from_json(self: t.Any, filename: str, silent: bool = False) -> bool:
    """Update the configuration from a JSON file."""
    _warn_of("Config.from_json", "Flask 2.1", "'from_file(name, load=json.load)'")
    return bool(self.from_file(filename, load=json.load, silent=silent))


class _FirstRequest:
    """Runs the functions of one application once."""

    def __init__(self) -> None:
        # A function may send the application a request of its own.
        self._lock = threading.RLock()
        self._is_running = False

    def run(self, app: t.Any) -> None:
        if app._got_first_request and not self._is_running:
            return
        with self._lock:
            if app._got_first_request or self._is_running:
                return
            self._is_running = True
            try:
                for function in app.__dict__.get(_FUNCTIONS, ()):
                    app.ensure_sync(function)()
            except BaseException:
                # A request that one of them sent may have set this.
                app._got_first_request = False
                raise
            else:
                app._got_first_request = True
            finally:
                self._is_running = False


def _run_first(app: t.Any) -> None:
    # Stored in one operation, so that two threads get the same one.
    app.__dict__.setdefault(_FIRST, _FirstRequest()).run(app)


def _after_first(dispatch: t.Callable[[t.Any], t.Any]) -> t.Callable[[t.Any], t.Any]:
    @functools.wraps(dispatch)
    def wrapper(self: t.Any) -> t.Any:
        if _FUNCTIONS in self.__dict__:
            _run_first(self)
        return dispatch(self)

    return wrapper


def _trigger(self: t.Any) -> None:
    """Run the functions that run before the first request, now."""
    _warn_of(
        "Flask.try_trigger_before_first_request_functions",
        "Flask 2.2",
        "code where the app is made",
    )
    _run_first(self)


def _functions_of(app: t.Any) -> list[t.Any]:
    functions: list[t.Any] = app.__dict__.setdefault(_FUNCTIONS, [])
    return functions


class _Functions:
    """The list of functions, until an application has a list of its own."""

    def __get__(self, app: t.Any, owner: type | None = None) -> t.Any:
        if app is None:
            return self
        _warn_of(f"Flask.{_FUNCTIONS}", "Flask 2.3", "code where the app is made")
        return _functions_of(app)


class _Setting:
    """An attribute of the application that is a key of its configuration."""

    def __init__(
        self, name: str, key: str, convert: t.Callable[[t.Any, t.Any], t.Any]
    ) -> None:
        self.name = name
        self.key = key
        self.convert = convert

    def __get__(self, app: t.Any, owner: type | None = None) -> t.Any:
        if app is None:
            return self
        self._warn()
        return self.convert(app, app.config.get(self.key))

    def __set__(self, app: t.Any, value: t.Any) -> None:
        self._warn()
        app.config[self.key] = value

    def _warn(self) -> None:
        _warn_of(f"Flask.{self.name}", "Flask 2.3", f"'app.config[{self.key!r}]'")


def _as_it_is(app: t.Any, value: t.Any) -> t.Any:
    return value


def _environment(app: t.Any, value: t.Any) -> t.Any:
    return value or environment.get_env()


def _propagates(app: t.Any, value: t.Any) -> t.Any:
    return app.testing or app.debug if value is None else value


def _reloads(app: t.Any, value: t.Any) -> t.Any:
    return app.debug if value is None else value


def _seconds(app: t.Any, value: t.Any) -> t.Any:
    return timedelta(seconds=value) if isinstance(value, int) else value


class _Refused:
    """An attribute that cannot be restored.

    :param what: its name.
    :param why: why it cannot.
    :param hint: what to do instead.
    """

    def __init__(self, what: str, why: str, hint: str) -> None:
        self.what = what
        self.why = why
        self.hint = hint

    def __get__(self, instance: t.Any, owner: type | None = None) -> t.NoReturn:
        self.refuse()

    def __set__(self, instance: t.Any, value: t.Any) -> t.NoReturn:
        self.refuse()

    def refuse(self) -> t.NoReturn:
        raise NotRestored(f"{self.what} cannot be restored: {self.why}", hint=self.hint)


def _refused_of_blueprint(name: str) -> _Refused:
    return _Refused(
        f"Blueprint.{name}",
        "since Flask 2.3 an application has one JSON provider for all of its views",
        f"set {name} on the application, or make that provider tell views apart",
    )


def _see_choices(cls: type[t.Any], /, **kwargs: t.Any) -> None:
    """Warn about a class attribute, where the class is defined."""
    _init_subclass(cls, Choice, kwargs)
    for name in ("json_decoder", "json_encoder"):
        if name in cls.__dict__:
            Choice(name).warn()


def _refuse_choices(cls: type[t.Any], /, **kwargs: t.Any) -> None:
    """Refuse a class attribute, where the class is defined."""
    _init_subclass(cls, _Refused, kwargs)
    for name in ("json_decoder", "json_encoder"):
        if name in cls.__dict__:
            _refused_of_blueprint(name).refuse()


def _init_subclass(cls: type[t.Any], kind: type, kwargs: dict[str, t.Any]) -> None:
    """Call the ``__init_subclass__`` above the class that was changed, for ``cls``."""
    owner: t.Any = next(
        base for base in cls.__mro__ if isinstance(vars(base).get("json_encoder"), kind)
    )
    super(owner, cls).__init_subclass__(**kwargs)


def _got_first_request(self: t.Any) -> bool:
    """Whether the application has begun to serve."""
    _warn_of("Flask.got_first_request", "Flask 3.0", "a signal, 'request_started'")
    return bool(self._got_first_request)


def _with_old_keys(make_config: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    @functools.wraps(make_config)
    def wrapper(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        config = make_config(self, *args, **kwargs)
        config.setdefault("ENV", environment.get_env())
        for key in KEYS:
            config.setdefault(key, None)
        return config

    return wrapper


def _warn_of(what: str, since: str, instead: str) -> None:
    warn(f"{what!r} was removed in {since}", instead=instead)
