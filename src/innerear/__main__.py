"""`python -m innerear`."""

from innerear.cli.main import main

main()
