"""Datasets for analysts: everything as files, streamed, at any moment. Only the query process comes here."""
