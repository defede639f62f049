"""`python -m cloudlet` is the command `cloudlet`."""

from cloudlet.cli.main import main

if __name__ == "__main__":
    main()
