"""The query API: what is so, at any moment, as known at any moment. One file for each resource."""
