"""Views of every kind: what they return, read, write and raise.

Each takes any arguments of its rule. What a view chooses at random comes from the
case that is played, so that both sides choose the same.
"""

from __future__ import annotations

import asyncio
import datetime
import decimal
import functools
import typing as t
import uuid

import flask
import seen
from flask import request
from flask import session
from markupsafe import Markup
from werkzeug import exceptions

#: The attributes of a request that views read, in an order that the case chooses.
ATTRIBUTES = [
    *("accept_charsets", "accept_encodings", "accept_languages", "accept_mimetypes"),
    *("access_control_request_method", "access_route", "args", "authorization"),
    *("base_url", "blueprint", "blueprints", "cache_control", "content_encoding"),
    *("content_length", "content_type", "cookies", "data", "date", "endpoint", "form"),
    *("files", "full_path", "get_json", "host", "host_url", "if_match"),
    *("if_modified_since", "if_none_match", "if_range", "if_unmodified_since"),
    *("is_json", "is_multiprocess", "is_multithread", "is_run_once", "is_secure"),
    *("json", "max_content_length", "max_form_memory_size", "max_form_parts"),
    *("max_forwards", "method", "mimetype", "mimetype_params", "origin", "path"),
    *("pragma", "query_string", "range", "referrer", "remote_addr", "remote_user"),
    *("root_path", "root_url", "scheme", "script_root", "server", "stream"),
    *("trusted_hosts", "url", "url_root", "url_rule", "user_agent", "values"),
    *("view_args", "want_form_data_parsed", "input_stream"),
    *("routing_exception", "shallow"),
]
#: Noted by the views the streams of which hold the context.
STREAMS = "streams in context"


class Refused(Exception):
    """An error with its own handler in some applications."""


class Broken(Exception):
    """An error without a handler."""


class Teapot(exceptions.HTTPException):
    code = 418
    description = "short and stout"


def read_attributes(**values: t.Any) -> str:
    rng = seen.case().rng
    for name in rng.sample(ATTRIBUTES, rng.choice([1, 4, 12])):
        read(name)
    if rng.random() < 0.2:
        seen.attempt("headers", lambda: list(request.headers.items()))
    if rng.random() < 0.2:
        seen.attempt("header", request.headers.get, rng.choice(["Host", "X-Odd", "-"]))
    if rng.random() < 0.2:
        seen.attempt("has", lambda: rng.choice(["host", "cookie"]) in request.headers)
    return f"read {sorted(values.items())}"


def read(name: str) -> None:
    if name in ("args", "form", "values", "files"):
        seen.attempt(name, lambda: list(getattr(request, name).items(multi=True)))
    elif name == "get_json":
        seen.attempt(name, request.get_json, force=True, silent=True)
    elif name == "stream":
        seen.attempt(name, lambda: request.stream.read(3))
    elif name == "input_stream":
        seen.attempt(name, lambda: request.input_stream.read(1))
    elif name == "server":
        seen.attempt(name, lambda: request.server)
    else:
        seen.attempt(name, lambda: getattr(request, name))


def change_environ(**values: t.Any) -> str:
    """Change what the request was made from, then read."""
    name, value = seen.case().rng.choice(
        [
            ("HTTP_HOST", "changed.example"),
            ("HTTP_X_NEW", "new"),
            ("wsgi.url_scheme", "https"),
            ("QUERY_STRING", "changed=1"),
            ("PATH_INFO", "/changed"),
            ("HTTP_COOKIE", "changed=1"),
            ("REMOTE_ADDR", "9.9.9.9"),
            ("SCRIPT_NAME", "/changed"),
            ("SERVER_NAME", "changed.example"),
            ("SERVER_PORT", "81"),
            ("CONTENT_TYPE", "changed/type"),
        ]
    )
    request.environ[name] = value
    return read_attributes(**values)


def change_request(**values: t.Any) -> str:
    """Change attributes of the request, then read."""
    name, value = seen.case().rng.choice(
        [
            ("path", "/changed"),
            ("query_string", b"changed=1"),
            ("method", "PUT"),
            ("scheme", "https"),
            ("root_path", "/changed"),
            ("max_content_length", 2),
            ("remote_addr", "9.9.9.9"),
            ("server", ("changed.example", 81)),
            ("url_rule", None),
            ("view_args", {"changed": 1}),
            ("args", {"changed": "1"}),
        ]
    )
    seen.attempt(f"set {name}", setattr, request, name, value)
    return read_attributes(**values)


def plain_text(**values: t.Any) -> str:
    return f"text {sorted(values.items())}"


def plain_bytes(**values: t.Any) -> bytes:
    return b"\x00\xff bytes"


def empty(**values: t.Any) -> t.Any:
    return seen.case().rng.choice(["", b"", ("", 204), ("", 304), ({}, 200), []])


def mapping(**values: t.Any) -> dict[str, t.Any]:
    return {
        "b": 1,
        "a": [None, True, 1.5, "\u00fc<"],
        "date": datetime.datetime(2027, 1, 2, tzinfo=datetime.timezone.utc),
        "day": datetime.date(2027, 1, 2),
        "id": uuid.UUID(int=7),
        "price": decimal.Decimal("1.10"),
    }


def sequence(**values: t.Any) -> list[t.Any]:
    return [1, "two", {"z": 1, "y": 2}]


def jsonified(**values: t.Any) -> flask.Response:
    rng = seen.case().rng
    choice = rng.randrange(4)
    if choice == 0:
        return flask.jsonify(args=request.args, n=rng.randrange(9))
    if choice == 1:
        return flask.jsonify([1, 2], "x")
    if choice == 2:
        return flask.jsonify(None)
    return flask.jsonify({"text": "\u2028</script>", "nested": {"b": 1, "a": ()}})


def not_json(**values: t.Any) -> t.Any:
    return {"object": object()}


def tuples(**values: t.Any) -> t.Any:
    return seen.case().rng.choice(
        [
            ("created", 201),
            ("named", "299 Named"),
            ("headed", {"X-A": "1", "Content-Type": "text/x"}),
            ("listed", [("X-A", "1"), ("X-A", "2")]),
            ("all", 202, {"X-B": "\u00e9"}),
            ({"json": 1}, 400, [("X-C", "c")]),
            (flask.Response("made", 203), 204),
            ("bad", 200, {"X-D": "a\r\nb"}),
            ("bad", "x"),
            ("bad", 99999),
            ("bad", None),
            ("bad", 200, None),
            (None, 200),
            ("a", "b", "c", "d"),
            (),
            ("one",),
        ]
    )


def wrong(**values: t.Any) -> t.Any:
    return seen.case().rng.choice([None, 1, 1.5, object, {1, 2}, True])


def response(**values: t.Any) -> flask.Response:
    rng = seen.case().rng
    made = flask.Response(
        rng.choice(["made", b"made", ["a", "b"], None, iter([b"x", b"y"]), ("\xe4",)]),
        rng.choice([None, 200, 201, 204, 304, 404, "299 X", 100]),
        rng.choice([None, {"X-A": "1"}, [("X-A", "1"), ("x-a", "2")]]),
        rng.choice([None, None, "text/plain", "application/json", "image/png"]),
        rng.choice([None, None, "text/css; charset=latin-1"]),
    )
    for change in rng.sample(CHANGES, rng.choice([0, 1, 3])):
        seen.attempt("change", change, made)
    return made


def _location(made: t.Any) -> None:
    made.location = seen.case().rng.choice(["/x", "x/\u00fc", "//h/x", "http://h/?a b"])


def _cookies(made: t.Any) -> None:
    made.set_cookie("a", "1; \u00fc", max_age=5, secure=True, samesite="Lax")
    made.delete_cookie("b", path="/x", domain="shop.example")


def _headers(made: t.Any) -> None:
    made.headers["X-Set"] = "1"
    made.headers.add("Vary", "Accept")
    made.headers.setdefault("Content-Length", "3")


def _vary(made: t.Any) -> None:
    made.vary.update(["Cookie", "X"])
    made.cache_control.max_age = 3
    made.cache_control.public = True


def _etag(made: t.Any) -> None:
    made.add_etag()
    made.make_conditional(request.environ, accept_ranges=True, complete_length=4)


def _stream(made: t.Any) -> None:
    made.stream.write(b"more")


def _data(made: t.Any) -> None:
    made.set_data("other data")
    seen.note("data", made.get_data(), made.content_length, made.is_json)


def _status(made: t.Any) -> None:
    made.status = seen.case().rng.choice(["201 Made", "x", 404, "500"])
    seen.note("status", made.status, made.status_code)


def _kind(made: t.Any) -> None:
    made.mimetype = "text/x-y"
    made.mimetype_params["a"] = "b"
    made.content_type = seen.case().rng.choice(["a/b", "text/html; charset=x"])


def _no_correction(made: t.Any) -> None:
    made.autocorrect_location_header = True
    made.automatically_set_content_length = False


def _on_close(made: t.Any) -> None:
    made.call_on_close(lambda: seen.note("closed by response"))


def _implicit(made: t.Any) -> None:
    made.implicit_sequence_conversion = False
    seen.attempt("get_data", made.get_data)


def _passthrough(made: t.Any) -> None:
    made.direct_passthrough = True


def _no_type(made: t.Any) -> None:
    del made.headers["Content-Type"]


CHANGES = [
    *(_location, _cookies, _headers, _vary, _etag, _stream, _data, _status, _kind),
    *(_no_correction, _on_close, _implicit, _passthrough, _no_type),
]


def made(**values: t.Any) -> flask.Response:
    made = flask.make_response(f"made {request.method}", 200, {"X-Made": "1"})
    _cookies(made)
    return made


def redirect(**values: t.Any) -> t.Any:
    rng = seen.case().rng
    target = rng.choice(["/", "x/../y", "http://h/\u00fc", "//h", "/a b?c=d e"])
    return flask.redirect(target, rng.choice([301, 302, 303, 307, 308]))


def abort(**values: t.Any) -> t.Any:
    rng = seen.case().rng
    choice = rng.randrange(5)
    if choice == 0:
        flask.abort(flask.Response("aborted", 409))
    if choice == 1:
        flask.abort(rng.choice([400, 401, 403, 404, 405, 409, 410, 418, 429, 500, 503]))
    if choice == 2:
        flask.abort(404, description="<described>")
    if choice == 3:
        raise exceptions.MethodNotAllowed(["GET"])
    raise Teapot


def raises(**values: t.Any) -> t.Any:
    raise seen.case().rng.choice(
        [
            *(Broken("broken"), Refused("refused"), ValueError("value"), KeyError("k")),
            exceptions.BadRequestKeyError("k"),
            exceptions.InternalServerError(original_exception=ValueError("inner")),
        ]
    )


def wrong_key(**values: t.Any) -> t.Any:
    return request.form["missing"] + request.args["missing"]


def exits(**values: t.Any) -> t.Any:
    raise SystemExit("exits")


def url_fors(**values: t.Any) -> str:
    rng = seen.case().rng
    for _ in range(rng.choice([1, 3, 8])):
        url_for(rng)
    return "urls"


def url_for(rng: t.Any) -> None:
    """Build a URL with random values, and note it."""
    endpoint = rng.choice([*flask.current_app.view_functions, "missing", ".index", "."])
    names = ["n", "name", "rest", "x", "q", "lang", "filename", "sub"]
    values = {
        name: rng.choice([1, "x", "a b/c", "\u00fc", 1.5, True, None, ["a", "b"], ""])
        for name in rng.sample(names, rng.choice([0, 1, 2]))
    }
    options: dict[str, t.Any] = {}
    if rng.random() < 0.3:
        options["_external"] = rng.choice([True, False])
    if rng.random() < 0.1:
        options["_anchor"] = rng.choice(["x", "a b", "\u00fc", ""])
    if rng.random() < 0.1:
        options["_method"] = rng.choice(["GET", "POST", "get", "X"])
    if rng.random() < 0.1:
        options["_scheme"] = rng.choice(["https", "ftp", ""])
    build = functools.partial(flask.url_for, endpoint, **options, **values)
    seen.attempt(f"url_for {endpoint}", build)


def template(**values: t.Any) -> str:
    rng = seen.case().rng
    name = rng.choice(["page.html", "child.html", "plain.txt", "page.html"])
    return flask.render_template(name, value=rng.choice(["<x>", 1, None]), **values)


def template_string(**values: t.Any) -> str:
    return flask.render_template_string(
        "{{ request.path }} {{ session.get('n') }} {{ g.get('x') }} {{ extra }}"
        " {{ url_for('index') }} {{ config.TESTING }} {{ get_flashed_messages() }}"
        " {{ value|tojson }}{% for n in range(2) %}{{ n }}{% endfor %}",
        value=seen.case().rng.choice([[1, "<"], {"a": 1}, None]),
    )


def template_error(**values: t.Any) -> str:
    return flask.render_template(
        seen.case().rng.choice(["missing.html", "undefined.html", "broken.html"])
    )


def template_stream(**values: t.Any) -> t.Any:
    seen.note(STREAMS)
    return flask.Response(flask.stream_template("page.html", value="<s>"))


def template_macro(**values: t.Any) -> str:
    macro = flask.get_template_attribute("macro.html", "hello")
    return str(macro("<world>"))


def session_read(**values: t.Any) -> str:
    return f"{session.get('n')} {sorted(session)} {session.permanent} {session.new}"


def session_write(**values: t.Any) -> str:
    rng = seen.case().rng
    choice = rng.choice([0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8])
    if choice == 0:
        session["n"] = rng.randrange(5)
    elif choice == 1:
        session.permanent = rng.choice([True, True, False])
    elif choice == 2:
        session.clear()
    elif choice == 3:
        session["tagged"] = {
            "t": (1, 2),
            "b": b"\x00",
            "d": datetime.datetime(2027, 1, 2, tzinfo=datetime.timezone.utc),
            "u": uuid.UUID(int=3),
            " t": 1,
        }
    elif choice == 4:
        session.setdefault("list", []).append(1)
        session.modified = rng.choice([True, False])
    elif choice == 5:
        session.pop("n", None)
        session.update(a="\u00fc" * rng.choice([1, 300]))
    elif choice == 6:
        session["wrong"] = object()
    elif choice == 7:
        session["markup"] = Markup("<b>")
    else:
        session.update({"n": session.get("n", 0), "x": [1.5, None, True]})
    return f"wrote {choice} {session.modified} {session.accessed}"


def flashes(**values: t.Any) -> str:
    rng = seen.case().rng
    if rng.random() < 0.5:
        flask.flash("saved <b>", rng.choice(["message", "error"]))
        return "flashed"
    return repr(
        flask.get_flashed_messages(
            with_categories=rng.choice([True, False]),
            category_filter=rng.choice([(), ["error"]]),
        )
    )


def generator(**values: t.Any) -> t.Iterator[str]:
    yield "a"
    yield from ("b", "c")


def stream(**values: t.Any) -> flask.Response:
    fails = seen.case().rng.random() < 0.2

    def chunks() -> t.Iterator[t.Any]:
        yield "first"
        seen.note("in stream", flask.has_request_context(), flask.has_app_context())
        if fails:
            raise Broken("in stream")
        yield b"\xff"

    made = flask.Response(chunks(), mimetype="text/x")
    if seen.case().rng.random() < 0.3:
        _on_close(made)
    return made


def stream_in_context(**values: t.Any) -> t.Any:
    def chunks() -> t.Iterator[str]:
        yield request.path
        seen.note("in stream", flask.has_request_context(), flask.g.get("x"))
        yield "last"

    seen.note(STREAMS)
    return flask.stream_with_context(chunks())


def file(**values: t.Any) -> t.Any:
    rng = seen.case().rng
    name = rng.choice(["style.css", "data.bin", "missing.txt", "../views.py", "."])
    options = {"as_attachment": True} if rng.random() < 0.2 else {}
    if rng.random() < 0.2:
        options["max_age"] = rng.choice([0, 60])
    if rng.random() < 0.2:
        options["conditional"] = False
    return flask.send_from_directory(flask.current_app.static_folder, name, **options)


def wsgi(**values: t.Any) -> t.Any:
    def application(environ: t.Any, start_response: t.Any) -> list[bytes]:
        start_response("202 Accepted", [("X-Inner", "1")])
        return [b"inner ", environ["REQUEST_METHOD"].encode()]

    return application


def after_this(**values: t.Any) -> str:
    @flask.after_this_request
    def change(response: flask.Response) -> flask.Response:
        response.headers["X-After-This"] = "1"
        return response

    return "after this"


def nested(**values: t.Any) -> str:
    app = flask.current_app._get_current_object()
    with app.test_request_context("/inner?x=1", headers={"X-In": "1"}):
        seen.note("inner", request.path, request.args.get("x"), session.get("n"))
        url_for(seen.case().rng)
    with app.app_context():
        seen.note("inner app", flask.g.get("x"), flask.has_request_context())
        url_for(seen.case().rng)
    return f"outer {request.path} {flask.g.get('x')}"


def nested_request(**values: t.Any) -> str:
    app = flask.current_app._get_current_object()
    client = app.test_client()
    answer = seen.attempt("client", client.get, "/text")
    return f"{request.path} {answer and answer.data}"


def copied(**values: t.Any) -> str:
    flask.g.x = "before the copy"

    @flask.copy_current_request_context
    def inner() -> str:
        return f"{request.path} {flask.g.get('x')} {session.get('n')}"

    return inner()


def globals_(**values: t.Any) -> str:
    flask.g.x = 1
    flask.g.setdefault("y", 2)
    seen.note(flask.g.pop("z", None), "x" in flask.g, sorted(flask.g), bool(flask.g))
    seen.attempt("g", lambda: flask.g.missing)
    return f"{flask.g.x} {flask.current_app.name} {flask.request is request}"


def proxies(**values: t.Any) -> str:
    seen.note(bool(request), bool(session), bool(flask.g), bool(flask.current_app))
    seen.note(isinstance(request, flask.Request), request == request, hash(1))
    seen.attempt("len", len, session)
    seen.attempt("dir", lambda: "path" in dir(request))
    seen.attempt("del", delattr, request, "missing")
    seen.attempt("get", lambda: request["missing"])
    seen.attempt("session", lambda: session["missing"])
    seen.attempt("attribute", lambda: request.missing)
    seen.attempt("or", lambda: session | {"a": 1})
    return type(request._get_current_object()).__name__


async def async_text(**values: t.Any) -> str:
    await asyncio.sleep(0)
    return f"async {request.path} {sorted(values.items())}"


async def async_raises(**values: t.Any) -> str:
    raise seen.case().rng.choice([Broken("async"), Refused("async"), Teapot()])


async def async_session(**values: t.Any) -> t.Any:
    session["async"] = seen.case().rng.randrange(3)
    flask.g.x = "async"
    return {"n": session.get("n")}, 201


VIEWS: list[t.Callable[..., t.Any]] = [
    *(read_attributes, change_environ, change_request, plain_text, plain_bytes),
    *(empty, mapping, sequence, jsonified, not_json, tuples, wrong, response, made),
    *(redirect, abort, raises, wrong_key, exits, url_fors, template, template_string),
    *(template_error, template_stream, template_macro, session_read, session_write),
    *(flashes, generator, stream, stream_in_context, file, wsgi, after_this, nested),
    *(nested_request, copied, globals_, proxies, async_text, async_raises),
    async_session,
]
