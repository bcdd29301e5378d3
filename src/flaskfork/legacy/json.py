"""JSON encoder and decoder classes, which the application's provider replaced."""

from __future__ import annotations

import contextlib
import functools
import json
import types
import typing as t

import jinja2.utils

from .. import json as _json
from ..json import provider as _provider
from ._warn import warn

#: A setting is not used where these packages read it.
_PASSING = ("flaskfork", "werkzeug", "jinja2")

#: The key of each setting, and the conversion of its value.
_SETTINGS: dict[str, tuple[str, t.Callable[[t.Any], t.Any]]] = {
    "compact": ("JSONIFY_PRETTYPRINT_REGULAR", lambda pretty: not pretty),
    "ensure_ascii": ("JSON_AS_ASCII", bool),
    "mimetype": ("JSONIFY_MIMETYPE", str),
    "sort_keys": ("JSON_SORT_KEYS", bool),
}
KEYS = tuple(key for key, _ in _SETTINGS.values())


class JSONEncoder(json.JSONEncoder):
    """Also encodes dates, decimal numbers, UUIDs, data classes and ``__html__``."""

    def default(self, o: t.Any) -> t.Any:
        return _provider._default(o)


class JSONDecoder(json.JSONDecoder):
    """Decodes JSON as Python's own decoder does."""


DEFAULTS: dict[str, type] = {"json_decoder": JSONDecoder, "json_encoder": JSONEncoder}


def htmlsafe_dumps(obj: t.Any, **kwargs: t.Any) -> t.Any:
    """Serialize to JSON that is safe in a script element."""
    return jinja2.utils.htmlsafe_json_dumps(obj, dumps=_json.dumps, **kwargs)


def htmlsafe_dump(obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
    """Write JSON that is safe in a script element."""
    fp.write(htmlsafe_dumps(obj, **kwargs))


def chosen(app: t.Any, name: str) -> t.Any:
    """The class that an application has chosen, on itself or on its class, or None.

    :param name: ``json_encoder`` or ``json_decoder``.
    """
    try:
        own = app.__dict__
    except ReferenceError:
        # A provider may outlive its application.
        return None
    if name in own:
        return own[name]
    for base in app.__class__.__mro__:
        if name in base.__dict__:
            found = base.__dict__[name]
            return None if isinstance(found, Choice) else found
    return None


class Choice:
    """The attribute of an application that chooses an encoder or decoder class."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, app: t.Any, owner: type | None = None) -> t.Any:
        self.warn()
        value = None if app is None else app.__dict__.get(self.name)
        return value or DEFAULTS[self.name]

    def __set__(self, app: t.Any, value: t.Any) -> None:
        self.warn()
        app.__dict__[self.name] = value

    def __delete__(self, app: t.Any) -> None:
        app.__dict__.pop(self.name, None)

    def warn(self) -> None:
        warn(
            f"'Flask.{self.name}' was removed in Flask 2.3",
            instead="'app.json', a JSON provider",
        )


def restore_provider(module: types.ModuleType) -> None:
    """Make the default provider obey the chosen classes and the old settings."""
    provider = module.DefaultJSONProvider
    if not hasattr(provider.dumps, "__wrapped__"):
        provider.dumps = _with_encoder(provider.dumps)
        provider.loads = _with_decoder(provider.loads)
        for name, (key, convert) in _SETTINGS.items():
            setattr(provider, name, _Setting(key, convert, vars(provider)[name]))


def restore_functions(module: types.ModuleType) -> None:
    """Let the functions take an application, and use an encoder class as they did."""
    for name in ("dump", "dumps", "load", "loads"):
        function = getattr(module, name)
        if not hasattr(function, "__wrapped__"):
            setattr(module, name, _with_app(function))


class _Setting:
    """An attribute of the provider that the configuration of the application sets."""

    def __init__(
        self, key: str, convert: t.Callable[[t.Any], t.Any], default: t.Any
    ) -> None:
        self.key = key
        self.convert = convert
        self.default = default

    def __get__(self, provider: t.Any, owner: type | None = None) -> t.Any:
        value = None
        if provider is not None:
            # A provider may outlive its application.
            with contextlib.suppress(ReferenceError):
                value = provider._app.config.get(self.key)
        if value is None:
            return self.default
        warn(
            f"the configuration key {self.key!r} was removed in Flask 2.3",
            instead="attributes of 'app.json'",
            passing=_PASSING,
        )
        return self.convert(value)


def _with_encoder(dumps: t.Callable[..., str]) -> t.Callable[..., str]:
    @functools.wraps(dumps)
    def wrapper(self: t.Any, obj: t.Any, **kwargs: t.Any) -> str:
        encoder = kwargs.get("cls") or chosen(self._app, "json_encoder")
        if encoder is not None:
            kwargs["cls"] = encoder
            _let_it_encode(encoder, kwargs)
        return dumps(self, obj, **kwargs)

    return wrapper


def _with_decoder(loads: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    @functools.wraps(loads)
    def wrapper(self: t.Any, s: str | bytes, **kwargs: t.Any) -> t.Any:
        decoder = chosen(self._app, "json_decoder")
        if decoder is not None:
            kwargs.setdefault("cls", decoder)
        return loads(self, s, **kwargs)

    return wrapper


def _with_app(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    @functools.wraps(function)
    def wrapper(*args: t.Any, app: t.Any = None, **kwargs: t.Any) -> t.Any:
        if "dump" in function.__name__ and kwargs.get("cls") is not None:
            _let_it_encode(kwargs["cls"], kwargs)
        if app is not None:
            return getattr(app.json, function.__name__)(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapper


def _let_it_encode(encoder: type[json.JSONEncoder], kwargs: dict[str, t.Any]) -> None:
    """Keep an encoder's own ``default`` from being replaced by the provider's."""
    if encoder.default not in (json.JSONEncoder.default, JSONEncoder.default):
        kwargs.setdefault("default", None)
