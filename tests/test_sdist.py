from __future__ import annotations

import gzip
import io
import tarfile

import pytest

import toy
from forkkit import sdist
from forkkit.errors import ForkError


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


@pytest.fixture
def read(tmp_path):
    def read(content: bytes):
        path = tmp_path / "flask-1.0.tar.gz"
        path.write_bytes(content)
        return sdist.read(path)

    return read


def test_files_come_without_the_top_folder(read):
    assert read(toy.archive(toy.UPSTREAM)) == toy.UPSTREAM


def test_nothing_is_written(read, tmp_path):
    read(toy.archive(toy.UPSTREAM))
    assert [path.name for path in tmp_path.iterdir()] == ["flask-1.0.tar.gz"]


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (member("/etc/passwd"), "the path '/etc/passwd' is not safe"),
        (member("flask-1.0/../../x"), "the path 'flask-1.0/../../x' is not safe"),
        (member("../x"), "the path '../x' is not safe"),
        (member("flask-1.0/.git/hooks/x"), "is not safe"),
        (member("flask-1.0/.GIT/config"), "is not safe"),
        (member("flask-1.0/git~1/config"), "is not safe"),
        (member("flask-1.0/.git /config"), "is not safe"),
        (member("flask-1.0/.g\u200cit/config"), "is not safe"),
        (member("flask-1.0/a\nb"), "is not safe"),
        (member("flask-1.0/a\\b"), "is not safe"),
        (member("C:/x"), "is not safe"),
        (
            member("flask-1.0/x", tarfile.SYMTYPE, "/etc/passwd"),
            "is a link or a device",
        ),
        (member("flask-1.0/x", tarfile.SYMTYPE, "app.py"), "is a link or a device"),
        (member("flask-1.0/x", tarfile.LNKTYPE, "../../x"), "is a link or a device"),
        (member("flask-1.0/x", tarfile.CHRTYPE), "is a link or a device"),
        (member("flask-1.0/x", tarfile.BLKTYPE), "is a link or a device"),
        (member("flask-1.0/x", tarfile.FIFOTYPE), "is a link or a device"),
        (member("other/x"), "expected one folder at the top"),
        (member("x"), "expected one folder at the top"),
    ],
)
def test_hostile_member_is_refused(read, info, expected):
    good = member("flask-1.0/good.py")
    with pytest.raises(ForkError) as error:
        read(toy.tar([(good, b""), (info, b"")]))
    assert "refused: " in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("second", ["flask-1.0/a.py", "flask-1.0/A.py"])
def test_doubled_member_is_refused(read, second):
    with pytest.raises(ForkError, match="in it twice"):
        read(toy.tar([(member("flask-1.0/a.py"), b""), (member(second), b"")]))


def test_bomb_is_refused_before_it_is_in_memory(read):
    bomb = member("flask-1.0/zeros")
    bomb.size = sdist.LIMIT + 1
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as out:
        out.write(bomb.tobuf())
        for _ in range(bomb.size // 2**20 + 1):
            out.write(bytes(2**20))
    with pytest.raises(ForkError, match="larger than 64 MiB"):
        read(buffer.getvalue())


def test_bomb_in_many_files_is_refused(read):
    members = []
    for number in range(5):
        info = member(f"flask-1.0/{number}")
        info.size = sdist.LIMIT // 4
        members.append((info, bytes(info.size)))
    with pytest.raises(ForkError, match="unpacks to more than 64 MiB"):
        read(toy.tar(members))


def test_bomb_in_a_header_is_refused(read):
    # A pax header is read whole by tarfile before anyone sees a member.
    header = member("pax", tarfile.XHDTYPE)
    header.size = sdist.LIMIT * 2
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as out:
        out.write(header.tobuf())
        for _ in range(header.size // 2**20):
            out.write(b"1" * 2**20)
    with pytest.raises(ForkError, match="unpacks to more than 64 MiB"):
        read(buffer.getvalue())


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", toy.archive(toy.UPSTREAM)[:-20], gzip.compress(b"no tar")],
)
def test_damaged_archive_is_refused(read, content):
    with pytest.raises(ForkError, match="refused: "):
        read(content)
