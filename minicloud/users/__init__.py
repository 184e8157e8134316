"""The user manager: users, projects, roles and tokens."""
