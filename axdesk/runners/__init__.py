"""Runners and metrics that come with axdesk, for those whose laboratory needs no own code.

Each imports the library that it needs only when it is used.
"""
