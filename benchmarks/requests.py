"""The cost of a request on the fork and on plain Flask: `scripts/fork test bench`.

CPU time of both, measured in turn, in process and without sockets.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
import tempfile

from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.base.venv import Environment
from forkkit.pack import dist
from forkkit.upstream.pin import Pin

ROUNDS = 15

#: Prints the least time of each workload, in microseconds per request.
_PROGRAM = """
import time, timeit, flask
app = flask.Flask("benchmark", static_folder=None)
source = "<ul>{% for n in range(3) %}<li>{{ n }}{% endfor %}</ul>{{ user|upper }}"
views = {
    "/text": lambda: "text",
    "/template": lambda: flask.render_template_string(source, user="alice"),
    "/stream": lambda: flask.stream_with_context(c for c in "x" * 100),
}
for path, view in views.items():
    app.add_url_rule(path, path[1:], view)

def request():
    body = app(dict(environ), lambda status, headers: statuses.add(status))
    size = sum(map(len, body))
    body.close()
    return size

for path, size in [("/text", 4), ("/template", 29), ("/stream", 100)]:
    environ, statuses = app.test_request_context(path).request.environ, set()
    assert request() == size and statuses == {"200 OK"}, path
    times = timeit.repeat(request, timer=time.process_time, repeat=10, number=100)
    print(min(times) * 1e4)
"""


def main(folder_of_wheels: str) -> None:
    """Print one figure per line."""
    pin = Pin.load(here())
    with tempfile.TemporaryDirectory() as folder:
        wheels = dist.wheels_in(pathlib.Path(folder_of_wheels))
        fork = venv.create(pathlib.Path(folder, "fork"), *wheels)
        plain = venv.create(pathlib.Path(folder, "plain"), pin.requirement)
        rounds = [(measured(fork), measured(plain)) for _ in range(ROUNDS)]
    names = ("a plain text", "a template from a string", "a stream of 100 chunks")
    for number, name in enumerate(names):
        pairs = [(mine[number], theirs[number]) for mine, theirs in rounds]
        least = [min(side) for side in zip(*pairs)]
        median = statistics.median(a / b for a, b in pairs)
        print(
            f"{name}, fork / Flask {pin.version}: {least[0] / least[1]:.3f} of the"
            f" minima ({least[0]:.1f} us / {least[1]:.1f} us), {median:.3f} median of"
            " pairs"
        )


def measured(env: Environment) -> list[float]:
    """The figures that the program prints."""
    return [float(line) for line in env.evaluate(_PROGRAM).split()]


if __name__ == "__main__":
    main(sys.argv[1])
