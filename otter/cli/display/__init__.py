"""What commands print: columns of each resource, tables, and formats for scripts. Pure."""
