"""With a flag, a blueprint handles the unknown URLs below its own prefix."""

from __future__ import annotations

import flask
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound


def handle(owner, name, *codes):
    for code in codes or (404, 405):
        owner.errorhandler(code)(lambda e: (f"{name} {e.code}", e.code))


def blueprint(name, prefix=None, codes=(404, 405), **kwargs):
    bp = flask.Blueprint(name, __name__, url_prefix=prefix, **kwargs)
    if codes:
        handle(bp, name, *codes)
    return bp


def make_app(*blueprints, enabled=True, **kwargs):
    app = flask.Flask(__name__, **kwargs)
    app.config["BLUEPRINT_ROUTING_ERRORS"] = enabled
    handle(app, "app")
    for bp in blueprints:
        app.register_blueprint(bp)
    return app


def get(app, path, method="GET", **kwargs):
    return app.test_client().open(path, method=method, **kwargs).text


def test_the_default():
    assert flask.Flask.default_config["BLUEPRINT_ROUTING_ERRORS"] is False
    assert get(make_app(blueprint("api", "/api"), enabled=False), "/api/x") == "app 404"


def test_an_app_class_whose_config_was_written_before():
    class App(flask.Flask):
        default_config = ImmutableDict(
            (key, value)
            for key, value in flask.Flask.default_config.items()
            if key != "BLUEPRINT_ROUTING_ERRORS"
        )

    app = App(__name__)
    app.register_blueprint(blueprint("api", "/api"))
    assert app.test_client().get("/api/x").status_code == 404


@pytest.mark.parametrize("prefix", ["/api", "/api/"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api", "api 404"),
        ("/api/", "api 404"),
        ("/api/x", "api 404"),
        ("/api/x/y?z=1", "api 404"),
        ("/api//x", "api 404"),
        ("/apis", "app 404"),
        ("/apis/x", "app 404"),
        ("/ap", "app 404"),
        ("/x/api/y", "app 404"),
        ("/", "app 404"),
        ("/API/x", "app 404"),
    ],
)
def test_the_prefix_ends_at_a_slash(prefix, path, expected):
    app = make_app(blueprint("api", prefix))
    assert get(app, path) == expected


def test_a_method_that_is_not_allowed():
    bp = blueprint("api", "/api")
    bp.post("/item")(lambda: "")
    app = make_app(bp)
    app.post("/item")(lambda: "")
    assert get(app, "/api/item") == "api 405"
    assert get(app, "/item") == "app 405"
    response = app.test_client().get("/api/item")
    assert response.status_code == 405


def test_the_handler_sees_the_exception():
    bp = blueprint("api", "/api", codes=None)
    bp.post("/item")(lambda: "")

    @bp.errorhandler(405)
    def handler(error):
        return str(sorted(error.valid_methods)), 405

    app = make_app(bp)
    assert get(app, "/api/item") == "['OPTIONS', 'POST']"


def test_the_longest_prefix_is_tried_first():
    app = make_app(
        blueprint("a", "/a"),
        blueprint("abc", "/a/b/c", codes=[405]),
        blueprint("ab", "/a/b", codes=[404]),
    )
    assert get(app, "/a/x") == "a 404"
    assert get(app, "/a/b/x") == "ab 404"
    assert get(app, "/a/b/c/x") == "ab 404"


def test_nested_ones_are_tried_from_the_deepest():
    outer = blueprint("outer", "/outer", codes=[404, 405])
    middle = blueprint("middle", codes=[404])
    inner = blueprint("inner", "/inner", codes=[405])
    middle.register_blueprint(inner)
    outer.register_blueprint(middle)
    inner.post("/item")(lambda: "")
    middle.post("/item")(lambda: "")
    app = make_app(outer)
    assert get(app, "/outer/inner/item") == "inner 405"
    assert get(app, "/outer/inner/x") == "middle 404"
    assert get(app, "/outer/item") == "outer 405"
    assert get(app, "/outer/x") == "middle 404"
    assert get(app, "/x") == "app 404"


def test_a_parent_that_has_no_prefix():
    parent = blueprint("parent", codes=[404])
    child = blueprint("child", "/child", codes=[405])
    parent.register_blueprint(child)
    app = make_app(parent, blueprint("other", "/other", codes=[405]))
    assert get(app, "/child/x") == "parent 404"
    assert get(app, "/other/x") == "app 404"
    assert get(app, "/x") == "app 404"


def test_a_blueprint_that_has_no_prefix():
    for prefix in (None, "", "/"):
        app = make_app(blueprint("bp", prefix))
        assert get(app, "/x") == "app 404"
        assert get(app, "/") == "app 404"


def test_variables_in_the_prefix():
    app = make_app(
        blueprint("shop", "/shop/<int:number>/items"),
        blueprint("part", "/part-<name>"),
        blueprint("lang", "/<lang>/x"),
    )
    assert get(app, "/shop/1/items/x") == "shop 404"
    assert get(app, "/shop/x") == "shop 404"
    assert get(app, "/part-1/x") == "app 404"
    assert get(app, "/en/x/y") == "app 404"


def test_the_prefix_of_the_registration():
    bp = blueprint("bp", "/own", codes=[404])
    app = make_app()
    app.register_blueprint(bp, url_prefix="/one")
    app.register_blueprint(bp, url_prefix="/two", name="again")
    assert get(app, "/one/x") == get(app, "/two/x") == "bp 404"
    assert get(app, "/own/x") == "app 404"


def test_handlers_of_classes_and_of_the_app():
    bp = blueprint("bp", "/bp", codes=None)
    bp.errorhandler(HTTPException)(lambda e: (f"class {e.code}", e.code))
    app = make_app(bp)
    # A handler for the code takes precedence, no matter who registered it.
    assert get(app, "/bp/x") == "app 404"
    app.error_handler_spec[None].clear()
    assert get(app, "/bp/x") == "class 404"
    bp = blueprint("bp", "/bp", codes=None)
    bp.app_errorhandler(404)(lambda e: ("app's by bp", 404))
    app = make_app(bp)
    assert get(app, "/x") == get(app, "/bp/x") == "app's by bp"


def test_what_the_routing_did_not_raise():
    bp = blueprint("bp", "/bp")
    app = make_app(bp)

    @app.get("/bp/of-the-app")
    def of_the_app():
        flask.abort(404)

    assert get(app, "/bp/of-the-app") == "app 404"
    app = make_app(blueprint("bp", "/bp"))

    @app.before_request
    def before():
        raise NotFound

    assert get(app, "/bp/x") == "app 404"


def test_slashes_are_redirected_as_ever():
    bp = blueprint("bp", "/bp")
    bp.get("/item/")(lambda: "item")
    app = make_app(bp)
    response = app.test_client().get("/bp/item")
    assert response.status_code == 308
    assert response.location == "http://localhost/bp/item/"


def test_other_functions_of_the_blueprint_are_not_run():
    bp = blueprint("bp", "/bp")
    for register in (bp.before_request, bp.teardown_request):
        register(lambda *args: pytest.fail("it was run"))
    bp.after_request(lambda response: pytest.fail("it was run"))
    bp.context_processor(lambda: pytest.fail("it was run"))
    seen = []
    bp.before_app_request(lambda: seen.append(flask.request.blueprints))
    app = make_app(bp)
    assert get(app, "/bp/x") == "bp 404"
    assert seen == [[]]


def test_a_bad_host():
    app = make_app(blueprint("bp", "/bp"))
    handle(app, "app", 400)
    assert get(app, "/bp/x", headers={"Host": "foo..bar"}) == "app 400"


def test_the_script_name():
    app = make_app(blueprint("bp", "/bp"))
    script = {"SCRIPT_NAME": "/root"}
    assert get(app, "/bp/x", environ_overrides=script) == "bp 404"


def test_subdomains():
    app = make_app(
        blueprint("main", "/x"),
        blueprint("api", subdomain="api"),
        blueprint("api2", "/x", subdomain="api"),
        blueprint("user", "/u", subdomain="<user>"),
        subdomain_matching=True,
    )
    app.config["SERVER_NAME"] = "site.example"
    for host, path, expected in [
        ("site.example", "/x/y", "main 404"),
        ("site.example", "/y", "app 404"),
        ("site.example", "/u/y", "app 404"),
        ("api.site.example", "/x/y", "api2 404"),
        ("api.site.example", "/y", "api 404"),
        ("bob.site.example", "/u/y", "user 404"),
        ("bob.site.example", "/x/y", "app 404"),
    ]:
        assert get(app, path, headers={"Host": host}) == expected, (host, path)


def test_a_host_that_is_not_the_servers():
    bp = blueprint("any", subdomain="<name>")
    app = make_app(bp, subdomain_matching=True)
    app.config["SERVER_NAME"] = "a.example"
    assert get(app, "/x", base_url="http://b.a.example") == "any 404"
    with pytest.warns(UserWarning, match="server name"):
        assert get(app, "/x", base_url="http://c.example") == "app 404"


def test_an_application_that_does_not_know_the_host():
    class App(flask.Flask):
        def create_url_adapter(self, request):
            if request is not None:
                raise NotFound
            return super().create_url_adapter(request)

    app = App(__name__)
    app.config["BLUEPRINT_ROUTING_ERRORS"] = True
    app.register_blueprint(blueprint("api", "/api"))
    assert get(app, "/api/x") == "api 404"
    assert app.test_client().get("/x").status_code == 404


def test_subdomains_that_are_not_matched():
    app = make_app(blueprint("api", "/x", subdomain="api"))
    assert get(app, "/x/y") == "app 404"


def test_hosts():
    app = make_app(
        blueprint("bp", "/bp"), host_matching=True, static_host="static.example"
    )
    assert get(app, "/bp/x", headers={"Host": "any.example"}) == "bp 404"


segments = st.sampled_from(["a", "b", "ab"])
prefixes = st.lists(segments, max_size=2).map(
    lambda parts: "".join(f"/{part}" for part in parts) or None
)
trees = st.recursive(
    st.tuples(prefixes, st.booleans(), st.just([])),
    lambda inner: st.tuples(prefixes, st.booleans(), st.lists(inner, max_size=2)),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(trees, max_size=3), st.lists(segments, max_size=5))
def test_nested_blueprints(forest, parts):
    """Compared with a literal implementation of the rule."""
    expected = []

    def build(tree, parents, above):
        prefix, handles, children = tree
        name = f"n{next(numbers)}"
        bp = blueprint(name, prefix, codes=[404] if handles else None)
        whole = above + [part for part in (prefix or "").split("/") if part]
        names = [*parents, (name, handles)]
        if whole and parts[: len(whole)] == whole:
            expected.append((len("".join(whole)) + len(whole), len(names), names))
        for child in children:
            bp.register_blueprint(build(child, names, whole))
        return bp

    numbers = iter(range(100))
    app = make_app(*[build(tree, [], []) for tree in forest])
    expected.sort(key=lambda match: match[:2], reverse=True)
    order = [names[-1] for *_, names in expected]
    order += [parent for *_, names in expected for parent in reversed(names)]
    first = next((name for name, handles in order if handles), "app")
    assert get(app, "/" + "/".join(parts)) == f"{first} 404"
