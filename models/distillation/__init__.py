"""The small network of a device, taught by the large one."""
