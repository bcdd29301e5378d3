"""What the benchmarks say is right: their arithmetic, and the checks of the answers."""

from __future__ import annotations

import contextlib
import http.server
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import types
import typing as t

import pytest
from speed import __main__ as speed_main
from speed import instructions
from speed import report
from speed import servers
from speed import worker
from speed import workloads
from speed.apps import werkzeug_app
from speed.apps import wsgi_app
from speed.driving import driver
from speed.driving import WrongAnswer
from speed.load import load
from speed.load import LoadFailed
from speed.report import Ratio
from speed.report import Result

import toy
from forkkit.base import programs
from forkkit.base.paths import here

HELLO = workloads.ALL["hello"]


def test_ratios_are_of_the_minima_and_of_the_pairs():
    ratio = Ratio.of([10.0, 12.0, 20.0], [5.0, 3.0, 10.0])
    assert ratio.minima == pytest.approx(10 / 3)
    assert (ratio.median, ratio.low, ratio.high) == (2, 2, 3)


def test_a_single_round_has_no_spread():
    assert Ratio.of([6.0], [3.0]) == Ratio(2, 2, 2, 2)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_rounds_have_to_be_pairs(values):
    with pytest.raises(ValueError, match="2 rounds and"):
        Ratio.of([1.0, 2.0], values)


def test_tables():
    values = {"Flask": [10.0, 12.0, 20.0], "fork": [5.0, 3.0, 10.0]}
    results = [
        Result("hello", "us", values),
        Result("async", "us", {"Flask": [4.0] * 3, "Falcon": [1.0] * 3}),
    ]
    assert report.tables(results) == (
        "least  unit  Flask       fork     Falcon\n"
        "hello    us   10.0  3.0 3.33x          -\n"
        "async    us    4.0          -  1.0 4.00x\n"
        "\n"
        "median of pairs (middle half)                 fork               Falcon\n"
        "hello                          2.00 (2.00 to 3.00)                    -\n"
        "async                                            -  4.00 (4.00 to 4.00)\n"
    )


def test_a_table_without_the_reference_has_no_ratios():
    result = Result("hello", "us", {"fork": [5.0, 6.0], "Falcon": [1.0, 2.0]})
    assert report.tables([result]) == (
        "least  unit  fork  Falcon\nhello    us   5.0     1.0\n"
    )


def test_what_is_counted_can_be_zero_and_has_no_ratio(tmp_path):
    result = Result("garbage", report.COUNTED, {"Flask": [8.0], "fork": [0.0]})
    assert result.ratios == {}
    assert Ratio.of([8.0], [0.0]).minima == math.inf
    timed = Result("hello", "us", {"Flask": [8.0], "fork": [0.0]})
    report.write(tmp_path / "new" / "results.json", [result, timed], rounds=1)
    content = json.loads((tmp_path / "new" / "results.json").read_text())
    assert content["rounds"] == 1
    assert content["results"][0]["values"] == {"Flask": [8.0], "fork": [0.0]}
    assert content["results"][1]["ratios"]["fork"]["minima"] is None


def test_requests_per_second():
    results = [
        Result("hello, sync, 1", "wall us", {"Flask": [500.0], "fork": [250.0]}),
        Result("hello, uvicorn, 1", "wall us", {"FastAPI": [400.0, 200.0]}),
    ]
    assert servers.per_second(results) == (
        "requests per second  Flask        fork  FastAPI\n"
        "hello, sync, 1        2000  4000 2.00x        -\n"
        "hello, uvicorn, 1        -           -     5000\n"
    )


@pytest.mark.parametrize(
    ("name", "status", "headers", "body", "problem"),
    [
        ("hello", 200, {}, b"Hello, World!", ""),
        ("hello", 201, {}, b"Hello, World!", "hello: the status is 201 instead of 200"),
        ("hello", 200, {}, b"Hello", "hello: 'Hello' instead of 'Hello, World!'"),
        ("session", 200, {"Set-Cookie": "a=b"}, b"visit 2", ""),
        ("session", 200, {}, b"visit 2", "session: no '=' in the header set-cookie"),
        ("form", 303, {"Location": "/account", "Set-Cookie": "a=b"}, b"any", ""),
        (
            "form",
            303,
            {"Location": "/", "Set-Cookie": "a=b"},
            b"",
            "form: '/' instead of '/account'",
        ),
        ("template", 200, {}, workloads.page().replace("<li>", "\n <li>").encode(), ""),
    ],
)
def test_answers_are_compared_by_their_content(name, status, headers, body, problem):
    workload = workloads.ALL[name]
    assert workload.problem(status, [*headers.items()], body) == problem


def test_json_is_equal_however_it_is_written():
    workload = workloads.ALL["postjson"]
    reordered = dict(reversed(workload.content.items()))
    assert not workload.problem(201, [], json.dumps(reordered, indent=2).encode())
    reordered["total"] += 1
    assert workload.problem(201, [], json.dumps(reordered).encode())


@pytest.mark.parametrize("name", sorted(werkzeug_app.WSGI))
@pytest.mark.parametrize("module", [werkzeug_app, wsgi_app], ids=lambda x: x.__name__)
def test_applications_give_the_right_answers(module, name):
    made = driver(module, workloads.ALL[name])
    assert made is not None
    assert made.run(3).body == made.run(1).body


def answering(text: str, left: t.Callable[[], object] = lambda: None) -> t.Any:
    """Applications of which only hello is there, and answers ``text``."""

    def app(environ: t.Any, start_response: t.Any) -> list[bytes]:
        left()
        start_response("200 OK", [])
        return [text.encode()]

    return types.SimpleNamespace(WSGI={"hello": lambda: app}, ASGI={})


def test_a_wrong_answer_is_not_timed():
    assert driver(answering(workloads.TEXT), HELLO) is not None
    with pytest.raises(WrongAnswer, match="hello: 'Bye' instead of"):
        driver(answering("Bye"), HELLO)
    assert driver(answering("Bye"), workloads.ALL["json"]) is None


def test_an_asgi_application():
    async def app(scope: t.Any, receive: t.Any, send: t.Any) -> None:
        assert (await receive())["body"] == workload.body
        content = json.dumps(workload.content).encode()
        await send({"type": "http.response.start", "status": 201})
        await send({"type": "http.response.body", "body": content[:9]})
        await send({"type": "http.response.body", "body": content[9:]})

    workload = workloads.ALL["postjson"]
    apps = types.SimpleNamespace(WSGI={}, ASGI={"postjson": lambda: app})
    made = driver(apps, workload)
    assert made is not None
    with contextlib.closing(made):
        assert made.run(2).status == 201


def test_garbage_is_counted_per_request():
    def leave() -> None:
        garbage: list[t.Any] = []
        garbage.append(garbage)

    for left, count in ((leave, 1), (lambda: None, 0)):
        made = driver(answering(workloads.TEXT, left), HELLO)
        assert made is not None
        assert worker.cycles(made, 50) == count


@pytest.mark.parametrize(
    ("options", "args", "said"),
    [
        (speed_main.options, ["--workloads", "nope"], "no workload 'nope'; there are:"),
        (speed_main.options, ["--only", "fork", "nope"], "there is no variant 'nope'"),
        (speed_main.options, ["--rounds", "0"], "there has to be a round"),
        (speed_main.options, ["--chart", "x", "--only", "fork"], "which is left out"),
        (servers.options, ["--workloads", "nope"], "there is no workload 'nope'"),
        (servers.options, ["--servers", "nope"], "there is no server 'nope'"),
        (instructions.options, ["--workloads", "nope"], "there is no workload 'nope'"),
        (instructions.options, ["--record", "--workloads", "json"], "all workloads"),
    ],
)
def test_what_is_not_there_is_named(options, args, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        options(args)
    assert said in capsys.readouterr().err


def test_all_workloads_and_variants_are_the_default():
    chosen = speed_main.options([])
    assert len(chosen.workloads) == 12
    assert len(chosen.only) == 11
    assert chosen.rounds == 15


def test_more_than_a_percent_above_the_record_fails():
    record = {"hello": {"Flask": 1000, "fork": 1000}, "json": {"fork": 1000}}
    counts = {"hello": {"Flask": 1010, "fork": 1011}, "json": {"fork": 989}}
    more, less = instructions.compare(record, counts)
    assert more == ["hello, fork: 1011 instead of 1000 (+1.1%)"]
    assert less == ["json, fork: 989 instead of 1000 (-1.1%)"]
    assert instructions.compare(record, {"form": {"fork": 5}}) == (
        ["form, fork: 5, and there is no record"],
        [],
    )


def test_the_record_is_complete():
    record = json.loads(instructions.RECORD.read_text())
    assert [*record["bytecode"]] == instructions.every_name()
    for counts in record["bytecode"].values():
        assert [*counts] == [variant.name for variant in instructions.FLASKS]
    assert record["python"].startswith(f"{instructions.PYTHON}.")


@pytest.mark.skipif(not shutil.which("python3.11"), reason="the record is of 3.11")
def test_the_gate_counts_the_built_fork(built, tmp_path, capsys):
    options = ["--workloads", "hello", "--wheels", str(built.wheel.parent)]
    file = tmp_path / "record.json"
    options += ["--against", str(file)]
    shutil.copy(instructions.RECORD, file)
    instructions.main(options)
    out = capsys.readouterr().out
    row = re.search(r"(?m)^hello +bytecode +(\d+) +(\d+) [\d.]+x +(\d+) [\d.]+x$", out)
    assert row is not None
    counts = map(int, row.groups())
    record = dict(zip((variant.name for variant in instructions.FLASKS), counts))
    record["fork"] -= record["fork"] // 50
    record["Flask"] += record["Flask"] // 50
    file.write_text(json.dumps({"python": "3.11.0", "bytecode": {"hello": record}}))
    with pytest.raises(SystemExit, match=r"recorded with Python 3\.11\.0"):
        instructions.main(options)
    out = capsys.readouterr().out
    assert "more than recorded: hello, fork: " in out
    assert "fewer than recorded: hello, Flask: " in out
    assert "fork-off:" not in out


COUNTING = """
from speed.counting import Counter
def work(times):
    with Counter() as counter:
        loop(times)
    return counter.count
def loop(times):
    for _ in range(times):
        sorted([2, 1])
print(work(10), work(20), work(30))
"""


def test_bytecode_is_counted_exactly():
    path = here().root / "benchmarks"
    done = programs.run(sys.executable, "-c", COUNTING, env={"PYTHONPATH": str(path)})
    ten, twenty, thirty = map(int, done.stdout.split())
    assert thirty - twenty == twenty - ten > 10 * 4
    assert 0 < ten < 10 * 40


@contextlib.contextmanager
def answers(text: str, protocol: str) -> t.Iterator[tuple[str, int]]:
    """A server that always answers ``text``, with and without kept connections."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            if protocol == "HTTP/1.0":
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that is not content leaves."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield "127.0.0.1", server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_the_client_checks_every_answer(protocol):
    with answers(workloads.TEXT, protocol) as address:
        assert load(address, HELLO, 40) > 0
    with answers("Bye", protocol) as address:
        with pytest.raises(LoadFailed, match="hello: 'Bye' instead of"):
            load(address, HELLO, 40)


BURN = """
import os, time
if not os.fork():
    while time.process_time() < 0.2: pass
    os._exit(0)
while time.process_time() < 0.2: pass
os.wait()
if not os.fork():
    while time.process_time() < 0.2: pass
    print("done", flush=True)
    time.sleep(600)
os.wait()
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="needs Linux")
def test_the_cpu_time_is_that_of_all_processes_of_a_server():
    with subprocess.Popen(
        [sys.executable, "-c", BURN], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        # The first child has ended, and is not among them.
        assert 0.38 <= servers.cpu_seconds(process.pid) < 0.59
        servers.stop(process)


def test_what_follows_two_dashes_is_for_the_session(tmp_path):
    project = toy.make(tmp_path / "toy")
    (project.root / "noxfile.py").write_text(
        "import nox, pathlib\n"
        "@nox.session(venv_backend='none')\n"
        "def one(session):\n"
        "    pathlib.Path('given').write_text(repr(session.posargs))\n"
    )
    project.fork("test", "one", "--", "--rounds", "2", "one")
    assert (project.root / "given").read_text() == "['--rounds', '2', 'one']"
    assert "there is no session two" in project.fork("test", "two", code=2).stderr
