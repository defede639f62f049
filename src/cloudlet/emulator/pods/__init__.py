"""Cloud Pods: named, versioned states that can be kept, shared as a file, and merged into what is there.

native.py     records and blobs of native services: taken, compared and put back
owners.py    whose a record is
archive.py    a pod as one zip file, signed by the volume that made it
shelf.py      pods and their versions in a folder; remotes.py: other folders by name
service.py    the whole: saved, loaded, exported, imported, compared
"""
