"""Checks beyond the schema: keys that must fit each other, one file per section.

Every function takes the config and yields messages.
"""
