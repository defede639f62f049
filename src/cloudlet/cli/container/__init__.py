"""The emulator in a container: `cloudlet start --docker`, and the commands about what it started.

settings.py   the variables that are about containers
options.py    what the command line adds: -e, -p, -v, --network, --stack
engine.py     Docker or Podman, over the Docker API; the only file that speaks it
plan.py       everything about the container to be: image, variables, files, ports, user
handover.py   what the container needs of this machine's license: token file, cached license, machine id
record.py     which container was started, so that the other commands find it without asking an engine
lifecycle.py  start, wait for `Ready.`, follow the log, stop, restart

Commands import this package only where a container is concerned: the Docker library takes longer to load than a
command about a process may take.
"""
