"""How facts travel: topics, records, partitions, delivery settings."""
