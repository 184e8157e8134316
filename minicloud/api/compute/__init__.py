"""The face of the controller: Compute v2.1 with microversions."""
