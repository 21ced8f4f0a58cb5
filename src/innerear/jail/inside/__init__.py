"""The code that runs inside the jail. It imports only the standard library and modules of this folder.

The host sends these modules in a letter (see `start.Start.letter`); no other part of `innerear` can be imported, so a
program finds no trace of the tool that runs it.
"""
