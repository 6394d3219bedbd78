"""The program killed again and again: what it promises then."""
