"""Fakes of the wires the program talks over: they speak the real protocols, so the real clients run in the tests."""
