"""One application in several threads at once, and contexts that are copied."""

from __future__ import annotations

import contextvars
import pathlib
import threading
import typing as t
from random import Random

import applications
import environs
import requests_net
import seen

THREADS = 4
REQUESTS = 25
#: Those in which no request depends on the one before.
NAMES = [name for name in applications.CONFIGURATIONS if name != "late"]


def play(rng: Random, chunk: int, folder: pathlib.Path) -> t.Iterator[t.Any]:
    """Play requests in threads, and yield what is seen of each, by thread."""
    seen.begin(rng)
    name = NAMES[chunk % len(NAMES)]
    application = applications.build(name, rng, folder)
    applications.connect(application.app, rng)
    seeds = [rng.random() for _ in range(THREADS)]
    found: list[list[t.Any]] = [[] for _ in seeds]
    threads = [
        threading.Thread(target=requests, args=(application, Random(seed), result))
        for seed, result in zip(seeds, found)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    applications.disconnect(application.app)
    for number, results in enumerate(found):
        for result in results:
            yield {"configuration": name, "thread": number, **result}


def requests(
    application: applications.Application, rng: Random, found: list[t.Any]
) -> None:
    """Play the requests of one thread, half of them in a copied context."""
    for _ in range(REQUESTS):
        environ = environs.environ(rng, application.paths, [])
        case = seen.begin(Random(rng.random()))
        run = contextvars.copy_context().run if rng.random() < 0.5 else call
        got = run(requests_net.answer, application.app, environ)
        do = {key: seen.text(environ.get(key)) for key in ("PATH_INFO", "HTTP_HOST")}
        found.append({"do": do, "got": got, "events": case.events})


def call(function: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    return function(*args)
