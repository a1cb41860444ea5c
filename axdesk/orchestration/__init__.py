"""The closed loop: a state machine that stages, deploys, polls, fetches and records trials.

The scheduler is handed a generator, plugin calls, a store, a clock and a function to publish
events, all by the protocols of `axdesk.core`; it knows no Qt, no SQL and no tensors. What happens
is stored first and published second.
"""
