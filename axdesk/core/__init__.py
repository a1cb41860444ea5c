"""The hall: values and protocols that every room shares. Standard library only.

Everything here is a frozen, validated value, except `Experiment`, which the scheduler's thread
owns while a run lasts. Import from the module that defines a name (`axdesk.core.trial`, …).
"""
