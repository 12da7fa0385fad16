"""``python -m bertlib``: the command line, for launchers that start modules."""

from bertlib.cli import main

if __name__ == "__main__":
    main()
