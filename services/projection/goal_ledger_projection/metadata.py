"""The metadata that all tables of one projection version belong to.

A projection version is one schema (`read_v1`, `read_v2`, …) with all of these tables; they carry no schema name of
their own, the connection's `search_path` names the version.
"""

from __future__ import annotations

from sqlalchemy import MetaData

NAMING = {"ix": "%(table_name)s_%(column_0_N_name)s", "pk": "%(table_name)s_pkey"}

read = MetaData(naming_convention=NAMING)
