"""Programs that the build uses."""
