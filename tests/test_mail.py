"""What is read of mails and diffs from elsewhere, which have many forms."""

from __future__ import annotations

import base64
import quopri
import re
import subprocess

import pytest

import toy
from forkkit.base import diff
from forkkit.base.errors import ForkError
from forkkit.base.git import Git
from forkkit.queue import incoming

APP = "src/flask/app.py"
DIFF = toy.DASH.replace("---", "index 1111111..2222222 100644\n---", 1)
SHA = "1234567890123456789012345678901234567890"
HEAD = """\
From: Ann Other <ann@flaskfork.example>
Date: Mon, 1 Jun 2026 09:00:00 -0700
Subject: [PATCH] app: greet with a dash
"""
REASON = "A comma was not enough.\n"
STAT = """\
---
 src/flask/app.py | 1 +
 1 file changed, 1 insertion(+)

"""
END = "-- \n2.39.5\n\n"
FROM = f"From {SHA} Mon Sep 17 00:00:00 2001\n"
MAIL = f"{FROM}{HEAD}\n{REASON}{STAT}{DIFF}{END}"
CHANGES = """\
diff --git a/CHANGES.rst b/CHANGES.rst
index 1111111..2222222 100644
--- a/CHANGES.rst
+++ b/CHANGES.rst
@@ -1,1 +1,2 @@
 Version 2
+A dash.
"""


def read(text: str | bytes) -> list[incoming.Incoming]:
    data = text if isinstance(text, bytes) else text.encode()
    return incoming.read(data, "src/flask", where="mail")


def dashed(item: incoming.Incoming) -> bool:
    """Whether the change is the one that all of these make."""
    after = diff.apply(item.diffs, toy.UPSTREAM, where="mail")
    return after[APP] == b'DASH = "-"\n' + toy.UPSTREAM[APP]


def body(kind: str, coding: str, text: bytes) -> bytes:
    head = f"{HEAD}MIME-Version: 1.0\nContent-Type: {kind}\n"
    return f"{head}Content-Transfer-Encoding: {coding}\n\n".encode() + text


def multipart(*parts: tuple[str, str], kind: str = "mixed") -> str:
    texts = (f"--=-=\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    head = f'MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="=-="\n'
    return f"{HEAD}{head}\n{''.join(texts)}--=-=--\n"


WHOLE = f"{REASON}{STAT}{DIFF}{END}"
HTML = f"<p>{REASON}</p>\n<pre>\n{DIFF}</pre>"
TRIMMED = re.sub(r"^ $", "", WHOLE, flags=re.MULTILINE)
FLOWED = TRIMMED.replace("comma was", "comma \nwas").replace("\n ", "\n  ")
MAILS = {
    "as git writes it": MAIL,
    "without the From line": MAIL.partition("\n")[2],
    "Received first": MAIL.replace(FROM, "Received: from a by b;\n\tMon, 1 Jun\n"),
    "Return-Path first": MAIL.replace(FROM, "Return-Path: <x@y>\nX-Spam: no\n"),
    "headers below the From line": MAIL.replace(HEAD, f"X-Mozilla-Status: 0\n{HEAD}"),
    "Subject first": MAIL.replace(FROM, "").replace(
        HEAD, "".join(reversed(HEAD.splitlines(keepends=True)))
    ),
    "lower-case headers": MAIL.replace("Subject:", "subject:").replace("Date", "date"),
    "BOM": f"\ufeff{MAIL}",
    "BOM and blank lines": f"\ufeff\n \r\n{MAIL}",
    "blank line first": f"\n\n{MAIL}",
    "mbox >From": f">{MAIL}",
    "mbox >From among the headers": MAIL.replace(HEAD, f">From x\n{HEAD}"),
    "From line of a mail program": MAIL.replace(
        FROM, "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"
    ),
    "CRLF": MAIL.replace("\n", "\r\n"),
    "folded subject": MAIL.replace("greet with", "greet\n with"),
    "RFC 2047": MAIL.replace("app: greet", "=?UTF-8?q?app:_greet?="),
    "RFC 2047 in base64, folded": MAIL.replace(
        "app: greet with a dash",
        "=?utf-8?B?"
        + base64.b64encode(b"app: greet ").decode()
        + "?=\n =?utf-8?B?"
        + base64.b64encode(b"with a dash").decode()
        + "?=",
    ),
    "list's tag": MAIL.replace("[PATCH]", "[flask-dev] [PATCH v2 1/3]"),
    "reply": MAIL.replace("[PATCH]", "Re: [flask-dev] [PATCH]"),
    "RFC": MAIL.replace("[PATCH]", "[RFC PATCH]"),
    "trimmed": MAIL.replace(WHOLE, TRIMMED).replace("-- \n", "--\n"),
    "list footer": MAIL.rstrip("\n") + f"\n{'_' * 47}\nlist\nlist@example.org\n",
    "no signature": MAIL.replace(END, ""),
    "no newline at the end": MAIL.replace(END, "").rstrip("\n"),
    "base-commit": MAIL.replace(
        END, f"\nbase-commit: {SHA}\nprerequisite-patch-id: {SHA}\n{END}"
    ),
    "base64": body(
        "text/plain; charset=UTF-8", "base64", base64.encodebytes(WHOLE.encode())
    ),
    "base64 of CRLF": body(
        "text/plain; charset=UTF-8",
        "base64",
        base64.encodebytes(WHOLE.replace("\n", "\r\n").encode()),
    ),
    "quoted-printable": body(
        "text/plain; charset=UTF-8",
        "quoted-printable",
        quopri.encodestring(WHOLE.encode()),
    ),
    "UTF-7": body("text/plain; charset=UTF-7", "7bit", WHOLE.encode("utf-7")),
    "format=flowed": body("text/plain; format=flowed", "7bit", FLOWED.encode()),
    "unknown charset": body("text/plain; charset=klingon", "7bit", WHOLE.encode()),
    "multipart, attached": multipart(
        ("text/plain", REASON), ("text/x-patch; name=x.patch", STAT + DIFF)
    ),
    "multipart, attached as bytes": multipart(
        ("text/plain", REASON), ("application/octet-stream; name=a", STAT + DIFF)
    ),
    "multipart, HTML": multipart(
        ("text/plain", WHOLE), ("text/html", HTML), kind="alternative"
    ),
    "multipart, HTML first": multipart(("text/html", HTML), ("text/plain", WHOLE)),
    "multipart, signed": multipart(
        ("text/plain", WHOLE),
        ("application/pgp-signature", "-----BEGIN"),
        kind="signed",
    ),
    "cover with the mail attached": multipart(
        ("text/plain", "See there."), ("text/x-patch", MAIL)
    ),
    "cover with the mail attached in base64": multipart(
        ("text/plain", "See there."),
        (
            "application/octet-stream\nContent-Transfer-Encoding: base64",
            base64.encodebytes(MAIL.encode()).decode(),
        ),
    ).replace("Ann", "Some"),
    "cover with the mail attached, with a BOM": multipart(
        ("text/plain", "See there."), ("text/plain; name=a.patch", f"\ufeff{MAIL}")
    ),
    "cover with the mail forwarded": multipart(
        ("text/plain", "See there."), ("message/rfc822", MAIL.partition("\n")[2])
    ).replace("Ann", "Some", 1),
    "scissors": MAIL.replace(
        REASON, f"Hello.\n\n-- >8 -- >8 --\n{HEAD.partition('Z')[0]}\n{REASON}"
    ),
    "author in the body": MAIL.replace(
        "From: Ann Other <ann@", "From: List <list@"
    ).replace(REASON, f"From: Ann Other <ann@flaskfork.example>\n\n{REASON}"),
    "git show": f"""\
commit {SHA} (HEAD -> main)
Author: Ann Other <ann@flaskfork.example>
Date:   Mon Jun 1 09:00:00 2026 -0700

    app: greet with a dash
    \n    {REASON}
{DIFF}""",
    "git show --format=fuller": f"""\
commit {SHA}
Author:     Ann Other <ann@flaskfork.example>
AuthorDate: Mon Jun 1 09:00:00 2026 -0700
Commit:     Some Body <some@flaskfork.example>
CommitDate: Tue Jun 2 09:00:00 2026 -0700

    app: greet with a dash
    \n    {REASON}
{DIFF}""",
    "hg export": f"""\
# HG changeset patch
# User Ann Other <ann@flaskfork.example>
# Date 1780329600 25200
#      Mon Jun 01 09:00:00 2026 -0700
# Node ID {SHA}
# Parent  {SHA}
app: greet with a dash

{REASON}
{DIFF}""",
    "StGit": f"""\
app: greet with a dash

From: Ann Other <ann@flaskfork.example>
Date: 2026-06-01 09:00:00 -0700

{REASON}
{STAT}{DIFF}""",
    "DEP-3": f"""\
Description: app: greet with a dash
 {REASON}Author: Ann Other <ann@flaskfork.example>
Last-Update: 2026-06-01T09:00:00-07:00
---
{DIFF}""",
    "DEP-3, Origin first": f"""\
Origin: vendor
Subject: app: greet with a dash
From: Ann Other <ann@flaskfork.example>
Date: 2026-06-01 09:00:00-07:00

{REASON}
{DIFF.partition(chr(10))[2].partition(chr(10))[2]}""",
}


@pytest.mark.parametrize("name", MAILS)
def test_mails(name):
    [item] = read(MAILS[name])
    assert item.author == "Ann Other <ann@flaskfork.example>"
    assert item.date == "Mon, 01 Jun 2026 09:00:00 -0700"
    assert item.message.subject == "app: greet with a dash"
    assert item.message.prose == REASON.strip()
    assert dashed(item)
    assert not item.left_out
    assert bool(item.remarks) is name.startswith("cover")


DATES = {
    "Mon, 1 Jun 2026 09:00:00 -0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "1 Jun 2026 09:00 -0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "Mon, 1 Jun 2026 16:00:00 GMT": "Mon, 01 Jun 2026 16:00:00 +0000",
    "Mon, 01 Jun 2026 09:00:00 -0700 (PDT)": "Mon, 01 Jun 2026 09:00:00 -0700",
    "2026-06-01T09:00:00-07:00": "Mon, 01 Jun 2026 09:00:00 -0700",
    "2026-06-01T09:00:00-0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "2026-06-01T16:00:00Z": "Mon, 01 Jun 2026 16:00:00 +0000",
    "2026-06-01T16:00:00.123Z": "Mon, 01 Jun 2026 16:00:00 +0000",
    "2026-06-01 09:00:00 -0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "2026-06-01 09:00:00": "Mon, 01 Jun 2026 09:00:00 +0000",
    "2026-06-01": "Mon, 01 Jun 2026 00:00:00 +0000",
    "Mon Jun 1 09:00:00 2026 -0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "Mon Jun  1 09:00:00 2026": "Mon, 01 Jun 2026 09:00:00 +0000",
    "1780329600 -0700": "Mon, 01 Jun 2026 09:00:00 -0700",
    "@1780329600 +0530": "Mon, 01 Jun 2026 21:30:00 +0530",
}


@pytest.mark.parametrize("date", DATES)
def test_dates(date):
    [item] = read(MAIL.replace("Mon, 1 Jun 2026 09:00:00 -0700", date))
    assert item.date == DATES[date]
    assert not item.remarks


@pytest.mark.parametrize(
    "date",
    ["soon", "32 Jun 2026", "Mon, 1 Jun 99999 09:00:00", "9" * 5000 + " +0000"]
    + ["Mon, 1 Jun 1950 09:00:00 +0000", "Mon, 1 Jun 2026 09:00:00 +9999"],
)
def test_a_date_that_cannot_be_read_is_told(date):
    [item] = read(MAIL.replace("Mon, 1 Jun 2026 09:00:00 -0700", date))
    assert item.date is None
    assert any("its date" in remark for remark in item.remarks)


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("Ann Other <ann@x>", "Ann Other <ann@x>"),
        ("ann@x.example", "ann@x.example <ann@x.example>"),
        ("<ann@x.example>", "ann@x.example <ann@x.example>"),
        ('"Other, Ann" <ann@x>', "Other, Ann <ann@x>"),
        ("ann@x.example (Ann Other)", "Ann Other <ann@x.example>"),
        ("=?UTF-8?q?Zo=C3=AB?= <zoe@x>", "Zoë <zoe@x>"),
        ("Zoë <zoe@x>", "Zoë <zoe@x>"),
        ("dependabot[bot] <1+a@users.x>", "dependabot[bot] <1+a@users.x>"),
        ("Ann\u202e Other <ann@x>", "Ann\\u202e Other <ann@x>"),
        ("Ann Other", "Ann Other <unknown>"),
    ],
)
def test_authors(line, author):
    [item] = read(MAIL.replace("Ann Other <ann@flaskfork.example>", line))
    assert item.author == author


def test_what_is_not_said_is_not_made_up():
    [item] = read(DIFF)
    assert (item.author, item.date, item.message.render()) == (None, None, "\n")
    [item] = read(MAIL.replace(HEAD, "Subject: x\n"))
    assert (item.author, item.date, item.message.subject) == (None, None, "x")
    assert item.origin.commits == (SHA,)


@pytest.mark.parametrize(
    "subject", ["#5928 says so", "[3.1.x] x", "a [PATCH] c", "# x"]
)
def test_subjects_are_whole(subject):
    [item] = read(MAIL.replace("app: greet with a dash", subject))
    assert item.message.subject == subject


def test_lines_with_a_number_sign_are_kept():
    reason = "#5928 says so.\n\n# How\n\nBy a dash.\n\n  # and so on\n"
    for text in (MAIL, MAILS["git show"].replace("    A", "A"), f"x\n\n{REASON}{DIFF}"):
        [item] = read(text.replace(REASON, reason))
        assert item.message.prose == reason.strip()
        message = item.message.named("dash")
        again = type(message).parse_template(message.template())
        assert again.prose == message.prose


def test_a_reason_in_another_charset():
    text = MAIL.replace(HEAD, f"{HEAD}Content-Type: text/plain; charset=iso-8859-1\n")
    text = text.replace("comma", "virgül").replace('"-"', '"é"')
    [item] = read(text.encode("iso-8859-1"))
    assert item.message.prose == "A virgül was not enough."
    assert "é".encode() in diff.render(item.diffs)


def test_odd_characters_are_shown():
    [item] = read(
        MAIL.replace("comma", "com\u200bma\x1b[31m\u202e").replace("A c", "A\xa0c")
    )
    assert item.message.prose == r"A com\u200bma\x1b[31m\u202e was not enough."


def test_several_authors():
    second = MAIL.replace("Ann Other <ann@", "Zoë <zoe@").replace('"-"', '"."')
    third = MAIL.replace("DASH", "DOT")
    found = incoming.joined(read(f"{MAIL}{second}{third}"))
    assert found.author == "Ann Other <ann@flaskfork.example>"
    said = ("Co-authored-by", "Zoë <zoe@flaskfork.example>")
    assert found.message.trailers == (said,)
    first = MAIL.replace(STAT, f"\n{said[0]}: {said[1]}\n{STAT}")
    again = incoming.joined(read(first + second))
    assert again.message.trailers == (said,)


def test_several_authors_of_dep_3():
    text = MAILS["DEP-3"].replace("Last-", "Author: Zoë <zoe@x.example>\nLast-")
    [item] = read(text)
    assert item.author == "Ann Other <ann@flaskfork.example>"
    assert item.message.trailers == (("Co-authored-by", "Zoë <zoe@x.example>"),)


@pytest.mark.parametrize(
    "form",
    [
        ("a/", "b/"),
        ("i/", "w/"),
        ("c/", "i/"),
        ("o/", "w/"),
        ("1/", "2/"),
        ("old/", "new/"),
        ("", ""),
        ("x/", "x/"),
        ("./a/", "./b/"),
        ("flask-1.0.orig/", "flask-1.0/"),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_prefixes(form, plain):
    both = f"{CHANGES}{DIFF}"
    text = re.sub(r"\ba/(?=src|CH)", form[0], both)
    text = re.sub(r"\bb/(?=src|CH)", form[1], text)
    if plain:
        text = re.sub(r"^(diff --git|index) .*\n", "", text, flags=re.MULTILINE)
    [item] = read(text)
    assert dashed(item)
    assert item.left_out == ("CHANGES.rst",)


PLAIN = DIFF.partition("\n---")[2].join(["---", ""])


@pytest.mark.parametrize(
    "text",
    [
        f"Index: src/flask/app.py\n{'=' * 67}\n"
        + PLAIN.replace("a/src", "src")
        .replace("b/src", "src")
        .replace(".py\n", ".py\t(revision 1)\n"),
        f"diff -ru /home/x/flask/{APP} /home/x/mine/{APP}\n"
        + PLAIN.replace("a/", "/home/x/flask/").replace("b/", "/home/x/mine/"),
        PLAIN.replace("a/src", "src")
        .replace("b/src", "src")
        .replace(".py\n", ".py.orig\n", 1),
        PLAIN.replace(".py\n", ".py\t2026-06-01 09:00:00.000 +0200\n"),
        PLAIN.replace("a/src", "/x/flask/src").replace("b/src", "/y/flask/src"),
        PLAIN.replace(".py\n", ".py 2026-06-01 09:00:00.000 +0200\n"),
        "Only in a: x\n" + PLAIN + "Only in b: y\ndiff -ru a/z b/z\n",
        f"diff -r 0123 -r 4567 {APP}\n" + PLAIN.replace(".py\n", ".py\tThu Jan 01\n"),
    ],
)
def test_plain_diffs(text):
    [item] = read(text)
    assert dashed(item)


OUTSIDE = {
    "binary": "diff --git a/x.png b/x.png\nnew file mode 100644\nindex 0..1\n"
    "GIT binary patch\nliteral 1\nIcmZPo000310RR91\n\nliteral 0\nHcmV?d00001\n\n",
    "binary, not shown": "diff --git a/x.png b/x.png\nindex 1..2 100644\n"
    "Binary files a/x.png and b/x.png differ\n",
    "rename": "diff --git a/docs/x b/docs/y z\nsimilarity index 100%\n"
    "rename from docs/x\nrename to docs/y z\n",
    "copy": "diff --git a/docs/x b/docs/y\nsimilarity index 90%\ncopy from docs/x\n"
    "copy to docs/y\nindex 1..2 100644\n--- a/docs/x\n+++ b/docs/y\n"
    "@@ -1 +1 @@\n-a\n+b\n",
    "mode": "diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n",
    "executable": "diff --git a/x.sh b/x.sh\nindex 1..2 100755\n--- a/x.sh\n"
    "+++ b/x.sh\n@@ -1 +1 @@\n-a\n+b\n",
    "link": "diff --git a/x b/x\nnew file mode 120000\nindex 0000000..1111111\n"
    "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n",
    "submodule": "diff --git a/sub b/sub\nindex 1111111..2222222 160000\n--- a/sub\n"
    f"+++ b/sub\n@@ -1 +1 @@\n-Subproject commit {SHA}\n+Subproject commit {SHA}\n",
    "quoted": 'diff --git "a/docs/\\303\\251\\t\\"\\033.py" '
    '"b/docs/\\303\\251\\t\\"\\033.py"\nindex 1111111..2222222 100644\n'
    '--- "a/docs/\\303\\251\\t\\"\\033.py"\n'
    '+++ "b/docs/\\303\\251\\t\\"\\033.py"\n@@ -1 +1 @@\n-a\n+b\n',
    "unsafe": "diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n",
    "same package elsewhere": "diff --git a/old/src/flask/x.py b/old/src/flask/x.py\n"
    "--- a/old/src/flask/x.py\n+++ b/old/src/flask/x.py\n@@ -1 +1 @@\n-a\n+b\n",
    "empty": "diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n",
    "twice": CHANGES + CHANGES,
    "cut short": CHANGES.replace("+1,2", "+1,9"),
    "NUL": CHANGES.replace("dash", "d\0sh"),
    "not UTF-8": CHANGES.replace("dash", "d\udcffsh"),
    "merge": "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n"
    "@@@ -1 -1 +1 @@@\n- a\n -b\n++c\n",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_outside_is_left_out_whatever_it_is(name):
    other = OUTSIDE[name]
    for text in (other + DIFF, DIFF + other, f"{DIFF}{other}{END}"):
        mail = MAIL.replace(DIFF + END, text).encode("utf-8", "surrogateescape")
        [item] = read(mail)
        assert dashed(item)
        assert item.left_out
        assert not [path for path in item.left_out if path.startswith("src/flask")]
    with pytest.raises(ForkError, match="it changes nothing in src/flask, only "):
        read(MAIL.replace(DIFF, other).encode("utf-8", "surrogateescape"))


def test_mails_that_are_wholly_outside_are_left_out_with_a_word():
    changelog = MAIL.replace("app: greet", "changelog: x").replace(DIFF, CHANGES)
    cover = MAIL.replace("[PATCH] app", "[PATCH 0/2] cover").replace(STAT + DIFF, "")
    for box in (MAIL + changelog + cover, cover + changelog + MAIL):
        [item] = read(box)
        assert dashed(item)
        said = "\n".join(item.remarks)
        assert "'changelog: x with a dash': left out" in said
        assert "only CHANGES.rst" in said
        assert "it contains no diff" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("\n---", "\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n---"), "binary"),
        (("100644", "120000"), "only plain files of mode 100644"),
        (("100644", "160000"), "only plain files of mode 100644"),
        (("-1,3 +1,4", "-1,8 +1,9"), "the hunk is cut short"),
        (("+1,4", "+1,2"), "the hunk"),
        (("+1,4", "+1,99999999999"), "is not a hunk header"),
        (('+DASH = "-"\n', "oops\n"), "the hunk is cut short"),
        (('+DASH = "-"\n', '+DASH = "\0"\n'), "it contains NUL bytes"),
        (('+DASH = "-"\n', '+DASH = "\udcff"\n'), "the diff is not UTF-8"),
        (("app.py", "../../x"), "is not safe"),
        (("app.py", ".git/x"), "is not safe"),
        (("app.py", "a\\b"), "is not safe"),
        (("app.py", "a\x1bb"), "is not safe"),
        (("diff --git a/src/flask/app.py b/", "diff --cc "), "the diff of a merge"),
    ],
)
def test_what_is_inside_is_read_strictly(change, words):
    text = MAIL.replace(DIFF, DIFF.replace(*change)).encode("utf-8", "surrogateescape")
    with pytest.raises(ForkError) as error:
        read(text)
    assert words in str(error.value)


def test_mails_one_after_another_without_from_lines():
    """None is lost in the mail before; what a message quotes is no mail."""
    first = MAIL.partition("\n")[2].replace(
        REASON, f"{REASON}\nFrom: x\nSubject: y\n\nEnd.\n"
    )
    second = MAIL.partition("\n")[2].replace("Ann", "Zoë").replace("DASH", "DOT")
    for box in (first + second, FROM + first + second, f"{first}{FROM}{second}"):
        items = read(box)
        assert [item.author for item in items] == [
            "Ann Other <ann@flaskfork.example>",
            "Zoë Other <ann@flaskfork.example>",
        ]
        assert "Subject: y" in items[0].message.prose
        assert [len(item.diffs) for item in items] == [1, 1]


def test_a_mail_from_two():
    two = "Ann Other <ann@flaskfork.example>, =?utf-8?q?Zo=C3=AB?= <zoe@x>"
    for body in (REASON, f"{REASON}\nReviewed-by: R <r@x>\n"):
        text = MAIL.replace("Ann Other <ann@flaskfork.example>", two)
        [item] = read(text.replace(REASON, body))
        assert item.author == "Ann Other <ann@flaskfork.example>"
        assert ("Co-authored-by", "Zoë <zoe@x>") in item.message.trailers
        assert item.message.prose == REASON.strip()


def test_a_line_of_cherry_pick_among_trailers():
    trailers = "Reviewed-by: R <r@x>\n"
    picked = f"(cherry picked from commit {SHA})\n"
    for lines in (trailers + picked, picked + trailers):
        [item] = read(MAIL.replace(REASON, f"{REASON}\n{lines}"))
        assert item.message.trailers == (("Reviewed-by", "R <r@x>"),)
        assert item.message.prose == f"{REASON}\n{picked}".strip()


def test_a_summary_is_no_message():
    stat = " src/flask/app.py | 1 +\n x.png | Bin 0 -> 1 bytes\n"
    for text in (stat + " 2 files changed, 1 insertion(+)\n\n", ""):
        [item] = read(text + DIFF)
        assert item.message.render() == "\n"


def test_blank_lines_that_are_lost_at_the_end():
    [item] = read(MAIL.replace(f"{DIFF}{END}", DIFF.rstrip()))
    assert dashed(item)


FLAGS = [
    *("--attach", "--inline", "--base=HEAD^", "--numbered", "--keep-subject"),
    *("--signature=x", "--no-signature", "--full-index", "--zero-commit", "-W"),
    *("--encode-email-headers", "--no-stat", "--thread", "--rfc", "-v3"),
    *("--subject-prefix=X PATCH", "--unified=9", "--minimal", "--no-prefix"),
    *("--from=L <l@x>", "--src-prefix=x/", "--add-header=X-A: b", "--to=a@b"),
    *("--cover-letter", "--notes", "--suppress-blank-empty", "--no-numbered"),
]


@pytest.mark.parametrize("flag", FLAGS)
def test_git_format_patch(tmp_path, flag):
    """What git sends, with any of its options."""
    after = {**toy.UPSTREAM, APP: b'DASH = "-"\n' + toy.UPSTREAM[APP]}
    after["CHANGES.rst"] = b"\n\n"
    words = f"app: greet with a däsh\n\n{REASON}"
    person = ["-c", "user.name=Ann Öther", "-c", "user.email=ann@flaskfork.example"]
    settings = ["-c", "diff.suppressBlankEmpty=true", "-c", "format.coverLetter=false"]
    git = Git(tmp_path)
    git("init", "--quiet")
    for files in (toy.UPSTREAM, after):
        toy.write_files(tmp_path, files)
        git("add", "--all")
        subprocess.run(
            ["git", *person, "commit", "--quiet", "--message", words],
            cwd=tmp_path,
            env=toy.clean_environ(),
            check=True,
        )
    flags = [] if flag == "--suppress-blank-empty" else [flag]
    text = subprocess.run(
        ["git", *person, *settings, "format-patch", "--stdout", "-1", *flags],
        cwd=tmp_path,
        env=toy.clean_environ(),
        capture_output=True,
        check=True,
    ).stdout
    [item] = read(text)
    assert item.author == "Ann Öther <ann@flaskfork.example>"
    assert item.message.subject == "app: greet with a däsh"
    assert item.message.prose == REASON.strip()
    assert dashed(item)
    assert item.left_out == ("CHANGES.rst",)


def test_lines_below_a_hunk_are_not_lost():
    with pytest.raises(ForkError, match="longer than its header says"):
        read(MAIL.replace(END, "+more\n"))


def test_a_mode_is_left_out_with_a_word():
    modes = f"diff --git a/{APP} b/{APP}\nold mode 100644\nnew mode 100755\n"
    text = DIFF.replace(f"diff --git a/{APP} b/{APP}\n", modes)
    [item] = read(text.replace(" 100644\n---", "\n---"))
    assert dashed(item)
    assert "its mode is left out" in str(item.remarks)
    with pytest.raises(ForkError, match="changes nothing"):
        read(modes)


@pytest.mark.parametrize("flags", [(), ("-M",), ("-C", "-C"), ("-D",), ("-B", "-M")])
@pytest.mark.parametrize("noprefix", [(), ("--no-prefix",)])
@pytest.mark.parametrize(
    "after",
    [
        {"src/flask/new.py": toy.UPSTREAM[APP]},
        {"src/flask/new.py": toy.UPSTREAM[APP].replace(b"hello", b"hi")},
        {"src/flask/é b.py": toy.UPSTREAM[APP] + b"# more\n"},
        {"docs/new.py": toy.UPSTREAM[APP]},
        {APP: toy.UPSTREAM[APP], "src/flask/new.py": toy.UPSTREAM[APP] + b"# 2\n"},
        {
            APP: toy.UPSTREAM[APP],
            "src/flask/test.py": toy.UPSTREAM["tests/test_app.py"],
        },
        {},
    ],
)
def test_renames_and_copies(tmp_path, after, flags, noprefix):
    """Whatever git makes of a change, the files are those that the change led to."""
    before = {
        APP: toy.UPSTREAM[APP],
        "tests/test_app.py": toy.UPSTREAM["tests/test_app.py"],
    }
    text = changed(
        tmp_path,
        before,
        {"tests/test_app.py": before["tests/test_app.py"]} | after,
        *flags,
        *noprefix,
    )
    if not text.strip():
        return
    [item] = read(text)
    found = diff.apply(item.diffs, before, where="mail")
    assert {path: data for path, data in found.items() if path.startswith("src")} == {
        path: data for path, data in after.items() if path.startswith("src")
    }


def changed(folder, before, after, *flags: str) -> bytes:
    git = Git(folder)
    git("init", "--quiet")
    for files in (before, after):
        for path in folder.rglob("*"):
            if path.is_file() and ".git" not in path.parts:
                path.unlink()
        toy.write_files(folder, files)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", "x")
    return git("format-patch", "--stdout", "-1", *flags)


def test_git_am_reads_the_same(tmp_path):
    """What git itself can apply comes to the same here: author, message and files."""
    apart = ("git show", "hg export", "StGit", "DEP-3", "cover", "HTML", "format=")
    names = [n for n in MAILS if not any(word in n for word in apart)]
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        toy.write_files(folder, toy.UPSTREAM)
        git = Git(folder)
        git("init", "--quiet")
        git("add", "--all")
        git("commit", "--quiet", "--message", "x")
        text = MAILS[name]
        data = text if isinstance(text, bytes) else text.encode()
        flags = ["am", "--quiet", "--scissors", "--quoted-cr=strip"]
        done = subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@x", *flags],
            cwd=folder,
            input=data,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            continue
        [item] = read(data)
        assert git.text("log", "-1", "--format=%an <%ae>") == item.author, name
        assert git.text("log", "-1", "--format=%s") == item.message.subject, name
        assert dashed(item)
