"""The HTTP faces of the cloud: they parse, authorise, ask the components and format."""
