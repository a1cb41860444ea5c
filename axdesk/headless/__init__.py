"""The command line, ``axdesk --headless``: progress or JSON lines out, an exit code that tells why.

It shows the same events as the window and never loads Qt.
"""
