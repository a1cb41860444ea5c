"""Qt item models over frozen core values: what tables and lists show, and how cells are edited."""
