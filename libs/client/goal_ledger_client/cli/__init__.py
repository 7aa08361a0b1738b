"""The ``goal-ledger`` command line. The guide: docs/guide/cli.md."""
