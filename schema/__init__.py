"""Files that ship with Otter: JSON Schemas of the API and the stores' migrations."""
