"""Imports: a whole organisation, or rows of it, brought to what they say by the ordinary commands.

An import is a comparison: each row says how a thing should stand, is held against the workspace as it is, and becomes
the command that is missing, or none. So a second import records only what changed, one that broke off can be sent
again, and every row is decided by the deciders that decide everybody's commands, in the same append.

``document.py`` says what a row may hold, ``rows.py`` and ``csv_rows.py`` take a body apart, ``workbook.py`` keeps its rows,
``planning.py`` and ``order.py`` put what they say in order, ``steps_*.py`` turn rows into steps, ``running.py`` decides them
for real or as a rehearsal, ``conduct.py`` tells what became of each row; ``pieces.py`` keeps what is sent in parts.
"""
