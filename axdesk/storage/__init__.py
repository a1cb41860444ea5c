"""What is remembered: experiments, trials, observations, drafts and runs in an SQL database.

Rows never leave this room: `store.SqlStore` speaks in the values of `axdesk.core`, writes each
step of a trial in one transaction, and lets one controller at a time hold an experiment.
"""
