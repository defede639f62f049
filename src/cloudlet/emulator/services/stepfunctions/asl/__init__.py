"""The Amazon States Language without any store: paths, templates, intrinsic functions, JSONata, choices, definitions."""
