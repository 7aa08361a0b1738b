"""What happened: the facts as frozen dataclasses, their envelope, their canonical bytes.

Names and fields of the fact classes are stored for ever and published: they never change their meaning.
A new shape is a new schema version with a lift in ``lifting.py`` and a line in the changelog.
"""
