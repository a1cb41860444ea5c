"""Trials as command lines, for a laboratory that has a program and needs no plugin of its own."""

from axdesk.runners import command


class CommandRunner(command.CommandRunner):
    """Runs a command line for each trial: parameters as JSON in, a result as JSON out."""


class CommandMetric(command.CommandMetric):
    """Reads a value from the result that the command wrote."""
