"""Documents made from a diary: pure, rendered when it is their turn to be sent."""
