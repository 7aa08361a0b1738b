"""How facts travel: topics, records, partitions, every delivery setting with its reason."""
