"""How fast Flask, the fork and other frameworks answer: `scripts/fork test speed`."""
