"""What runs inside the jail: only the standard library, and nothing else of this package.

The host starts it with its own folder as the only part of `innerear` that can be imported
(see `host.BOOT`), so a program finds no trace of the tool that runs it.
"""
