"""Base classes that a laboratory subclasses to connect its instruments: runner and metric."""
