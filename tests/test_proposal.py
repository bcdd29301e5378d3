"""The trailers that are proposed for a change from elsewhere."""

from __future__ import annotations

import pytest

from forkkit.queue import proposal
from forkkit.queue.message import Message

SHA = "1234567890123456789012345678901234567890"
OTHER = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"


def known(sha: str) -> str | None:
    return SHA if SHA.startswith(sha) else None


def proposed(
    text: str, repository: str | None = "pallets/flask"
) -> dict[str, list[str]]:
    message = proposal.completed(Message.parse(text), repository, known)
    found: dict[str, list[str]] = {}
    for key, value in message.trailers:
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize(
    ("words", "bugs"),
    [
        ("fixes #12", ["pallets/flask#12"]),
        ("Fix: #12", ["pallets/flask#12"]),
        ("closes #12 and #13", ["pallets/flask#12", "pallets/flask#13"]),
        (
            "Resolves #12, #13, pallets/jinja#4.",
            ["pallets/flask#12", "pallets/flask#13", "pallets/jinja#4"],
        ),
        ("closing issue GH-12", ["pallets/flask#12"]),
        ("fixed bug #12", ["pallets/flask#12"]),
        ("Closes: https://github.com/pallets/flask/pull/12", ["pallets/flask#12"]),
        (
            "See https://github.com/pallets/flask/issues/12#issuecomment-1.",
            ["pallets/flask#12"],
        ),
        ("See (https://www.github.com/pallets/quart/issues/5)", ["pallets/quart#5"]),
        ("As in pallets/werkzeug#99.", ["pallets/werkzeug#99"]),
        ("Fixes #12.\n\nFixes #12, too.", ["pallets/flask#12"]),
        ("Nothing (#5123).", []),
        ("fixes it in 3 places; #5 is another", []),
        ("A prefix #12 and a suffix", []),
        ("https://github.com/pallets/flask/pull/12", []),
    ],
)
def test_bugs(words, bugs):
    assert proposed(f"x\n\n{words}").get("Bug", []) == bugs
    assert proposed(f"x: {' '.join(words.split())}").get("Bug", []) == bugs


def test_a_number_alone_means_nothing_without_a_repository():
    assert proposed("x\n\nFixes #12", None) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pallets/flask#12", {"Bug": ["pallets/flask#12"]}),
        ("https://github.com/pallets/flask/issues/12", {"Bug": ["pallets/flask#12"]}),
        ("#12", {"Bug": ["pallets/flask#12"]}),
        ("https://bugs.debian.org/12", {"Link": ["https://bugs.debian.org/12"]}),
    ],
)
def test_trailers_for_bugs(value, expected):
    assert proposed(f"x\n\ny\n\nBug: {value}") == expected


@pytest.mark.parametrize(
    ("words", "status", "drop"),
    [
        (
            f"(cherry picked from commit {SHA})",
            f"Backport [commit {SHA[:10]}]",
            f"commit {SHA}",
        ),
        (
            f"(cherry picked from commit {OTHER})",
            f"Backport [commit {OTHER[:10]}]",
            f"commit {OTHER}",
        ),
        (
            f"(cherry picked from commit {SHA[:8]})",
            f"Backport [commit {SHA[:8]}]",
            f"commit {SHA}",
        ),
        (
            f"(cherry picked from commit {OTHER[:8]})",
            f"Backport [commit {OTHER[:8]}]",
            None,
        ),
        (f"commit {SHA} upstream.", f"Backport [commit {SHA[:10]}]", f"commit {SHA}"),
        (
            f"[ Upstream commit {SHA} ]",
            f"Backport [commit {SHA[:10]}]",
            f"commit {SHA}",
        ),
        (
            f"y\n\nOrigin: upstream, https://github.com/pallets/flask/commit/{SHA}",
            f"Backport [commit {SHA[:10]}]",
            f"commit {SHA}",
        ),
        (
            f"y\n\nOrigin: backport, commit:{SHA}",
            f"Backport [commit {SHA[:10]}]",
            f"commit {SHA}",
        ),
        ("y\n\nApplied-Upstream: 3.2.0", "Backport [in 3.2.0]", "upstream >= 3.2.0"),
    ],
)
def test_what_is_upstreams(words, status, drop):
    found = proposed(f"x\n\n{words}")
    assert found["Upstream-Status"] == [status]
    assert found["Forwarded"] == ["not-needed"]
    assert found.get("Drop-When") == ([drop] if drop else None)


@pytest.mark.parametrize(
    "words",
    [
        "y",
        f"This reverts commit {SHA}.",
        "y\n\nOrigin: vendor",
        f"See {SHA}",
        "commit it upstream",
    ],
)
def test_what_is_not_said_is_not_proposed(words):
    assert not {"Upstream-Status", "Drop-When"} & proposed(f"x\n\n{words}").keys()


def test_what_is_said_already_stays():
    trailers = "Upstream-Status: Pending\nForwarded: no\nDrop-When: never"
    text = f"x\n\nFixes #1 (cherry picked from commit {SHA})\n\n{trailers}"
    message = proposal.completed(Message.parse(text), "a/b", known)
    assert (
        message.render() == text.replace("Upstream-S", "Bug: a/b#1\nUpstream-S") + "\n"
    )
