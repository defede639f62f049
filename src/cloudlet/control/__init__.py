"""The control plane: accounts, workspaces, licenses and tokens, and the API that emulators activate against."""
