"""The maintainer's tools: pin, queue, rename and overlay into a built fork."""
