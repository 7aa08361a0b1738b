"""`make containers`: the compose file run for real, where an engine can be had but no registry of images."""
