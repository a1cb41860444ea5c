"""The laboratory's own Python files: finding, loading, describing and calling them.

A folder of files gives runners and metrics, each with its options described from type hints and
defaults. A file that cannot be loaded is listed with its reason and stops no other. Calls return
Futures with deadlines; the calls of one file are serial, since they share an instrument: in a
process of the file's own (`hosts`) or, for the library, in a thread (`calls`).
"""
