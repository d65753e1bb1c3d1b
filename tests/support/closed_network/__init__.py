"""No way out of the machine for tests: in this process, in the Python processes they start, and in the kernel."""
