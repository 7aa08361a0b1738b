"""The demo organisation, its emitter, and the proof of the path."""
