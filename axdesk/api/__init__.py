"""The public face of axdesk, and the one place that wires the rooms together.

`axdesk.api.client` drives one experiment from Python; `axdesk.api.workspace` serves the window and
the command line, which work on a database of many. Nothing here loads Qt, and torch is loaded only
when a model-based suggestion is asked for.
"""
