"""Tells what is so."""
