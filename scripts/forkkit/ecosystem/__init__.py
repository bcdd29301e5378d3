"""Extensions, on the fork and on plain Flask."""
