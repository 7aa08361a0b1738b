"""Programs of their own process: load, and what ours is compared with. Job in on stdin as JSON, result out on stdout."""
