"""The refs of the checkout, and what each is for."""

from __future__ import annotations

#: The pinned release.
BASE = "refs/heads/upstream"
#: The queue on it: the branch in which the maintainer works.
QUEUE = "refs/heads/queue"
#: The top of the queue as it was last made from, or written to, the patches.
KNOWN = "refs/fork/known"
#: What an apply is going over to.
NEXT_BASE = "refs/fork/next-base"
NEXT = "refs/fork/next"

#: While a sequence runs: the release, and the patches that are done on top of it.
WORK_BASE = "refs/fork/work-base"
WORK = "refs/fork/work"
#: The patch at which it is stopped, where it applied before.
PICK_BASE = "refs/fork/pick-base"
PICK = "refs/fork/pick"
#: What the maintainer has made of it.
TAKEN = "refs/fork/taken"
#: Patches that come from elsewhere, on what they are made for.
INCOMING_BASE = "refs/fork/incoming-base"
INCOMING = "refs/fork/incoming"
#: The files as git has left them at a conflict.
LEFT = "refs/fork/left"
#: All that a sequence needs no more when it has ended.
OF_A_SEQUENCE = (
    *(WORK_BASE, WORK, PICK_BASE, PICK, TAKEN),
    *(INCOMING_BASE, INCOMING, LEFT),
)

#: Below it: work that was put away.
SAVED = "refs/fork/saved"

#: The verbs that changed the queue, one commit each; and the last that still counts.
LOG = "refs/fork/log"
LOG_AT = "refs/fork/log-at"
