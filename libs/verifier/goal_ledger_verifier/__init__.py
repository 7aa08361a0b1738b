"""How others check it: a workspace's record, its signed heads and the answers given from it, offline.

Everything is recomputed from the log's bytes; no server is asked, and none of the programs that serve is imported.
"""
