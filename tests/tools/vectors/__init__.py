"""What `tests.tools.bundle_vectors` makes: bundles with one defect each, and sound ones of every shape."""
