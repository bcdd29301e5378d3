from __future__ import annotations

import contextlib
import gzip
import io
import tarfile

import pytest

import toy
from forkkit.base.errors import ForkError
from forkkit.upstream import archive


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def read(content: bytes):
    return archive.read(content, where="flask-1.0.tar.gz")


def test_files_come_without_the_top_folder():
    assert read(toy.archive(toy.UPSTREAM)) == toy.UPSTREAM


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
def test_hostile_member_is_refused(info, expected):
    good = member("flask-1.0/good.py")
    with pytest.raises(ForkError) as error:
        read(toy.tar([(good, b""), (info, b"")]))
    assert "refused: " in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("second", ["flask-1.0/a.py", "flask-1.0/A.py"])
def test_doubled_member_is_refused(second):
    with pytest.raises(ForkError, match=r"contains .* twice"):
        read(toy.tar([(member("flask-1.0/a.py"), b""), (member(second), b"")]))


def test_bomb_is_refused_before_it_is_in_memory():
    bomb = member("flask-1.0/zeros")
    bomb.size = archive.LIMIT + 1
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as out:
        out.write(bomb.tobuf())
        for _ in range(bomb.size // 2**20 + 1):
            out.write(bytes(2**20))
    with pytest.raises(ForkError, match="larger than 64 MiB"):
        read(buffer.getvalue())


def test_bomb_in_many_files_is_refused():
    members = []
    for number in range(5):
        info = member(f"flask-1.0/{number}")
        info.size = archive.LIMIT // 4
        members.append((info, bytes(info.size)))
    with pytest.raises(ForkError, match="unpacks to more than 64 MiB"):
        read(toy.tar(members))


def test_bomb_in_a_header_is_refused():
    # tarfile reads a pax header in full before anyone sees a member.
    header = member("pax", tarfile.XHDTYPE)
    header.size = archive.LIMIT * 2
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as out:
        out.write(header.tobuf())
        for _ in range(header.size // 2**20):
            out.write(b"1" * 2**20)
    with pytest.raises(ForkError, match="unpacks to more than 64 MiB"):
        read(buffer.getvalue())


def test_sparse_member_that_claims_more_than_there_is_is_refused():
    sparse = member("flask-1.0/zeros")
    sparse.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(archive.LIMIT - 1),
        "GNU.sparse.name": "flask-1.0/zeros",
    }
    content = b"0\n".ljust(512, b"\0")
    sparse.size = len(content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as out:
        out.addfile(sparse, io.BytesIO(content))
    with pytest.raises(ForkError, match="is a link or a device"):
        read(buffer.getvalue())


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(archive, "_MEMBERS", 2)
    members = [(member(f"flask-1.0/{n}"), b"") for n in range(3)]
    with pytest.raises(ForkError, match="more than 2 files"):
        read(toy.tar(members))


@pytest.mark.parametrize("position", range(10, 700, 23))
def test_flipped_byte_is_refused_or_makes_no_difference(position):
    content = bytearray(toy.archive(toy.UPSTREAM))
    content[position % len(content)] ^= 0xFF
    with contextlib.suppress(ForkError):
        assert read(bytes(content)) == toy.UPSTREAM


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", toy.archive(toy.UPSTREAM)[:-20], gzip.compress(b"no tar")],
    # The bytes cannot name a test, because they contain a time.
    ids=["empty", "text", "cut off", "gzip"],
)
def test_damaged_archive_is_refused(content):
    with pytest.raises(ForkError, match="refused: "):
        read(content)
