"""`python -m innerear`, and the command `innerear`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interrupt while it loads ends it in one line, as one later does."""
    try:
        from innerear.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("innerear: interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
