"""moto's server, a large Flask application that knows nothing of the fork, runs on it.

A real boto3 client, a process of its own, gets the same answers as from plain Flask.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

import environments
import servers

PROGRAMS = pathlib.Path(__file__).with_name("app") / "programs"

pytestmark = pytest.mark.slow

Entries = t.List[t.Dict[str, t.Any]]  # noqa: UP006


def use_the_cloud(folder: pathlib.Path, *flask: str | pathlib.Path) -> Entries:
    """Serve moto on ``flask`` and return what a client of it was answered."""
    environment = environments.create(folder / "venv", *flask, "moto[server]")
    # Neither side reads a person's settings, or reaches any other machine.
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
    entries: Entries = json.loads(said)
    return entries


@pytest.fixture(scope="module")
def on_flask(tmp_path_factory: pytest.TempPathFactory) -> Entries:
    return use_the_cloud(tmp_path_factory.mktemp("moto-flask"), "Flask===3.1.3")


@pytest.fixture(scope="module")
def on_the_fork(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Entries:
    folder = tmp_path_factory.mktemp("moto-fork")
    return use_the_cloud(folder, fork_wheel, shim_wheel)


def test_clouds_answer_alike(on_the_fork: Entries, on_flask: Entries) -> None:
    assert on_the_fork == on_flask


def test_errors_are_the_services_own(on_the_fork: Entries) -> None:
    """So that two servers which fail alike are not taken for two which work."""
    errors = [
        (entry["call"], entry["answer"]["Error"]["Code"])
        for entry in on_the_fork
        if "Error" in entry["answer"]
    ]
    assert errors == [
        ("delete_bucket", "BucketNotEmpty"),
        ("get_object", "NoSuchKey"),
        ("list_objects_v2", "NoSuchBucket"),
        ("get_queue_url", "AWS.SimpleQueueService.NonExistentQueue"),
        ("put_item", "ConditionalCheckFailedException"),
        ("describe_table", "ResourceNotFoundException"),
    ]
