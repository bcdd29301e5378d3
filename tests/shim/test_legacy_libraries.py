"""Restored names of Werkzeug, Jinja, itsdangerous and MarkupSafe work."""

from __future__ import annotations

import textwrap
import typing as t

import pytest

RunPython = t.Callable[..., str]


@pytest.fixture
def run_legacy(run_python: RunPython) -> t.Callable[[str], str]:
    """A function that runs code with all names and without their warnings."""
    start = """
        import warnings
        warnings.simplefilter("ignore")
        import flaskfork.shim
        flaskfork.shim.legacy(werkzeug=True)
    """
    return lambda code: run_python("-c", textwrap.dedent(start) + textwrap.dedent(code))


RunLegacy = t.Callable[[str], str]


def test_the_top_level_is_what_it_was(run_legacy: RunLegacy) -> None:
    code = """
        import werkzeug, werkzeug.datastructures, werkzeug.utils, werkzeug.wsgi
        from werkzeug import (
            FileStorage, Headers, MultiDict, OrderedMultiDict, cached_property, escape,
            generate_password_hash, import_string, parse_options_header,
            secure_filename, unescape)
        assert Headers is werkzeug.datastructures.Headers
        assert cached_property is werkzeug.utils.cached_property
        assert secure_filename("../a b.txt") == "a_b.txt"
        assert import_string("werkzeug.utils:secure_filename") is secure_filename
        assert parse_options_header("a/b; c=d") == ("a/b", {"c": "d"})
        assert escape("<'\\"&>") == "&lt;&#x27;&quot;&amp;&gt;"
        assert escape(None) == "" and type(escape("<")) is str
        assert unescape("&lt;&quot;") == '<"'
        both = OrderedMultiDict([("a", 1), ("b", 2), ("a", 3)])
        assert list(both.items(multi=True)) == [("a", 1), ("b", 2), ("a", 3)]
        from werkzeug.utils import dump_cookie, invalidate_cached_property, parse_cookie
        assert parse_cookie("a=b")["a"] == "b"
        assert dump_cookie("a", "b", path=None) == "a=b"

        class Counts:
            n = 0
            @cached_property
            def value(self):
                self.n += 1
                return self.n

        counts = Counts()
        assert counts.value == counts.value == 1
        invalidate_cached_property(counts, "value")
        invalidate_cached_property(counts, "value")
        assert counts.value == 2
    """
    run_legacy(code)


def test_request_and_response_classes(run_legacy: RunLegacy) -> None:
    code = """
        import flask
        from werkzeug.wrappers import (
            AcceptMixin, AuthorizationMixin, BaseRequest, BaseResponse,
            CommonRequestDescriptorsMixin, CommonResponseDescriptorsMixin,
            ETagRequestMixin, ETagResponseMixin, PlainRequest, Request, Response,
            ResponseStreamMixin, StreamOnlyMixin, UserAgentMixin, WWWAuthenticateMixin)
        from werkzeug.wrappers.json import JSONMixin
        from werkzeug.wrappers.base_response import BaseResponse as again
        assert again is BaseResponse

        class R(AcceptMixin, BaseRequest): ...

        class S(BaseRequest, AcceptMixin, ETagRequestMixin, UserAgentMixin,
                AuthorizationMixin, CommonRequestDescriptorsMixin, JSONMixin): ...

        class T(BaseResponse, ETagResponseMixin, ResponseStreamMixin,
                CommonResponseDescriptorsMixin, WWWAuthenticateMixin): ...

        class U(JSONMixin, ETagRequestMixin, flask.Request): ...

        for kind in [R, S, U]:
            request = kind.from_values(
                "/?a=b", headers={"Accept": "text/html", "User-Agent": "me"})
            assert request.accept_mimetypes.best == "text/html"
            assert request.args["a"] == "b"
            assert str(request.user_agent) == "me"
        response = T("text")
        response.add_etag()
        assert response.get_etag()[0]
        app = flask.Flask("x")
        app.request_class = U
        app.add_url_rule("/", view_func=lambda: "xhr" if flask.request.is_xhr else "no")
        with app.test_client() as client:
            assert isinstance(client.get("/"), BaseResponse)
            header = {"X-Requested-With": "XMLHttpRequest"}
            assert client.get("/", headers=header).text == "xhr"
            assert client.get("/").text == "no"
            assert isinstance(flask.request._get_current_object(), BaseRequest)

        form = {"method": "POST", "data": {"a": "b"}}
        assert Request.from_values(**form).form["a"] == "b"
        class Streaming(StreamOnlyMixin, Request): ...
        for kind in [PlainRequest, Streaming]:
            request = kind.from_values(**form)
            assert request.stream.read() == b"a=b"
            assert not request.form
    """
    run_legacy(code)


def test_paths(run_legacy: RunLegacy) -> None:
    code = """
        from werkzeug.wsgi import (
            extract_path_info, get_query_string, get_script_name, peek_path_info,
            pop_path_info)
        environ = {"SCRIPT_NAME": "/root", "PATH_INFO": "/a//b/\\xc3\\xa9",
                   "QUERY_STRING": "x=\\xc3\\xa9 y&z=%20"}
        assert get_query_string(environ) == "x=%C3%A9%20y&z=%20"
        taken = []
        while True:
            assert peek_path_info(environ) == (peeked := peek_path_info(environ))
            segment = pop_path_info(environ)
            if segment is None:
                break
            assert segment == peeked
            taken.append((segment, environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        assert taken == [
            ("a", "/root/a", "//b/\\xc3\\xa9"),
            ("b", "/root/a//b", "/\\xc3\\xa9"),
            ("\\xe9", "/root/a//b/\\xc3\\xa9", ""),
        ], taken
        assert get_script_name(environ) == "/root/a//b/\\xe9"
        assert peek_path_info({"PATH_INFO": "/"}) == ""
        assert pop_path_info({}) is None

        base = "http://example.com/app"
        for url, path in [
            ("http://example.com/app/hello", "/hello"),
            ("https://example.com:443/app/a/b?c=d", "/a/b"),
            ("/app/x", "/x"), ("/app", "/"), ("http://example.com/app/", "/"),
            ("/other", None), ("http://other.com/app/x", None),
            ("ftp://example.com/app/x", None),
        ]:
            assert extract_path_info(base, url) == path, url
        assert extract_path_info(base, "https://example.com/app/x",
                                 collapse_http_schemes=False) is None
        environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "h:80", "SCRIPT_NAME": "/s"}
        assert extract_path_info(environ, "http://h/s/t") == "/t"

        # As programs have long dispatched by path.
        from werkzeug.wsgi import DispatcherMiddleware, SharedDataMiddleware
        from werkzeug.wrappers import Request, Response
        from werkzeug.test import Client
        inner = Response("inner")
        @Request.application
        def name(request):
            return Response(f"{request.script_root} {request.path}")
        def by_path(environ, start_response):
            if peek_path_info(environ) == "user":
                pop_path_info(environ)
                return name(environ, start_response)
            return inner(environ, start_response)
        application = DispatcherMiddleware(by_path, {"/sub": name})
        client = Client(application)
        assert client.get("/user/x/y").text == "/user /x/y"
        assert client.get("/else").text == "inner"
        assert client.get("/sub/z").text == "/sub /z"
    """
    run_legacy(code)


def test_streams(run_legacy: RunLegacy) -> None:
    code = """
        import io
        from werkzeug.wsgi import make_chunk_iter, make_line_iter
        data = b"one\\r\\ntwo\\n\\nthree\\rfour"
        lines = [b"one\\r\\n", b"two\\n", b"\\n", b"three\\r", b"four"]
        for size in [1, 2, 3, 5, 100]:
            assert [*make_line_iter(io.BytesIO(data), buffer_size=size)] == lines
        assert [*make_line_iter(io.BytesIO(data), limit=7)] == [b"one\\r\\n", b"tw"]
        assert [*make_line_iter(["a\\nb", "c\\n"])] == ["a\\n", "bc\\n"]
        assert [*make_line_iter(io.BytesIO(b""))] == []
        long = io.BytesIO(b"abcdef\\n")
        long = [*make_line_iter(long, buffer_size=4, cap_at_buffer=True)]
        assert b"".join(long) == b"abcdef\\n" and len(long[0]) == 4
        for size in [1, 2, 100]:
            chunks = make_chunk_iter(io.BytesIO(b"a|bc||d"), b"|", buffer_size=size)
            assert [*chunks] == [b"a", b"bc", b"", b"d"]
        assert [*make_chunk_iter(["a|", "b"], "|")] == ["a", "b"]
    """
    run_legacy(code)


def test_urls(run_legacy: RunLegacy) -> None:
    code = """
        import io
        from werkzeug.datastructures import ImmutableMultiDict, MultiDict
        from werkzeug.urls import (
            Href, url_decode, url_decode_stream, url_encode, url_encode_stream, url_fix,
            url_join, url_parse, url_quote, url_quote_plus, url_unparse, url_unquote,
            url_unquote_plus)
        assert url_quote("a b/\\xe9:?~!") == "a%20b/%C3%A9:%3F~!"
        assert url_quote("/", safe="") == "%2F"
        assert url_quote(b"\\xff") == "%FF" and url_quote(5) == "5"
        assert url_quote("~", unsafe="~") == "%7E"
        assert url_quote_plus("a b+/") == "a+b%2B%2F"
        assert url_unquote("a%20b+%C3%A9%zz") == "a b+\\xe9%zz"
        assert url_unquote("%2F%20", unsafe="/") == "%2F "
        assert url_unquote("%FF", charset=None) == b"\\xff"
        assert url_unquote_plus("a+b%2B") == "a b+"
        assert url_encode({"a": [1, "x y"], "b": None, "c": "\\xe9"}) == (
            "a=1&a=x+y&c=%C3%A9")
        assert url_encode(MultiDict([("b", 1), ("a", 2), ("b", 3)]), sort=True) == (
            "a=2&b=1&b=3")
        assert url_encode([("a", 1)], separator=";") == "a=1"
        decoded = url_decode("a=1&a=x+y&c=%C3%A9&d&")
        assert isinstance(decoded, MultiDict)
        assert [*decoded.items(multi=True)] == [
            ("a", "1"), ("a", "x y"), ("c", "\\xe9"), ("d", "")]
        assert "d" not in url_decode("a=1;d", separator=";", include_empty=False)
        assert type(url_decode("a=b", cls=ImmutableMultiDict)) is ImmutableMultiDict
        assert url_decode(b"a=%C3%A9")["a"] == "\\xe9"
        assert url_decode_stream(io.BytesIO(b"a=b&c=d"))["c"] == "d"
        out = io.StringIO()
        url_encode_stream({"a": 1, "b": 2}, out)
        assert out.getvalue() == "a=1&b=2"
        assert [*url_encode_stream({"a": 1})] == ["a=1"]

        url = url_parse("HTTP://me:p%40ss@\\u2603.net:8080/p/a?q=1&q=2#f")
        assert url[:] == (
            "http", "me:p%40ss@\\u2603.net:8080", "/p/a", "q=1&q=2", "f")
        assert (url.host, url.ascii_host, url.port) == (
            "\\u2603.net", "xn--n3h.net", 8080)
        assert (url.username, url.password, url.raw_password, url.auth) == (
            "me", "p@ss", "p%40ss", "me:p%40ss")
        assert url.decode_query().getlist("q") == ["1", "2"]
        assert url.replace(scheme="https", query="").to_url() == (
            "https://me:p%40ss@\\u2603.net:8080/p/a#f")
        assert url.encode_netloc() == "me:p%40ss@xn--n3h.net:8080"
        assert url.join("../b?c").path == "/b"
        assert url.encode().decode() == url
        assert url.encode().netloc.startswith(b"me:")
        assert str(url) == url.to_url() == url_unparse(url)
        assert url.to_uri_tuple().netloc == "me:p%40ss@xn--n3h.net:8080"
        assert url_parse(b"http://h/p").host == b"h"
        assert url_parse("//[::1]:80/x").host == "::1"
        assert url_parse("http://h:x/").port is None is url_parse("/p").host
        assert url_parse("/p", scheme="https").scheme == "https"
        assert url_parse("/p#f", allow_fragments=False).path == "/p#f"
        try:
            url_parse("http://[::1/")
        except ValueError:
            pass
        else:
            raise AssertionError

        for base, url, joined in [
            ("http://h/a/b", "c", "http://h/a/c"),
            ("http://h/a/b", "/c", "http://h/c"),
            ("http://h/a/b", "../../../c", "http://h/c"),
            ("http://h/a/b/", "./", "http://h/a/b/"),
            ("http://h/a", "//o/c", "http://o/c"),
            ("http://h/a", "https://o/c", "https://o/c"),
            ("http://h/a?b", "#c", "http://h/a?b#c"),
            ("http://h/a", "?c", "http://h/a?c"),
            ("own://h/a/b", "c", "own://h/a/c"),
            ("", "c", "c"), ("c", "", "c"),
        ]:
            assert url_join(base, url) == joined, (base, url, url_join(base, url))
        assert url_join(url_parse("http://h/a/"), url_parse("b")) == "http://h/a/b"
        assert url_fix("http://h/a b?c d#\\xe9") == "http://h/a%20b?c+d#%C3%A9"
        href = Href("/base/")
        assert href("a b", "c", d=[1, 2]) == "/base/a%20b/c?d=1&d=2"
        assert href.sub("x", {"y": 1}) == "/base/sub/x?y=1"
        assert href(class_="k") == "/base/?class=k"
    """
    run_legacy(code)


def test_other_functions(run_legacy: RunLegacy) -> None:
    code = """
        import threading
        from werkzeug.http import (
            cookie_date, parse_authorization_header, parse_www_authenticate_header)
        from werkzeug.local import get_ident
        from werkzeug.routing import parse_rule
        from werkzeug.security import pbkdf2_bin, pbkdf2_hex, safe_str_cmp
        from werkzeug.serving import run_with_reloader
        from werkzeug._internal import HTTP_STATUS_CODES
        assert safe_str_cmp("a", b"a") and not safe_str_cmp("a", "\\u2603")
        derived = pbkdf2_bin(b"p", b"s", 1, 4, "sha1")
        assert pbkdf2_hex("p", "s", 1, 4, "sha1") == derived.hex()
        assert pbkdf2_hex("password", "salt", 1, 20, "sha1") == (
            "0c60c80f961f0e71f3a9b524af6012062fe037a6")
        assert cookie_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert parse_authorization_header("Basic YTpi").password == "b"
        assert parse_authorization_header(None) is None
        assert parse_www_authenticate_header('Basic realm="r"').realm == "r"
        assert get_ident() == threading.get_ident()
        assert HTTP_STATUS_CODES[404] == "Not Found" and callable(run_with_reloader)
        assert [*parse_rule("/a/<int(1, min=2):b>/<c>/d")] == [
            (None, None, "/a/"), ("int", "1, min=2", "b"), (None, None, "/"),
            ("default", None, "c"), (None, None, "/d")]
        assert [*parse_rule('<re("a>b"):c>')] == [("re", '"a>b"', "c")]
        for bad in ["/<a>/<a>", "/<a", "/a>"]:
            try:
                [*parse_rule(bad)]
            except ValueError:
                pass
            else:
                raise AssertionError(bad)
    """
    run_legacy(code)


def test_contrib(run_legacy: RunLegacy) -> None:
    code = """
        import sys, types
        from werkzeug.contrib.fixers import ProxyFix
        from werkzeug.contrib.profiler import ProfilerMiddleware
        from werkzeug.contrib.lint import LintMiddleware
        from werkzeug.contrib import fixers
        import werkzeug.contrib, werkzeug.middleware.lint
        assert werkzeug.contrib.lint is werkzeug.middleware.lint
        from flask import Flask, request
        app = Flask("x")
        app.add_url_rule("/", "i", lambda: f"{request.remote_addr} {request.url}")
        headers = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https",
                   "X-Forwarded-Host": "outside"}
        wsgi_app = app.wsgi_app
        app.wsgi_app = ProxyFix(wsgi_app)
        assert app.test_client().get("/", headers=headers).text == (
            "1.2.3.4 https://localhost/")
        app.wsgi_app = ProxyFix(wsgi_app, num_proxies=1)
        assert app.test_client().get("/", headers=headers).text == (
            "1.2.3.4 https://outside/")
        for name in ["securecookie", "atom"]:
            try:
                __import__(f"werkzeug.contrib.{name}")
            except ModuleNotFoundError as e:
                assert e.name == f"werkzeug.contrib.{name}"
            else:
                raise AssertionError
        try:
            import werkzeug.contrib.cache
        except ModuleNotFoundError as e:
            assert e.name == "cachelib"
        else:
            raise AssertionError
    """
    run_legacy(code)


def test_jinja(run_legacy: RunLegacy) -> None:
    code = """
        import jinja2
        from jinja2 import (
            Environment, Markup, contextfilter, contextfunction, environmentfilter,
            environmentfunction, escape, evalcontextfilter, evalcontextfunction)
        from jinja2.ext import autoescape, with_
        from jinja2.filters import contextfilter as from_filters
        from jinja2.utils import Markup as from_utils, soft_unicode
        assert from_filters is contextfilter is jinja2.pass_context
        assert from_utils is Markup
        environment = Environment(
            autoescape=True, extensions=["jinja2.ext.autoescape", "jinja2.ext.with_"])

        @contextfilter
        def in_context(context, value):
            return f"{value}{context['x']}"

        @evalcontextfilter
        def evaluated(eval_ctx, value):
            return f"{value}{eval_ctx.autoescape}"

        @environmentfilter
        def in_environment(env, value):
            return f"{value}{env is environment}"

        environment.filters.update(a=in_context, b=evaluated, c=in_environment)
        environment.globals.update(
            d=contextfunction(lambda context: context["x"]),
            e=environmentfunction(lambda env: env is environment),
            f=evalcontextfunction(lambda ctx: ctx.autoescape),
        )
        text = (
            "{{ 1|a }} {{ 2|b }} {{ 3|c }} {{ d() }} {{ e() }} {{ f() }}"
            "{% with y = '<' %}{{ y }}{% endwith %}"
            "{% autoescape false %}{{ '<' }}{% endautoescape %}")
        rendered = environment.from_string(text).render(x=9)
        assert rendered == "19 2True 3True 9 True True&lt;<", rendered
        assert soft_unicode(Markup("<")) == Markup("<")
        assert escape("<") == "&lt;"
        from jinja2._compat import iteritems, text_type
        assert text_type is str
    """
    run_legacy(code)


def test_itsdangerous_and_markupsafe(run_legacy: RunLegacy) -> None:
    code = """
        import json
        import itsdangerous
        from itsdangerous import (
            JSONWebSignatureSerializer, TimedJSONWebSignatureSerializer,
            constant_time_compare, json as same)
        from itsdangerous.jws import TimedJSONWebSignatureSerializer as again
        from markupsafe import Markup, soft_unicode
        assert again is TimedJSONWebSignatureSerializer
        assert same is json
        assert constant_time_compare(b"a", "a") and not constant_time_compare("a", "b")
        assert soft_unicode(5) == "5" and type(soft_unicode(Markup("a"))) is Markup
        class Own(TimedJSONWebSignatureSerializer): ...
        for kind in [JSONWebSignatureSerializer, TimedJSONWebSignatureSerializer, Own]:
            try:
                kind("secret", expires_in=3600)
            except Exception as e:
                assert type(e).__name__ == "ShimError"
                what = f"{kind.__name__} can be imported but not used"
                assert str(e).startswith(what)
                assert "hint: use a library for JWT" in str(e)
            else:
                raise AssertionError
    """
    run_legacy(code)


def test_code_for_two_pythons(run_legacy: RunLegacy) -> None:
    code = """
        from werkzeug._compat import (
            implements_bool, implements_iterator, int_to_byte, iter_bytes, iteritems,
            iterlists, make_literal_wrapper, normalize_string_tuple, range_type,
            reraise, string_types, text_type, to_bytes, to_native, to_unicode,
            try_coerce_native, wsgi_decoding_dance, wsgi_encoding_dance, wsgi_get_bytes)
        from werkzeug.datastructures import MultiDict
        assert to_bytes("\\xe9") == b"\\xc3\\xa9" == to_bytes(bytearray(b"\\xc3\\xa9"))
        assert to_unicode(b"\\xc3\\xa9") == "\\xe9" == to_native(b"\\xc3\\xa9")
        assert to_unicode(None) is None is to_bytes(None)
        assert to_unicode(5) == "5"
        assert to_unicode(b"a", None, allow_none_charset=True) == b"a"
        try:
            to_bytes(5)
        except TypeError:
            pass
        else:
            raise AssertionError
        assert wsgi_decoding_dance(wsgi_encoding_dance("\\u2603")) == "\\u2603"
        assert [*iter_bytes(b"ab")] == [b"a", b"b"] and int_to_byte(5) == b"\\5"
        assert [*iterlists(MultiDict([("a", 1), ("a", 2)]))] == [("a", [1, 2])]
        assert make_literal_wrapper(b"")("x") == b"x" == wsgi_get_bytes(b"x")
        assert make_literal_wrapper("")("x") == "x" == try_coerce_native("x")
        assert normalize_string_tuple(("a", "b")) == ("a", "b")
        try:
            normalize_string_tuple(("a", b"b"))
        except TypeError:
            pass
        else:
            raise AssertionError
    """
    run_legacy(code)
