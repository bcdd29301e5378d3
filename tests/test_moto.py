"""moto's server, a large Flask application that does not know the fork, runs on it.

A real boto3 client in a separate process gets the same answers as from plain Flask.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

import servers
from forkkit.base import venv
from forkkit.base.paths import here
from forkkit.upstream.pin import Pin

# It serves somebody else's large application.
pytestmark = pytest.mark.sampled

PROGRAMS = pathlib.Path(__file__).with_name("app") / "programs"


@pytest.fixture(scope="module")
def on_the_fork(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> venv.Environment:
    folder = tmp_path_factory.mktemp("moto-fork") / "venv"
    return venv.create(folder, fork_wheel, shim_wheel, "moto[server]")


@pytest.fixture(scope="module")
def on_flask(tmp_path_factory: pytest.TempPathFactory) -> venv.Environment:
    folder = tmp_path_factory.mktemp("moto-flask") / "venv"
    plain = Pin.load(here()).requirement
    return venv.create(folder, plain, "moto[server]")


def test_server_is_made_of_the_fork(on_the_fork: venv.Environment) -> None:
    program = PROGRAMS / "imported_names.py"
    said = on_the_fork.run(program, "moto.moto_server.werkzeug_app", "flask_cors")
    found = json.loads(said.stdout)
    assert found["moto.moto_server.werkzeug_app"]["flask.Flask"] is True
    assert found["flask_cors.extension"]["flask.request"] is True
    assert all(is_fork for names in found.values() for is_fork in names.values())


def test_clouds_answer_alike(
    tmp_path: pathlib.Path,
    on_the_fork: venv.Environment,
    on_flask: venv.Environment,
) -> None:
    answers = use_the_cloud(on_the_fork, tmp_path)
    assert answers == use_the_cloud(on_flask, tmp_path)
    assert [
        (entry["call"], entry["answer"]["Error"]["Code"])
        for entry in answers
        if "Error" in entry["answer"]
    ] == [
        ("delete_bucket", "BucketNotEmpty"),
        ("get_object", "NoSuchKey"),
        ("list_objects_v2", "NoSuchBucket"),
        ("get_queue_url", "AWS.SimpleQueueService.NonExistentQueue"),
        ("put_item", "ConditionalCheckFailedException"),
        ("describe_table", "ResourceNotFoundException"),
    ]


def use_the_cloud(
    environment: venv.Environment, folder: pathlib.Path
) -> list[dict[str, t.Any]]:
    """Serve moto in ``environment`` and return the answers that a client got."""
    # Neither side reads the user's settings, or reaches any other machine.
    sealed = {
        "HOME": str(folder),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(PROGRAMS / "loopback"),
    }
    port = servers.free_port()
    with servers.serving(
        environment.program("moto_server"),
        f"--host={servers.HOST}",
        f"--port={port}",
        port=port,
        log=folder / "moto.log",
        env=sealed,
    ) as endpoint:
        said = environment.run(PROGRAMS / "cloud.py", endpoint, env=sealed).stdout
    answers: list[dict[str, t.Any]] = json.loads(said)
    return answers
