"""Folding facts into the read models: the worker, healing, and rebuilding a version."""
