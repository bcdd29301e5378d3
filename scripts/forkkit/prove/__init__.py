"""Whether the fork keeps its promises."""
