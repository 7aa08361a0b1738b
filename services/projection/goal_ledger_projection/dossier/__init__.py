"""What an auditor takes away of one goal: a page to read or print, and a bundle that a program checks offline.

Both are written from what the query API answers at one token and from the facts' stored bytes; nothing is computed here.
"""
