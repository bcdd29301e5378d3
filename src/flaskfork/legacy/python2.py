"""Helpers that let one source run on Python 2 and 3, in their Python 3 form."""

from __future__ import annotations

import collections.abc as abc
import io
import marshal
import os
import pickle
import sys
import types
import typing as t
from io import BytesIO
from io import StringIO
from os import fspath
from urllib.parse import quote_from_bytes as url_quote

__all__ = [
    "BROKEN_PYPY_CTXMGR_EXIT",
    "PY2",
    "PYPY",
    "WIN",
    "BytesIO",
    "NativeStringIO",
    "StringIO",
    "abc",
    "collections_abc",
    "encode_filename",
    "fix_tuple_repr",
    "fspath",
    "get_filesystem_encoding",
    "ifilter",
    "imap",
    "implements_bool",
    "implements_iterator",
    "implements_to_string",
    "int_to_byte",
    "integer_types",
    "intern",
    "io",
    "iter_bytes",
    "iteritems",
    "iterkeys",
    "iterlists",
    "iterlistvalues",
    "itervalues",
    "izip",
    "make_literal_wrapper",
    "marshal",
    "marshal_dump",
    "marshal_load",
    "native_string_result",
    "normalize_string_tuple",
    "number_types",
    "pickle",
    "range_type",
    "reraise",
    "string_types",
    "text_type",
    "to_bytes",
    "to_native",
    "to_unicode",
    "try_coerce_native",
    "unichr",
    "url_quote",
    "with_metaclass",
    "wsgi_decoding_dance",
    "wsgi_encoding_dance",
    "wsgi_get_bytes",
]

_T = t.TypeVar("_T")

PY2 = False
PYPY = hasattr(sys, "pypy_translation_info")
WIN = os.name == "nt"
BROKEN_PYPY_CTXMGR_EXIT = False

collections_abc = abc
NativeStringIO = StringIO
text_type = str
string_types = (str,)
integer_types = (int,)
number_types = (int, float, complex)
unichr = chr
range_type = range
ifilter = filter
imap = map
izip = zip
intern = sys.intern
marshal_dump = marshal.dump
marshal_load = marshal.load


def iterkeys(d: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Iterator[t.Any]:
    return iter(d.keys(*args, **kwargs))


def itervalues(d: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Iterator[t.Any]:
    return iter(d.values(*args, **kwargs))


def iteritems(d: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Iterator[t.Any]:
    return iter(d.items(*args, **kwargs))


def iterlists(d: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Iterator[t.Any]:
    return iter(d.lists(*args, **kwargs))


def iterlistvalues(d: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Iterator[t.Any]:
    return iter(d.listvalues(*args, **kwargs))


def int_to_byte(number: int) -> bytes:
    return number.to_bytes(1, "big")


def iter_bytes(data: bytes) -> t.Iterator[bytes]:
    return map(int_to_byte, data)


def unchanged(x: _T) -> _T:
    """Return the argument, as decorators and conversions for Python 2 do on 3."""
    return x


_identity = unchanged
fix_tuple_repr = unchanged
implements_bool = unchanged
implements_iterator = unchanged
implements_to_string = unchanged
native_string_result = unchanged
encode_filename = unchanged
try_coerce_native = unchanged
wsgi_get_bytes = unchanged


def normalize_string_tuple(tup: tuple[t.Any, ...]) -> tuple[t.Any, ...]:
    """Refuse a mix of strings and bytes.

    :raises TypeError: there is such a mix.
    """
    if len({isinstance(item, str) for item in tup}) > 1:
        raise TypeError("Cannot mix str and bytes arguments")
    return tup


def make_literal_wrapper(
    reference: str | bytes,
) -> t.Callable[[str], str | bytes]:
    """Make literals of the type of ``reference``."""
    if isinstance(reference, str):
        return unchanged
    return lambda literal: literal.encode("latin-1")


def to_bytes(x: t.Any, charset: str = "utf-8", errors: str = "strict") -> bytes | None:
    if x is None:
        return None
    if isinstance(x, str):
        return x.encode(charset, errors)
    if isinstance(x, (bytes, bytearray, memoryview)):
        return bytes(x)
    raise TypeError("Expected bytes")


def to_native(x: t.Any, charset: str = "utf-8", errors: str = "strict") -> str | None:
    return x if x is None or isinstance(x, str) else x.decode(charset, errors)


def to_unicode(
    x: t.Any,
    charset: str | None = "utf-8",
    errors: str = "strict",
    allow_none_charset: bool = False,
) -> t.Any:
    if x is None or isinstance(x, str):
        return x
    if not isinstance(x, bytes):
        return str(x)
    if charset is None and allow_none_charset:
        return x
    return x.decode(charset or "utf-8", errors)


def wsgi_encoding_dance(
    s: str | bytes, charset: str = "utf-8", errors: str = "replace"
) -> str:
    data = s.encode(charset) if isinstance(s, str) else s
    return data.decode("latin-1", errors)


def wsgi_decoding_dance(s: str, charset: str = "utf-8", errors: str = "replace") -> str:
    return s.encode("latin-1").decode(charset, errors)


def get_filesystem_encoding() -> str:
    return sys.getfilesystemencoding()


def reraise(
    tp: type[BaseException], value: BaseException, tb: types.TracebackType | None = None
) -> t.NoReturn:
    """Raise an exception again, with its traceback."""
    if value.__traceback__ is not tb:
        raise value.with_traceback(tb)
    raise value


def with_metaclass(meta: t.Any, *bases: type) -> t.Any:
    """Make a base class that gives its subclass a metaclass and ``bases``."""

    class Metaclass(type):
        def __new__(
            cls, name: str, this_bases: tuple[type, ...] | None, namespace: t.Any
        ) -> t.Any:
            return meta(name, bases, namespace)

    return type.__new__(Metaclass, "temporary_class", (), {})
