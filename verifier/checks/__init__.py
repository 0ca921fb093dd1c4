"""The checks of a bundle, one file a subject; verify.py calls them in order."""
