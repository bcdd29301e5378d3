from __future__ import annotations

import hashlib

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.base.files import files_sha256
from forkkit.upstream.pin import Pin

PIN = toy.pin_of(b"content", toy.UPSTREAM)
TEXT = PIN.render()


def test_parse_gives_back_what_was_rendered():
    assert Pin.parse(TEXT, where="pin.toml") == PIN
    assert Pin.parse(TEXT, where="pin.toml").render() == TEXT


def test_requirement_does_not_take_the_shim():
    from packaging.requirements import Requirement

    specifier = Requirement(PIN.requirement).specifier
    assert specifier.contains("1.0")
    assert not specifier.contains("1.0+flaskfork.1")


def test_files_hash_depends_on_paths_and_content_only():
    files = {"b": b"2", "a/c": b"1"}
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n"
        for path, data in [("a/c", b"1"), ("b", b"2")]
    )
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert files_sha256(files) == expected
    assert files_sha256({"a/c": b"1", "b": b"2"}) == expected
    assert files_sha256({"a/c": b"1", "c": b"2"}) != expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (PIN.sdist_sha256, "0" * 63, "sdist.sha256 is '000"),
        (PIN.sdist_sha256, "A" * 64, "not 64 hexadecimal digits"),
        ('"flask-1.0.tar.gz"', '"../flask-1.0.tar.gz"', "sdist.file is '../flask"),
        ('"src/flask"', '"/etc"', "package.folder is '/etc'"),
        ('"src/flask"', '"src/../../etc"', "package.folder is 'src/../../etc'"),
        ('"1.0"', '"latest"', "upstream.version is 'latest'"),
        ('"1.0"', "1.0", "upstream.version is not a string"),
        ("[license]", "[licence]", "missing or unknown keys: licence.file"),
        ('name = "Flask"\n', "", "missing or unknown keys: upstream.name"),
        ("[upstream]", "[upstream", "is not valid TOML"),
    ],
)
def test_bad_pin_is_an_error_that_names_the_key(before, after, expected):
    with pytest.raises(ForkError) as error:
        Pin.parse(TEXT.replace(before.encode(), after.encode(), 1), where="pin.toml")
    assert str(error.value).startswith("pin.toml: ")
    assert expected in str(error.value)
