"""`python -m innerear`."""

from innerear.cli import main

main()
