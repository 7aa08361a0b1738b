"""The write side: decides on commands, and records facts for ever."""
