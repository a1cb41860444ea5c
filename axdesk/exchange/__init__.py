"""Experiments as files: what comes in is validated, and each problem says where it is."""
