"""Closed-loop laboratory experiments: suggest a trial, run it, measure it, suggest again.

Three front doors lead to the same program: the window (``axdesk``), the command line
(``axdesk --headless``) and the Python library (``axdesk.api``). Importing this package loads
neither Qt nor torch.
"""

__version__ = "0.1.0"
