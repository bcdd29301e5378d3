"""Random maps, and what they match and build.

Applications make the maps and rules, so that a fork with its own classes is compared.
"""

from __future__ import annotations

import pathlib
import re
import typing as t
from random import Random

import flask
import seen
from werkzeug.routing import BaseConverter
from werkzeug.routing import PathConverter
from werkzeug.routing import ValidationError
from werkzeug.test import create_environ

MATCHES = 100
PARTS = [
    *("a", "b", "ab", "a.b", "a-b", "\u00fc", "a b", "x|y", ""),
    *("<x>", "<int:n>", "<int(signed=True):n>", "<int(fixed_digits=3):n>", "<path:p>"),
    *("<float:f>", "<any(a,ab,'c d'):w>", "<uuid:u>", "<string(length=2):s>"),
    *(
        "<even:e>",
        "<two:d>",
        "<heavy:h>",
        "a<x>",
        "<x>.html",
        "<int:n>-<x>",
        "v<int:n>",
    ),
    "<string(minlength=2, maxlength=4):s>",
]
HOSTS = [
    *["shop.example"] * 4,
    "<x>.shop.example",
    "api.shop.example:80",
    "localhost",
    "",
]
SUBDOMAINS = ["", "api", "<x>", "<any(de,en):lang>", "www"]
WORDS = [
    *("a", "b", "ab", "a.b", "a-b", "\u00fc", "a b", "x|y", "", "1", "001", "-5", "2"),
    *("1.5", "c d", "7", "ax", "x.html", "1-x", "v3", "abc", "a%2Fb", "..", "a/b"),
    *("00000000-0000-0000-0000-000000000007", "de", "1/2", "x:y", "\u0661"),
]
#: Words for variables by the last letter of their names.
FITTING = {
    "n": ["1", "7", "-5", "001", "123"],
    "p": ["a", "a/b", "a/b/c"],
    "f": ["1.5", "0.0", "-1.5"],
    "w": ["a", "ab", "c d"],
    "u": ["00000000-0000-0000-0000-000000000007"],
    "s": ["ab", "abc", "xy"],
    "e": ["2", "4", "7"],
    "d": ["a/b", "1/2"],
}
METHODS = [
    None,
    None,
    None,
    ["GET"],
    ["POST"],
    ["GET", "POST"],
    ["PUT", "DELETE"],
    ["HEAD"],
    [],
]
VALUES = [1, 0, -5, "x", "ab", "a b", "\u00fc", "a/b", 1.5, None, ["a", "b"], "", True]


class Even(BaseConverter):
    """Refuses odd numbers after its expression has matched."""

    regex = r"\d+"

    def to_python(self, value: str) -> int:
        if int(value) % 2:
            raise ValidationError
        return int(value)


class Two(PathConverter):
    """Matches two parts."""

    regex = "[^/]+/[^/]+"
    weight = 150


class Heavy(BaseConverter):
    """Is tried after all others."""

    weight = 1000

    def to_url(self, value: t.Any) -> str:
        return f"~{super().to_url(value)}"


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Make a map, and yield what each of its matches and URLs is."""
    seen.begin(rng)
    by_host = rng.random() < 0.15
    app = flask.Flask("routing", static_folder=None)
    made = app.url_map_class(
        host_matching=by_host,
        strict_slashes=rng.random() < 0.7,
        merge_slashes=rng.random() < 0.7,
        redirect_defaults=rng.random() < 0.7,
        sort_parameters=rng.random() < 0.2,
        default_subdomain=rng.choice(["", "", "", "", "www"]),
        converters={"even": Even, "two": Two, "heavy": Heavy},
    )
    rules = [add_rule(app, made, rng, by_host) for _ in range(rng.choice([1, 5, 20]))]
    yield {"rules": rules}
    for _ in range(MATCHES):
        if rng.random() < 0.03:
            rules.append(add_rule(app, made, rng, by_host))
            yield {"rule": rules[-1]}
        adapter = seen.attempt("adapter", bind, made, rng)
        yield {"do": look_up(adapter, made, rng)} if adapter else {"do": "no adapter"}
    yield {"map": seen.text(made), "rules": [seen.text(x) for x in made.iter_rules()]}


def add_rule(app: flask.Flask, made: t.Any, rng: Random, by_host: bool) -> str:
    """Add a random rule, and say which, or why it cannot be added."""
    # The variables of a rule have different names.
    parts = list(
        dict.fromkeys(rng.choice(PARTS) for _ in range(rng.choice([0, 1, 2, 3])))
    )
    rule = "/" + "/".join(parts) + rng.choice(["", "", "/"])
    options: dict[str, t.Any] = {"methods": rng.choice(METHODS)}
    options["endpoint"] = rng.choice(["one", "two", "three", "four", "five"])
    if by_host:
        options["host"] = rng.choice(HOSTS)
    elif rng.random() < 0.2:
        options["subdomain"] = rng.choice(SUBDOMAINS)
    if rng.random() < 0.1:
        options["defaults"] = {rng.choice(["n", "x", "page"]): rng.choice([1, "x"])}
    if rng.random() < 0.1:
        options["strict_slashes"] = rng.choice([True, False])
        options["merge_slashes"] = rng.choice([True, False])
    if rng.random() < 0.06:
        options["redirect_to"] = rng.choice(["a/b", "/<x>", "http://h/"])
    if rng.random() < 0.06:
        options["alias"] = True
    if rng.random() < 0.05:
        options["build_only"] = True
    if rng.random() < 0.05:
        options.update(websocket=True, methods=None)
    added = seen.outcome(lambda: made.add(app.url_rule_class(rule, **options)))
    return f"{rule} {seen.text(options)} {added}"


def bind(made: t.Any, rng: Random) -> t.Any:
    """An adapter for a random host."""
    host = rng.choice(
        ["shop.example"] * 5 + ["api.shop.example", "localhost", "a.b.c", "x:80"]
    )
    scheme = rng.choice(["http", "http", "https", "ws"])
    if rng.random() < 0.5:
        return made.bind(
            host,
            script_name=rng.choice([None, "/", "/app", "app/"]),
            subdomain=rng.choice([None, None, "api", "de"])
            if not made.host_matching
            else None,
            url_scheme=scheme,
            default_method=rng.choice(["GET", "POST"]),
            path_info=rng.choice([None, path(rng)]),
            query_args=rng.choice([None, "a=1", {"b": "2"}]),
        )
    environ = create_environ(path(rng), f"{scheme}://{host}/", query_string="q=1")
    environ["PATH_INFO"] = path(rng).encode().decode("latin-1")
    if rng.random() < 0.1:
        environ.update(HTTP_UPGRADE="websocket", HTTP_CONNECTION="upgrade")
    return made.bind_to_environ(environ, server_name=rng.choice([None, "shop.example"]))


def path(rng: Random) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    return (
        rng.choice(["/", "/", "/", "", "//"]) + "/".join(words) + rng.choice(["", "/"])
    )


def path_of(rng: Random, made: t.Any) -> str:
    """A path that may match one of the rules, with words for its variables."""
    rules = [str(rule) for rule in made.iter_rules()] or ["/"]

    def word(found: re.Match[str]) -> str:
        return rng.choice(FITTING.get(found[1], WORDS) if rng.random() < 0.9 else WORDS)

    return re.sub(r"<[^>]*?(\w)>", word, rng.choice(rules))


def look_up(adapter: t.Any, made: t.Any, rng: Random) -> str:
    """Ask an adapter one thing, and say what and what came."""
    choice = rng.random()
    where = rng.choice([None, path(rng), *[path_of(rng, made) for _ in range(5)]])
    if choice < 0.6:
        options = {
            "method": rng.choice(
                [None, None, "GET", "GET", "POST", "HEAD", "get", "X"]
            ),
            "return_rule": rng.choice([True, False]),
            "query_args": rng.choice([None, {}, {"a": ["1", "\u00fc"]}, "x=1"]),
            "websocket": rng.choice([None] * 8 + [True, False]),
        }
        return f"match {where} {options} {outcome(adapter.match, where, **options)}"
    if choice < 0.65:
        return (
            f"methods {where} {outcome(lambda: sorted(adapter.allowed_methods(where)))}"
        )
    if choice < 0.7:
        return (
            f"test {where} {outcome(adapter.test, where, rng.choice([None, 'POST']))}"
        )
    endpoint = rng.choice(["one", "two", "three", "four", "five", "missing"])
    names = rng.sample(
        ["x", "n", "p", "f", "w", "u", "s", "e", "d", "h", "q"], rng.choice([0, 1, 2])
    )
    values = {name: rng.choice(VALUES) for name in names}
    options = {
        "method": rng.choice([None, None, "GET", "POST"]),
        "force_external": rng.choice([True, False]),
        "append_unknown": rng.choice([True, True, False]),
        "url_scheme": rng.choice([None, None, "https", ""]),
    }
    built = outcome(adapter.build, endpoint, values, **options)
    return f"build {endpoint} {values} {options} {built}"


def outcome(function: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> str:
    """As :func:`seen.outcome`, with what an error of routing carries."""
    try:
        return seen.text(function(*args, **kwargs))
    except Exception as e:
        new_url = getattr(e, "new_url", "")
        methods = sorted(getattr(e, "valid_methods", None) or [])
        return f"raised {seen.error(e)} {new_url} {methods}"
