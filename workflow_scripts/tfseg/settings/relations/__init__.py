"""What a schema cannot say: keys that must fit each other, a file for each section.

Every function takes the config and yields messages.
"""
