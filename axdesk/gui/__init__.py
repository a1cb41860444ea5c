"""The window: the only room with Qt.

Models adapt core values to Qt, views show them and emit what the operator asks for, and one
presenter between them owns the client and the thread in which a run lives. The GUI thread never
waits and never touches the database.
"""
