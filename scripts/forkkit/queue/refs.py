"""The refs of the checkout, and what each is for."""

from __future__ import annotations

#: The pinned release.
BASE = "refs/heads/upstream"
#: The queue on it: the branch on which the maintainer works.
QUEUE = "refs/heads/queue"
#: The top of the queue when it was last made from, or written to, the patches.
KNOWN = "refs/fork/known"
#: What an apply switches to.
NEXT_BASE = "refs/fork/next-base"
NEXT = "refs/fork/next"

#: While a sequence runs: the release, and the finished patches on top of it.
WORK_BASE = "refs/fork/work-base"
WORK = "refs/fork/work"
#: The patch at which it is stopped, on the files where it last applied.
PICK_BASE = "refs/fork/pick-base"
PICK = "refs/fork/pick"
#: The maintainer's version of it.
TAKEN = "refs/fork/taken"
#: Patches from elsewhere, on the files that they are made for.
INCOMING_BASE = "refs/fork/incoming-base"
INCOMING = "refs/fork/incoming"
#: The files as git left them at a conflict.
LEFT = "refs/fork/left"
#: What a sequence no longer needs once it ends.
OF_A_SEQUENCE = (
    *(WORK_BASE, WORK, PICK_BASE, PICK, TAKEN),
    *(INCOMING_BASE, INCOMING, LEFT),
)

#: The prefix of the refs to work that was set aside.
SAVED = "refs/fork/saved"

#: One commit per verb that changed the queue; and the last that is not undone.
LOG = "refs/fork/log"
LOG_AT = "refs/fork/log-at"
