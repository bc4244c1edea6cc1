"""``python -m leadcore.cli``: the command line without its script."""

from leadcore.cli import main

if __name__ == "__main__":
    main()
