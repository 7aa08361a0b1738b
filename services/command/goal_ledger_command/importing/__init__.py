"""Imports: a whole organisation, or rows of it, brought to what they say by the ordinary commands.

An import is a comparison: each row says how a thing should stand, is held against the workspace as it is, and becomes
the command that is missing, or none. So a second import records only what changed, one that broke off can be sent
again, and every row is decided by the deciders that decide everybody's commands, in the same append.

``document.py`` says what a row may hold, ``reading.py`` takes a request apart, ``steps_*.py`` turn rows into steps,
``order.py`` puts them in order, ``running.py`` decides them for real or as a rehearsal.
"""
