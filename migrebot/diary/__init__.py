"""The field's own rules: what an entry is, which days it touches, what a typed answer means."""
