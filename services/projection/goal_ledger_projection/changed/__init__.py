"""`goals.changed`: what became of each goal's answer, derived by the one engine and told to Kafka."""
