"""The steps from one schema to the next, oldest first.

A step is a function that calls Alembic's operations; it never imports the schema, which will have
gone on by the time it runs. They are listed here rather than searched for on disk, so that a
frozen axdesk, which has no source files, finds them too.
"""

from axdesk.storage.migrations import (
    m0001_initial_schema,
    m0002_plugin_python,
    m0003_kinds_of_parameters,
    m0004_stopping,
    m0005_objectives,
    m0006_generation_settings,
    m0007_passed_tests,
    m0008_editing_runs,
    m0009_attachments,
)

MIGRATIONS = (
    m0001_initial_schema.upgrade,
    m0002_plugin_python.upgrade,
    m0003_kinds_of_parameters.upgrade,
    m0004_stopping.upgrade,
    m0005_objectives.upgrade,
    m0006_generation_settings.upgrade,
    m0007_passed_tests.upgrade,
    m0008_editing_runs.upgrade,
    m0009_attachments.upgrade,
)
"""The migration at index n leads to version n + 1."""
