"""Inline building blocks of the kernel, for `cimport` by others (see `leadcore.get_include`)."""
