"""How fast and how small it is: `make bench` measures it anew, beside what others use for the same.

Each part runs in a process of its own, on one core where the figure is one core's; what is compared takes turns, so
that whatever else the machine does meets all alike. Nothing here is part of `make test`.
"""
