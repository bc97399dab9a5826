"""When a person is needed, and which one."""
