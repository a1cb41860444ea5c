"""Widgets that show models and emit intents; they know neither the client nor the session."""
